"""Everything outside: AWS, time, chance, logs. One object, so that a simulation can be all of it."""

import importlib
import random
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from serverless_patterns_runtime.api_proxy import contract
from serverless_patterns_runtime.api_proxy.settings import Settings
from serverless_patterns_runtime.api_proxy.validation import Validator
from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.circuit_breaker.settings import deployed_breakers
from serverless_patterns_runtime.deployed_resources import DeployedResources
from serverless_patterns_runtime.resources import NO_RESOURCES, Resources
from serverless_patterns_runtime.telemetry import Logger, Metrics

if TYPE_CHECKING:
    from serverless_patterns_runtime.circuit_breaker.permit import Breaker

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
    breakers: Mapping[str, "Breaker"] = MappingProxyType({})
    """By the names that the routes use."""
    fallbacks: Mapping[str, BusinessFunction] = MappingProxyType({})
    """By route."""

    @classmethod
    def from_environment(cls) -> "Edge":
        settings = Settings.from_environment()
        function = BusinessFunction.load(settings.business_function, returns_effects=settings.returns_effects)
        dynamodb = _dynamodb() if settings.claims else None
        fallbacks = {
            name: _fallback(route["fallback"]) for name, route in settings.routes.items() if "fallback" in route
        }
        resources = DeployedResources(settings.tables)
        takes_invocation = any(known.takes_invocation for known in (function, *fallbacks.values()))
        logger = Logger()
        return cls(
            settings=settings,
            business_function=function,
            dynamodb=dynamodb,
            clock=time.time,
            sleep=time.sleep,
            random=random.SystemRandom(),
            logger=logger,
            metrics=Metrics(),
            validators=_validators(settings.routes),
            resources=resources.prepare() if takes_invocation else resources,
            breakers=_breakers(settings.routes, logger),
            fallbacks=fallbacks,
        )


def _fallback(name: str) -> BusinessFunction:
    """It commits nothing: who asks again later is to have the real effect."""
    return BusinessFunction.load(name, returns_effects=False)


def _breakers(routes: contract.Routes, logger: Any) -> Mapping[str, "Breaker"]:
    """Raises KeyError where the environment lacks one: at init, and not in the middle of a request."""
    breakers = deployed_breakers(logger)
    return {name: breakers[name] for route in routes.values() if (name := route.get("circuit_breaker"))}


def _dynamodb() -> Any:
    # Not at the top: botocore is most of a cold start, and a function that claims nothing has no use for it.
    from serverless_patterns_runtime.clients import client

    importlib.import_module("serverless_patterns_runtime.api_proxy.once")  # here, and not in the first request
    return client("dynamodb")


def _validators(routes: contract.Routes) -> Mapping[str, Validator]:
    given = [(route.get("body"), route.get("query"), route.get("params")) for route in routes.values()]
    names = {name for several in given for name in several if name}
    if not names:
        return {}
    module = importlib.import_module(contract.SCHEMAS_MODULE)
    return {name: getattr(module, name) for name in names}
