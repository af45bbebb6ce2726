"""What was set for a route that the code lists no more is forgotten: not at once, for it may come back."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from random import Random
from typing import Any, Literal, NamedTuple

from botocore.exceptions import ClientError

from serverless_patterns_runtime.circuit_breaker import contract as breakers
from serverless_patterns_runtime.circuit_breaker.state import State
from serverless_patterns_runtime.error_codes import error_code
from serverless_patterns_runtime.strangler_gateway import contract
from serverless_patterns_runtime.strangler_gateway.changes import Beaten, as_seen, change
from serverless_patterns_runtime.strangler_gateway.contract import REMOVED_KEPT_SECONDS, Migration
from serverless_patterns_runtime.strangler_gateway.control_contract import Swept
from serverless_patterns_runtime.strangler_gateway.shares import items
from serverless_patterns_runtime.strangler_gateway.standing import Standing, number

__all__ = ["Sweep", "goes_at", "stage_of"]

Item = Mapping[str, Any]

_OF_A_BREAKER = (
    breakers.STATE,
    breakers.EPOCH,
    breakers.FAILURES,
    breakers.OPEN_UNTIL,
    breakers.PROBER,
    breakers.PROBE_UNTIL,
    breakers.OPENED_AT,
)


def stage_of(migration: Migration, route: str) -> Literal["legacy", "migrating", "done", "removed"]:
    """As the code says."""
    if route in migration["routes"]:
        return "migrating"
    if route in migration.get("done", ()) or route in migration.get("elsewhere", ()):
        return "done"
    return "legacy" if route in migration.get("legacy", ()) else "removed"


def goes_at(item: Item | None) -> int | None:
    """When what was set for a route may be forgotten. None: no sweep has missed it."""
    since = _missing_since(item or {})
    return None if since is None else since + REMOVED_KEPT_SECONDS


class Sweep(NamedTuple):
    """Commands and routers change items meanwhile: each write is one of what was seen, or none."""

    migration: Migration
    table: str
    breaker_table: str
    dynamodb: Any
    clock: Callable[[], float]
    random: Random

    def done(self) -> Swept:
        """Raises what the client raises; whoever sweeps next does the rest."""
        missing, back, forgotten = list[str](), list[str](), list[str]()
        for route, item in items(self.table, self.dynamodb).items():
            try:
                since, standing = _missing_since(item), Standing.of(item, None)
            except (KeyError, ValueError):  # none of ours
                continue
            if stage_of(self.migration, route) != "removed":
                if since is not None and self._is_marked(route, standing, since, "REMOVE #missing"):
                    back.append(route)
            elif since is None:
                if self._is_marked(route, standing, None, "SET #missing = :now"):
                    missing.append(route)
            elif self._is_old(since) and self._is_forgotten(route, standing, since):
                forgotten.append(route)
        swept = [name for name, item in self._removed_breakers() if self._is_deleted(name, item)]
        changed = bool(missing or back or forgotten or swept)
        return {"changed": changed, "missing": missing, "back": back, "forgotten": forgotten, "breakers": swept}

    def _is_old(self, at: float) -> bool:
        return self.clock() >= at + REMOVED_KEPT_SECONDS

    def _is_marked(self, route: str, standing: Standing, since: int | None, how: str) -> bool:
        """Or the mark is taken away. False: somebody else was first; so of the others."""
        request = as_seen(standing, since)
        if since is None:
            request["ConditionExpression"] += " AND attribute_not_exists(#missing)"
            request["ExpressionAttributeNames"]["#missing"] = contract.MISSING_SINCE
            request["ExpressionAttributeValues"][":now"] = number(int(self.clock()))
        key = {contract.PARTITION_KEY: {"S": contract.ROUTES}, contract.SORT_KEY: {"S": route}}
        return _is_done(
            lambda: self.dynamodb.update_item(TableName=self.table, Key=key, UpdateExpression=how, **request)
        )

    def _is_forgotten(self, route: str, standing: Standing, since: int) -> bool:
        reason = f"not in the code since {datetime.fromtimestamp(since, UTC).strftime('%Y-%m-%d %H:%M UTC')}"
        by, at = contract.SWEEP, self.clock()
        after = standing.changed(percent=standing.percent, killed=False, by=by, at=at, reason=reason)
        with suppress(Beaten):
            change(self.dynamodb, self.table, route, by, standing, after, self.random, forget=True, missing_since=since)
            return True
        return False

    def _removed_breakers(self) -> Iterator[tuple[str, Item]]:
        """Not with their routes: most have a breaker before anybody has said a percentage."""
        request: dict[str, Any] = {"TableName": self.breaker_table, "ConsistentRead": True}
        while True:
            page = self.dynamodb.scan(**request)
            for item in page["Items"]:
                name = item[breakers.PARTITION_KEY]["S"]
                if stage_of(self.migration, name) == "removed" and self._is_old(_latest(item)):
                    yield name, item
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _is_deleted(self, name: str, item: Item) -> bool:
        named = {f"#{attribute}": attribute for attribute in _OF_A_BREAKER}
        there = {f":{attribute}": item[attribute] for attribute in _OF_A_BREAKER if attribute in item}
        seen = [f"#{one} = :{one}" if one in item else f"attribute_not_exists(#{one})" for one in _OF_A_BREAKER]
        return _is_done(
            lambda: self.dynamodb.delete_item(
                TableName=self.breaker_table,
                Key={breakers.PARTITION_KEY: {"S": name}},
                ConditionExpression=" AND ".join(seen),
                ExpressionAttributeNames=named,
                **({"ExpressionAttributeValues": there} if there else {}),
            )
        )


def _missing_since(item: Item) -> int | None:
    marked = item.get(contract.MISSING_SINCE)
    return None if marked is None else int(marked["N"])


def _latest(item: Item) -> float:
    """Time that a breaker's item speaks of; for ever, where it is none of ours."""
    try:
        state = State.from_item(item)
    except (KeyError, ValueError):
        return float("inf")
    return max(state.open_until, state.opened_at, state.probe_until, *(state.failures or ()))


def _is_done(write: Callable[[], object]) -> bool:
    try:
        write()
    except ClientError as error:
        if error_code(error) != "ConditionalCheckFailedException":
            raise
        return False
    return True
