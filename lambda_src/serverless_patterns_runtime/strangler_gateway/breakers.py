"""A circuit breaker for each route that migrates, made when its first request comes."""

import random
import time
from collections.abc import Iterator, Mapping
from typing import Any

from serverless_patterns_runtime.circuit_breaker.circuit_breaker import CircuitBreaker
from serverless_patterns_runtime.circuit_breaker.contract import BreakerSettings
from serverless_patterns_runtime.circuit_breaker.permit import Breaker, Permit
from serverless_patterns_runtime.circuit_breaker.reports import Reports, count_as_metric
from serverless_patterns_runtime.circuit_breaker.store import Store
from serverless_patterns_runtime.errors import CircuitOpen
from serverless_patterns_runtime.strangler_gateway.aws import LightDynamoDb, Service
from serverless_patterns_runtime.strangler_gateway.settings import Settings

__all__ = ["Breakers", "RouteBreaker"]

IN_A_ROW = 3
"""Failures of a route in one environment, of which the last is counted. The breaker counts failures, not their share:
one in a hundred would open it on any busy route, and what it refuses then would roll the route back."""

SECONDS = 0.2
"""For its table: without it a call goes on unguarded, and so nobody waits for it."""


class RouteBreaker(CircuitBreaker):
    """Opens for a new side that is down, not for one that fails now and then: that is the rollback's to judge."""

    _row = 0

    def judge(self, permit: Permit, error: BaseException | None) -> CircuitOpen | None:
        self._row = 0 if error is None else self._row + 1
        if error is not None and permit.prober is None and self._row < IN_A_ROW:
            return None
        return super().judge(permit, error)


class Breakers(Mapping[str, Breaker]):
    """By route."""

    def __init__(self, settings: Settings, service: Service, chance: random.Random, logger: Any) -> None:
        self._settings, self._chance, self._logger = settings, chance, logger
        self._dynamodb = LightDynamoDb(service, SECONDS)
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
        reports = Reports(route, table, self._logger, count_as_metric)
        return RouteBreaker(settings, Store(self._dynamodb, table, route), reports, time.time, self._chance)
