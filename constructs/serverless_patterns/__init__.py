"""AWS CDK constructs for serverless backend patterns, with the Lambda code that keeps their promises."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .api_account import ApiAccount
    from .api_proxy import ApiProxy
    from .authorizers import IamAuthorizer, LambdaAuthorizer
    from .circuit_breaker import CircuitBreaker
    from .claim_check import ClaimCheck
    from .cors import Cors
    from .cqrs_table import CqrsTable
    from .data_api_sink import DataApiSink
    from .defaults import Defaults
    from .domain import Domain
    from .fan_in import FanIn
    from .fan_out_topic import FanOutTopic
    from .handler import Handler
    from .http_backend import HttpBackend
    from .https_endpoint import HttpsEndpoint
    from .jwt_authorizer import JwtAuthorizer
    from .legacy_backend import LegacyBackend
    from .load_leveled_queue import LoadLeveledQueue
    from .migrated_route import MigratedRoute, Rollback, Shadow, Sticky
    from .mock_response import MockResponse
    from .open_search_sink import OpenSearchSink
    from .parallel_map import ParallelMap
    from .route import Route
    from .s3_items import S3Items
    from .saga_approval import SagaApproval
    from .saga_flow import SagaChoice, SagaParallel, SagaWait
    from .saga_state_machine import SagaStateMachine
    from .saga_step import ExternalKey, Retry, SagaStep
    from .sql_sink import SqlSink
    from .strangler_gateway import StranglerGateway
    from .throttle import Throttle
    from .usage_plan import Quota, UsagePlan

__all__ = [
    "ApiAccount",
    "ApiProxy",
    "CircuitBreaker",
    "ClaimCheck",
    "Cors",
    "CqrsTable",
    "DataApiSink",
    "Defaults",
    "Domain",
    "ExternalKey",
    "FanIn",
    "FanOutTopic",
    "Handler",
    "HttpBackend",
    "HttpsEndpoint",
    "IamAuthorizer",
    "JwtAuthorizer",
    "LambdaAuthorizer",
    "LegacyBackend",
    "LoadLeveledQueue",
    "MigratedRoute",
    "MockResponse",
    "OpenSearchSink",
    "ParallelMap",
    "Quota",
    "Retry",
    "Rollback",
    "Route",
    "S3Items",
    "SagaApproval",
    "SagaChoice",
    "SagaParallel",
    "SagaStateMachine",
    "SagaStep",
    "SagaWait",
    "Shadow",
    "SqlSink",
    "Sticky",
    "StranglerGateway",
    "Throttle",
    "UsagePlan",
]

if not TYPE_CHECKING:

    def __dir__() -> list[str]:
        """What completion offers: the names are not here before they are used."""
        return [*globals(), *__all__]

    def __getattr__(name: str) -> object:
        """Import on first use: the pytest plugin and the command line live here too, and must not start the CDK."""
        modules = {
            "ApiAccount": "api_account",
            "ApiProxy": "api_proxy",
            "CircuitBreaker": "circuit_breaker",
            "ClaimCheck": "claim_check",
            "Cors": "cors",
            "CqrsTable": "cqrs_table",
            "DataApiSink": "data_api_sink",
            "Defaults": "defaults",
            "Domain": "domain",
            "ExternalKey": "saga_step",
            "FanIn": "fan_in",
            "FanOutTopic": "fan_out_topic",
            "Handler": "handler",
            "HttpBackend": "http_backend",
            "HttpsEndpoint": "https_endpoint",
            "IamAuthorizer": "authorizers",
            "JwtAuthorizer": "jwt_authorizer",
            "LambdaAuthorizer": "authorizers",
            "LegacyBackend": "legacy_backend",
            "LoadLeveledQueue": "load_leveled_queue",
            "MigratedRoute": "migrated_route",
            "MockResponse": "mock_response",
            "OpenSearchSink": "open_search_sink",
            "ParallelMap": "parallel_map",
            "Quota": "usage_plan",
            "Retry": "saga_step",
            "Rollback": "migrated_route",
            "Route": "route",
            "S3Items": "s3_items",
            "SagaApproval": "saga_approval",
            "SagaChoice": "saga_flow",
            "SagaParallel": "saga_flow",
            "SagaStateMachine": "saga_state_machine",
            "SagaStep": "saga_step",
            "SagaWait": "saga_flow",
            "Shadow": "migrated_route",
            "SqlSink": "sql_sink",
            "Sticky": "migrated_route",
            "StranglerGateway": "strangler_gateway",
            "Throttle": "throttle",
            "UsagePlan": "usage_plan",
        }
        if name not in modules:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f".{modules[name]}", __name__), name)
