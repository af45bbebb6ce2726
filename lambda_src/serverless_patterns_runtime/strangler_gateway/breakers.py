"""A circuit breaker for each route that migrates, made when its first request comes."""

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from serverless_patterns_runtime.circuit_breaker.circuit_breaker import CircuitBreaker
from serverless_patterns_runtime.circuit_breaker.contract import BreakerSettings
from serverless_patterns_runtime.circuit_breaker.failures import counts
from serverless_patterns_runtime.circuit_breaker.permit import Breaker, Permit
from serverless_patterns_runtime.circuit_breaker.reports import Count, Reports, count_as_metric
from serverless_patterns_runtime.circuit_breaker.store import Store
from serverless_patterns_runtime.errors import CircuitOpen
from serverless_patterns_runtime.strangler_gateway.settings import Settings

__all__ = ["SECONDS", "Breakers"]

FAILURES_IN_A_ROW = 3
"""Of a route in one environment: from this one on they count for its breaker, which knows no rate. Where everything
fails that is at once; of a version that fails 2 percent of its requests it is one in 125,000."""

SECONDS = 0.2
"""For its table: without it a call goes on unguarded, and so nobody waits for it."""


class _RouteBreaker(CircuitBreaker):
    """It opens for an outage, which fails everything. A rate of errors is the rollback's to judge."""

    _in_a_row = 0

    def judge(self, permit: Permit, error: BaseException | None) -> CircuitOpen | None:
        self._in_a_row = self._in_a_row + 1 if counts(error, self._settings) else 0
        if permit.prober is None and 0 < self._in_a_row < FAILURES_IN_A_ROW:
            return None
        return super().judge(permit, error)


class Breakers(Mapping[str, Breaker]):
    """By route."""

    def __init__(
        self,
        settings: Settings,
        dynamodb: Any,
        clock: Callable[[], float],
        chance: random.Random,
        logger: Any,
        count: Count = count_as_metric,
    ) -> None:
        self._settings, self._dynamodb, self._clock, self._chance = settings, dynamodb, clock, chance
        self._logger, self._count = logger, count
        self._made: dict[str, Breaker] = {}

    def __getitem__(self, route: str) -> Breaker:
        breaker = self._made.get(route)
        if breaker is None:
            breaker = self._made[route] = self._breaker(route)
        return breaker

    def __iter__(self) -> Iterator[str]:
        return iter(self._settings.migration["routes"])

    def __len__(self) -> int:
        return len(self._settings.migration["routes"])

    def _breaker(self, route: str) -> Breaker:
        table = self._settings.breaker_table
        settings = BreakerSettings(**self._settings.migration["routes"][route]["breaker"], table=table, counts=[])
        reports = Reports(route, table, self._logger, self._count)
        return _RouteBreaker(settings, Store(self._dynamodb, table, route), reports, self._clock, self._chance)
