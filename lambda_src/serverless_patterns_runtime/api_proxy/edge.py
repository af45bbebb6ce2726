"""Everything outside: AWS, time, chance, logs. One object, so that a simulation can be all of it."""

import importlib
import random
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from serverless_patterns_runtime.api_proxy import contract
from serverless_patterns_runtime.api_proxy.settings import Settings
from serverless_patterns_runtime.api_proxy.validation import Validator
from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.deployed_resources import DeployedResources
from serverless_patterns_runtime.resources import NO_RESOURCES, Resources
from serverless_patterns_runtime.telemetry import Logger, Metrics

__all__ = ["Edge"]


class Edge(NamedTuple):
    settings: Settings
    business_function: BusinessFunction
    dynamodb: Any
    """None exactly where `settings.claims` is."""
    clock: Callable[[], float]
    """Epoch seconds."""
    sleep: Callable[[float], None]
    random: random.Random
    logger: Any
    metrics: Any
    validators: Mapping[str, Validator]
    """By the names that the routes use."""
    resources: Resources = NO_RESOURCES

    @classmethod
    def from_environment(cls) -> "Edge":
        settings = Settings.from_environment()
        function = BusinessFunction.load(settings.business_function, returns_effects=settings.returns_effects)
        dynamodb = _dynamodb() if settings.claims else None
        resources = DeployedResources(settings.tables)
        return cls(
            settings=settings,
            business_function=function,
            dynamodb=dynamodb,
            clock=time.time,
            sleep=time.sleep,
            random=random.SystemRandom(),
            logger=Logger(),
            metrics=Metrics(),
            validators=_validators(settings.routes),
            resources=resources.prepare() if function.takes_invocation else resources,
        )


def _dynamodb() -> Any:
    # Not at the top: botocore is most of a cold start, and a function that claims nothing has no use for it.
    from serverless_patterns_runtime.clients import client

    importlib.import_module("serverless_patterns_runtime.api_proxy.once")  # here, and not in the first request
    return client("dynamodb")


def _validators(routes: contract.Routes) -> Mapping[str, Validator]:
    names = {name for route in routes.values() for name in (route.get("body"), route.get("query")) if name}
    if not names:
        return {}
    module = importlib.import_module(contract.SCHEMAS_MODULE)
    return {name: getattr(module, name) for name in names}
