"""Everything outside: AWS, upstreams, time, chance, logs. One object, so that a simulation can be all of it."""

import random
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from serverless_patterns_runtime.circuit_breaker.permit import Breaker
from serverless_patterns_runtime.strangler_gateway.answer import Answer
from serverless_patterns_runtime.strangler_gateway.arrival import Arrival
from serverless_patterns_runtime.strangler_gateway.aws import DynamoDb, Functions
from serverless_patterns_runtime.strangler_gateway.contract import Side
from serverless_patterns_runtime.strangler_gateway.settings import Settings

__all__ = ["Edge", "Pins", "Shares", "Upstream"]


class Upstream(Protocol):
    """Legacy, or a service of the new side."""

    def ask(self, arrival: Arrival, deadline: float) -> Answer:
        """`deadline`: of the whole exchange, by `time.monotonic`. Raises UpstreamFailed."""
        ...


class Shares(Protocol):
    def percent(self, route: str) -> float: ...

    def note(self, route: str, failed: bool) -> None:
        """A request that the new side has had."""
        ...


class Pins(Protocol):
    def side(self, route: str, key: str, wanted: Side) -> Side:
        """Where the key was first sent: here, if this is the first time. Raises PinsUnavailable."""
        ...


class Edge(NamedTuple):
    settings: Settings
    shares: Shares
    pins: Pins
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
    metrics: Any
