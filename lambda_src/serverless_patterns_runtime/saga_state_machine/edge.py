"""Everything outside: AWS, time, chance, logs. One object, so that a simulation can be all of it."""

import random
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.circuit_breaker.settings import deployed_breakers
from serverless_patterns_runtime.claims.table import ClaimsTable
from serverless_patterns_runtime.clients import client
from serverless_patterns_runtime.deployed_resources import DeployedResources
from serverless_patterns_runtime.resources import NO_RESOURCES, Resources
from serverless_patterns_runtime.saga_state_machine.settings import Settings
from serverless_patterns_runtime.telemetry import Logger, Metrics

if TYPE_CHECKING:
    from serverless_patterns_runtime.circuit_breaker.permit import Breaker

__all__ = ["Edge"]


class Edge(NamedTuple):
    settings: Settings
    business_function: BusinessFunction
    dynamodb: Any
    clock: Callable[[], float]
    """Epoch seconds."""
    sleep: Callable[[float], None]
    random: random.Random
    logger: Any
    metrics: Any
    resources: Resources = NO_RESOURCES
    breakers: "Mapping[str, Breaker]" = MappingProxyType({})
    """By name."""

    @classmethod
    def from_environment(cls) -> "Edge":
        settings = Settings.from_environment()
        function = BusinessFunction.load(settings.business_function, returns_effects=settings.returns_effects)
        resources = DeployedResources(settings.tables)
        logger = Logger()
        return cls(
            settings=settings,
            business_function=function,
            dynamodb=client("dynamodb"),
            clock=time.time,
            sleep=time.sleep,
            random=random.SystemRandom(),
            logger=logger,
            metrics=Metrics(),
            resources=resources.prepare() if function.takes_invocation else resources,
            breakers=deployed_breakers(logger),
        )

    def claims(self) -> ClaimsTable:
        return ClaimsTable(
            dynamodb=self.dynamodb,
            name=self.settings.claims_table_name,
            retention_seconds=self.settings.claims_retention_seconds,
            tables=self.settings.tables,
            clock=self.clock,
            sleep=self.sleep,
            random=self.random,
        )
