"""Everything outside: AWS, time, logs. One object, so that a test can be all of it."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.deployed_resources import DeployedResources
from serverless_patterns_runtime.lambda_authorizer.settings import Settings
from serverless_patterns_runtime.resources import NO_RESOURCES, Resources
from serverless_patterns_runtime.telemetry import Logger, Metrics

__all__ = ["Edge"]


class Edge(NamedTuple):
    settings: Settings
    business_function: BusinessFunction
    clock: Callable[[], float]
    """Epoch seconds."""
    logger: Any
    metrics: Any
    resources: Resources = NO_RESOURCES

    @classmethod
    def from_environment(cls) -> "Edge":
        settings = Settings.from_environment()
        function = BusinessFunction.load(settings.business_function, returns_effects=False)
        resources = DeployedResources(settings.tables)
        return cls(
            settings=settings,
            business_function=function,
            clock=time.time,
            logger=Logger(),
            metrics=Metrics(),
            resources=resources.prepare() if function.takes_invocation else resources,
        )
