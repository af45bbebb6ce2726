"""Everything outside: AWS, upstreams, time, chance, logs. One object, so that a simulation can be all of it."""

import random
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from serverless_patterns_runtime.circuit_breaker.permit import Breaker
from serverless_patterns_runtime.strangler_gateway import breakers, contract
from serverless_patterns_runtime.strangler_gateway.arrival import Arrival
from serverless_patterns_runtime.strangler_gateway.aws import (
    DynamoDb,
    Functions,
    LightDynamoDb,
    LightLambda,
    Service,
)
from serverless_patterns_runtime.strangler_gateway.breakers import Breakers
from serverless_patterns_runtime.strangler_gateway.contract import NewSide, Side
from serverless_patterns_runtime.strangler_gateway.pins import Pins
from serverless_patterns_runtime.strangler_gateway.proxy_answer import ProxyAnswer
from serverless_patterns_runtime.strangler_gateway.record import teller
from serverless_patterns_runtime.strangler_gateway.settings import Settings
from serverless_patterns_runtime.strangler_gateway.shares import Shares
from serverless_patterns_runtime.strangler_gateway.upstream import HttpUpstream

__all__ = ["Edge", "KnownPins", "KnownShares", "Upstream"]

STORE_SECONDS = 1.0
"""For one request to the gateway's table: many times what DynamoDB usually takes."""


class LateLogger:
    """Powertools' Logger, once there is something to log: loading it takes a third of a cold start."""

    def __getattr__(self, name: str) -> Any:
        from serverless_patterns_runtime.telemetry import Logger

        return getattr(Logger(), name)  # whose settings are kept by the name of the service


class Upstream(Protocol):
    """Legacy, or a service of the new side."""

    def ask(self, arrival: Arrival, deadline: float) -> ProxyAnswer:
        """`deadline`: of the whole exchange, by `time.monotonic`. Raises Failed."""
        ...


class KnownShares(Protocol):
    """`Shares`, to those who route."""

    def percent(self, route: str) -> float: ...

    def killed(self, route: str) -> bool: ...

    def note(self, route: str, failed: bool) -> None:
        """A request that the new side has had, or should have."""
        ...


class KnownPins(Protocol):
    """`Pins`, to those who route."""

    def side(self, route: str, key: str, wanted: Side) -> Side:
        """Where the key was first sent: here, if this is the first time. Raises PinsUnavailable."""
        ...

    def known(self, route: str, key: str) -> Side | None:
        """Where the key was first sent, if it was. Raises PinsUnavailable."""
        ...


class Edge(NamedTuple):
    settings: Settings
    shares: KnownShares
    pins: KnownPins
    dynamodb: DynamoDb
    functions: Functions
    legacy: Upstream
    services: Mapping[str, Upstream]
    """By route: of those whose new side is a service of its own."""
    breakers: Mapping[str, Breaker]
    """By route."""
    clock: Callable[[], float]
    """Epoch seconds."""
    random: random.Random
    logger: Any

    @classmethod
    def from_environment(cls) -> "Edge":
        settings, logger, chance = Settings.from_environment(), LateLogger(), random.SystemRandom()
        migration = settings.migration
        service = Service("dynamodb", settings.region, settings.url_suffix)
        dynamodb = LightDynamoDb(service, STORE_SECONDS)
        sides: Mapping[str, NewSide] = {**migration["routes"], **migration.get("done", {})}
        tell = teller(migration["gateway"], time.time)
        return cls(
            settings=settings,
            shares=Shares(migration, settings.control_table, dynamodb, time.time, chance, tell),
            pins=Pins(dynamodb, settings.control_table, time.time, migration.get("pin_seconds", contract.PIN_SECONDS)),
            dynamodb=dynamodb,
            functions=LightLambda(Service("lambda", settings.region, settings.url_suffix)),
            legacy=HttpUpstream(settings.legacy_url, migration, added=migration["legacy_headers"]),
            services={
                name: HttpUpstream(side["url"], migration, template=True)
                for name, side in sides.items()
                if "url" in side
            },
            breakers=Breakers(settings, LightDynamoDb(service, breakers.SECONDS), time.time, chance, logger),
            clock=time.time,
            random=chance,
            logger=logger,
        )
