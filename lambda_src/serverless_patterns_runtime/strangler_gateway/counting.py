"""What the new side has answered, added up over all routers: each reports to the table once in a while."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from serverless_patterns_runtime.strangler_gateway import contract
from serverless_patterns_runtime.strangler_gateway.contract import RollbackSettings
from serverless_patterns_runtime.strangler_gateway.standing import Standing, number

__all__ = ["Counts", "Total"]

BEYOND_CHANCE = 4
"""Square roots of how many may fail: so many more must. A version that fails half as often as it may has two where one
is allowed every few minutes; this many in one minute of 20,000."""

KEPT_SECONDS = 3600
"""After its window a count is of no use to anybody."""


class Total(NamedTuple):
    """Of one window, from all routers."""

    requests: int
    errors: int

    def is_too_bad(self, rules: RollbackSettings) -> bool:
        allowed = self.requests * rules["max_error_percent"] / 100
        return self.requests >= rules["min_requests"] and self.errors > allowed + BEYOND_CHANCE * math.sqrt(allowed)


class _Pending(NamedTuple):
    window: int
    standing: Standing
    requests: int = 0
    errors: int = 0


class Counts:
    def __init__(self, dynamodb: Any, table: str, clock: Callable[[], float]) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._clock = clock
        self._pending: dict[str, _Pending] = {}
        self._reported_at: dict[str, float] = {}

    def note(self, route: str, standing: Standing, rules: RollbackSettings, *, failed: bool) -> None:
        """Counted for the window, and for how the route stands: what is pending from before a change is forgotten."""
        pending = self._pending.get(route)
        if pending is None or pending.standing != standing:
            length = rules["window_seconds"]
            pending = _Pending(int(self._clock() // length) * length, standing)
        self._pending[route] = pending._replace(requests=pending.requests + 1, errors=pending.errors + failed)

    def due(self, route: str, age: float) -> bool:
        """Successes as soon as failures: else routers that are seldom used would tell of failures alone."""
        return route in self._pending and self._clock() >= self._reported_at.get(route, float("-inf")) + age

    def report(self, route: str) -> tuple[Total, Standing]:
        """One write. Raises what the client raises: nobody knows then whether they were added, and they are dropped."""
        pending, self._reported_at[route] = self._pending.pop(route), self._clock()
        answer = self._dynamodb.update_item(
            TableName=self._table,
            Key={
                contract.PARTITION_KEY: {"S": f"{contract.COUNT}#{route}"},
                contract.SORT_KEY: {"S": _entry(pending.window, pending.standing)},
            },
            UpdateExpression="SET #expires = :expires ADD #requests :requests, #errors :errors",
            ExpressionAttributeNames={
                "#expires": contract.EXPIRES_AT,
                "#requests": contract.REQUESTS,
                "#errors": contract.ERRORS,
            },
            ExpressionAttributeValues={
                ":expires": number(pending.window + KEPT_SECONDS),
                ":requests": number(pending.requests),
                ":errors": number(pending.errors),
            },
            ReturnValues="ALL_NEW",
        )["Attributes"]
        return Total(int(answer[contract.REQUESTS]["N"]), int(answer[contract.ERRORS]["N"])), pending.standing


def _entry(window: int, standing: Standing) -> str:
    return f"{window}#{standing.generation}#{standing.version}"
