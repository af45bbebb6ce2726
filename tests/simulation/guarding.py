"""The shipped circuit breaker in a simulated account: its item in a table of its own, and what it says of itself."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from serverless_patterns_runtime.circuit_breaker.circuit_breaker import CircuitBreaker
from serverless_patterns_runtime.circuit_breaker.contract import BreakerSettings
from serverless_patterns_runtime.circuit_breaker.reports import Reports
from serverless_patterns_runtime.circuit_breaker.store import Store

from .dynamodb_model import DynamoDB
from .faults import Call
from .lambda_model import Sandbox
from .network import Client, Network

__all__ = ["BREAKER", "BREAKERS", "SETTINGS", "Guard", "of_the_breaker", "open_until", "state"]

BREAKERS, BREAKER = "breakers", "Supplier"
"""A table, and the key of its one item."""

SETTINGS = BreakerSettings(
    table=BREAKERS, failure_threshold=5, window_seconds=60, open_seconds=30, cache_seconds=5, counts=[]
)


class Lines:
    """Stands for the logger of a breaker."""

    def __init__(self, heard: Callable[[str, dict[str, Any]], None]) -> None:
        self._heard = heard

    def warning(self, text: str, *, extra: dict[str, Any]) -> None:
        self._heard(text, extra)


@dataclass
class Guard:
    """One breaker, over all the sandboxes of an account."""

    settings: BreakerSettings
    chance: random.Random
    now: Callable[[], float]
    transitions: list[tuple[float, str, dict[str, Any]]] = field(default_factory=list)
    """Its log lines."""
    metrics: Counter[str] = field(default_factory=Counter)

    def of(self, sandbox: Sandbox, network: Network) -> CircuitBreaker:
        """As this sandbox knows it."""
        return CircuitBreaker(
            self.settings,
            Store(Client(network, sandbox, "dynamodb", impatient=True), BREAKERS, BREAKER),
            Reports(
                BREAKER,
                BREAKERS,
                Lines(lambda text, fields: self.transitions.append((self.now(), text, fields))),
                self._count,
            ),
            sandbox.clock,
            random.Random(self.chance.getrandbits(64)),
        )

    def _count(self, metric: str, value: int, *_: str) -> None:
        self.metrics[metric] += value


def open_until(dynamodb: DynamoDB, start: float, seconds: float) -> None:
    """The breaker is open from the start, for so long."""
    item = {
        "breaker": {"S": BREAKER},
        "state": {"S": "open"},
        "epoch": {"N": "1"},
        "open_until": {"N": str(start + seconds)},
        "opened_at": {"N": str(start - 1)},
    }
    dynamodb.put_item(TableName=BREAKERS, Item=item)


def state(dynamodb: DynamoDB) -> str:
    (item,) = dynamodb.tables[BREAKERS].items.values()
    return item["state"]["S"]


def of_the_breaker(call: Call) -> bool:
    return call.arguments.get("TableName") == BREAKERS
