"""Functions that share a breaker: each a sandbox of its own, over one modelled table and one clock."""

import io
import itertools
import json
import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from serverless_patterns_runtime.circuit_breaker.circuit_breaker import CircuitBreaker
from serverless_patterns_runtime.circuit_breaker.contract import BreakerSettings
from serverless_patterns_runtime.circuit_breaker.reports import Reports
from serverless_patterns_runtime.circuit_breaker.store import Store
from serverless_patterns_runtime.errors import CircuitOpen
from serverless_patterns_runtime.telemetry import Logger

from ...simulation.dynamodb_model import Table
from ..api_proxy.modelled_dynamodb import ModelledDynamoDB
from ..consumer import Clock

_services = itertools.count(1)

NAME, TABLE = "Partner", "breakers"

SETTINGS = BreakerSettings(
    table=TABLE, failure_threshold=3, window_seconds=60, open_seconds=30, cache_seconds=5, counts=[]
)


class Down(Exception):
    """What the downstream's client raises."""


class Timeout(Down): ...


class Fleet:
    """`call(n)` is a call by the n-th sandbox: its result, or `refused`."""

    def __init__(self, **settings: Any) -> None:
        self.clock = Clock()
        self.dynamodb = ModelledDynamoDB(self.clock)
        self.dynamodb.service.tables[TABLE] = Table({"breaker": "S"})
        self.settings = BreakerSettings(**{**SETTINGS, **settings})  # type: ignore[typeddict-item]
        self.metrics: Counter[str] = Counter()
        self.calls = 0
        """That reached the downstream."""
        self.down: BaseException | None = None
        self._stream = io.StringIO()
        # Powertools keeps one handler, and so one stream, a service name and process.
        self._logger = Logger(service=f"breaker-{next(_services)}", stream=self._stream)
        self._breakers: dict[int, CircuitBreaker] = {}

    def breaker(self, number: int = 0) -> CircuitBreaker:
        if number not in self._breakers:
            self._breakers[number] = CircuitBreaker(
                self.settings,
                Store(self.dynamodb, TABLE, NAME),
                Reports(NAME, TABLE, self._logger, self._count),
                self.clock,
                random.Random(number),
            )
        return self._breakers[number]

    def _count(self, metric: str, value: int, breaker: str, table: str) -> None:
        assert (breaker, table) == (NAME, TABLE)
        self.metrics[metric] += value

    def downstream(self) -> str:
        self.calls += 1
        if self.down is not None:
            raise self.down
        return "answered"

    def call(self, number: int = 0, downstream: Callable[[], Any] | None = None, remaining: float = 20.0) -> str:
        try:
            permit = self.breaker(number).permit(lambda: remaining)
        except CircuitOpen:
            return "refused"
        with permit:
            try:
                return permit.run(downstream or self.downstream)
            except Exception as error:
                return type(error).__name__

    def opened(self, number: int = 0) -> None:
        """By failures of this sandbox."""
        self.down = Down()
        for _ in range(self.settings["failure_threshold"]):
            assert self.call(number) == "Down"
        self.down = None
        assert self.item()["state"] == {"S": "open"}

    def item(self) -> dict[str, Any]:
        items = list(self.dynamodb.items(TABLE).values())
        return dict(items[0]) if items else {}

    def fails(self, operation: str, error: Exception) -> None:
        def fail(_: Any) -> Any:
            raise error

        self.dynamodb.meets[operation] = fail

    @property
    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._stream.getvalue().splitlines()]

    def transitions(self) -> list[tuple[str, str, int]]:
        return [(line["from"], line["to"], line["epoch"]) for line in self.log if line["message"] == "circuit"]
