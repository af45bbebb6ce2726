"""What share of its callers each route's new side gets: as the table said when this environment last looked.

It counts too how the new side does, and ends it where it does too badly.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from random import Random
from typing import Any

from serverless_patterns_runtime.strangler_gateway import contract, metric_contract
from serverless_patterns_runtime.strangler_gateway.contract import Migration, RollbackSettings
from serverless_patterns_runtime.strangler_gateway.counting import Counts, Total
from serverless_patterns_runtime.strangler_gateway.standing import Standing

__all__ = ["Shares", "items", "standings"]

Tell = Callable[[str, str | None, BaseException | None], None]
"""Of a metric, of the route if it is about one, and of what went wrong if something did."""


class Shares:
    def __init__(
        self, migration: Migration, table: str, dynamodb: Any, clock: Callable[[], float], random: Random, tell: Tell
    ) -> None:
        self._migration = migration
        self._table = table
        self._dynamodb = dynamodb
        self._clock = clock
        self._random = random
        self._tell = tell
        self._counts = Counts(dynamodb, table, clock)
        self._seen: Mapping[str, Standing] = {}
        """Empty: the table has never been read. Then legacy answers, for it may hold a kill."""
        self._fresh_until = float("-inf")

    def percent(self, route: str) -> float:
        """Of this moment; none of ours is older than the cache's age, while the table answers."""
        standing = self._standing(route)
        return standing.share if standing else 0.0

    def killed(self, route: str) -> bool:
        standing = self._standing(route)
        return standing is not None and standing.killed

    def note(self, route: str, failed: bool) -> None:
        """A request that the new side has had."""
        rules = self._migration["routes"][route].get("rollback")
        standing = self._seen.get(route)
        if rules and standing and not standing.killed:
            self._counts.note(route, standing, rules, failed=failed)
            self._ask_the_table(route)

    def _standing(self, route: str) -> Standing | None:
        self._ask_the_table(route)
        return self._seen.get(route)

    def _ask_the_table(self, route: str) -> None:
        """If it is time to: at most once a cache age for each purpose."""
        try:
            self._look_if_old()  # first: a table that takes no counts may still tell of a kill
            if self._counts.due(route, self._migration["cache_seconds"]):
                self._report(route)
                self._look_if_old()
        except Exception as error:
            # What was seen last holds, a kill above all.
            self._tell(metric_contract.METRIC_STORE_UNAVAILABLE, None, error)

    def _look_if_old(self) -> None:
        if self._clock() >= self._fresh_until:
            self._look()

    def _look(self) -> None:
        # Also when this fails: the table is left alone for a while.
        before, self._fresh_until = self._seen, self._clock() + self._migration["cache_seconds"]
        self._seen = standings(self._migration, self._table, self._dynamodb)
        for route, standing in self._seen.items():
            # Told by all who learn of it: who did it may have died of it.
            if standing.killed and standing.by == contract.ROLLBACK and route in before and not before[route].killed:
                self._tell(metric_contract.METRIC_ROLLED_BACK, route, None)

    def _report(self, route: str) -> None:
        total, standing = self._counts.report(route)
        rules = self._migration["routes"][route].get("rollback")
        if rules and total.is_too_bad(rules) and standing == self._seen.get(route):
            self._roll_back(route, standing, total, rules)

    def _roll_back(self, route: str, standing: Standing, total: Total, rules: RollbackSettings) -> None:
        # Not at the top: most environments never do this.
        from serverless_patterns_runtime.strangler_gateway.changes import Beaten, change

        reason = (
            f"{total.errors} of {total.requests} requests failed or were refused within {rules['window_seconds']} s,"
            f" more than {rules['max_error_percent']:g} percent"
        )
        after = standing.changed(
            percent=standing.percent, killed=True, by=contract.ROLLBACK, at=self._clock(), reason=reason
        )
        with suppress(Beaten):  # by another router, or by a person: what holds now is looked up
            change(self._dynamodb, self._table, route, contract.ROLLBACK, standing, after, self._random)
        self._fresh_until = float("-inf")


def standings(migration: Migration, table: str, dynamodb: Any) -> Mapping[str, Standing]:
    """Of the routes that are migrating. Raises what the client raises."""
    found = items(table, dynamodb)
    return {route: _standing(found.get(route), settings) for route, settings in migration["routes"].items()}


def items(table: str, dynamodb: Any) -> dict[str, Mapping[str, Any]]:
    """All that was ever set, by route; consistently."""
    query: dict[str, Any] = {
        "TableName": table,
        "KeyConditionExpression": "#kind = :routes",
        "ExpressionAttributeNames": {"#kind": contract.PARTITION_KEY},
        "ExpressionAttributeValues": {":routes": {"S": contract.ROUTES}},
        "ConsistentRead": True,
    }
    found: dict[str, Mapping[str, Any]] = {}
    while True:
        page = dynamodb.query(**query)
        found |= {item[contract.SORT_KEY]["S"]: item for item in page["Items"]}
        if "LastEvaluatedKey" not in page:
            return found
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def _standing(item: Mapping[str, Any] | None, settings: contract.RouteSettings) -> Standing:
    try:
        return Standing.of(item, settings)
    except (KeyError, ValueError):  # somebody else has written it: legacy answers, and the other routes go on
        return Standing(0.0, killed=True, generation=settings["generation"])
