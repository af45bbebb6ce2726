"""Totals in a view's own table: what each aggregate contributes, and sums that change in the same transaction."""

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Context, Decimal
from typing import Any, NamedTuple, cast

from botocore.exceptions import BotoCoreError, ClientError

from serverless_patterns_runtime.attribute_values import deserialize_item, serialize, serialize_item
from serverless_patterns_runtime.claims.contention import NOT_NOW
from serverless_patterns_runtime.cqrs_table.aggregate import plain
from serverless_patterns_runtime.cqrs_views import contract
from serverless_patterns_runtime.cqrs_views.row_items import prefix_of
from serverless_patterns_runtime.cqrs_views.sink import SinkUnavailable, Unstorable
from serverless_patterns_runtime.cqrs_views.statements import Contribution
from serverless_patterns_runtime.cqrs_views.views import Amounts
from serverless_patterns_runtime.error_codes import error_code
from serverless_patterns_runtime.errors import UncommittableEffects
from serverless_patterns_runtime.limits import check_item

__all__ = ["Kept", "Totals", "shard_of"]

ROUNDS = 8

MOST_GROUPS = 99
"""Of one step: a transaction has a hundred items."""

_EXACT = Context(prec=120)
_NAMES = {
    "#pk": contract.ROW_PARTITION,
    "#row": contract.ROW_ABOUT,
    "#version": contract.ROW_VERSION,
    "#amounts": contract.AMOUNTS,
}


class Kept(NamedTuple):
    """A contribution that is counted."""

    version: int
    amounts: Amounts


class Totals(NamedTuple):
    dynamodb: Any
    table_name: str
    clock: Callable[[], float] = time.time
    most_groups: int = MOST_GROUPS

    def write(self, generation: int, said: Contribution) -> None:
        """Counted once, whenever and however often it is said: where it is newer than what is counted.

        A change of more groups than a transaction takes goes over contributions between the old one and the new one,
        each of which is counted: whoever finds one, after a crash or beside us, goes on from there.

        Raises SinkUnavailable, and Unstorable.
        """
        kept = None if said.before is None else Kept(-1, said.before)
        refusals = 0
        while refusals < ROUNDS:
            try:
                kept = self._step(generation, said, kept)
            except _Refused as refused:
                kept, refusals = refused.kept, refusals + 1
            if kept.version >= said.version:
                return
        raise SinkUnavailable("another change of the same aggregate comes first, again and again")

    def read(self, generation: int, source: str) -> Kept | None:
        """What is counted of one aggregate, as it is now."""
        key = _contribution_key(generation, source)
        item = _sent(lambda: self.dynamodb.get_item(TableName=self.table_name, Key=key, ConsistentRead=True)).get(
            "Item"
        )
        return None if item is None else _kept(item)

    def _step(self, generation: int, said: Contribution, kept: Kept | None) -> Kept:
        """What is counted then. `kept` with the version -1: presumed, not read. None: presumed that nothing is."""
        before = {} if kept is None else kept.amounts
        deltas = _deltas(before, said.after)
        now = Kept(said.version, said.after)
        put = self._contribution(generation, said, kept, now)
        if len(deltas) > self.most_groups:
            # What shrinks first: so nothing between is larger than both ends, which were looked at.
            growing = sorted(deltas, key=lambda group: len(said.after.get(group, {})) - len(before.get(group, {})))
            deltas = {group: deltas[group] for group in growing[: self.most_groups]}
            now = _between(said, kept, deltas)
            put = self._contribution(generation, said, kept, now)
        shard = shard_of(said.source)
        adds = [{"Update": self._addition(generation, group, shard, delta)} for group, delta in deltas.items()]
        self._transact([{"Put": put}, *adds])
        return now

    def _contribution(self, generation: int, said: Contribution, kept: Kept | None, now: Kept) -> dict[str, Any]:
        about: dict[str, Any] = {contract.ROW_VERSION: now.version, contract.ROW_SOURCE: said.source}
        ours: dict[str, Any] = {contract.ROW_ABOUT: about, contract.AMOUNTS: now.amounts}
        if not now.amounts:
            about[contract.ROW_DELETED] = True
            ours[contract.TIME_TO_LIVE] = int(self.clock()) + contract.TOMBSTONE_SECONDS
        try:
            item = _contribution_key(generation, said.source) | serialize_item(ours)
            check_item(item, "a contribution")
        except UncommittableEffects as error:
            raise Unstorable(error.message) from error
        condition, values = _condition(said, kept)
        return {
            "TableName": self.table_name,
            "Item": item,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {name: known for name, known in _NAMES.items() if name in condition},
            **({"ExpressionAttributeValues": serialize_item(values)} if values else {}),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def _addition(self, generation: int, group: str, shard: int, delta: Mapping[str, Decimal]) -> dict[str, Any]:
        measures = list(enumerate(delta))
        return {
            "TableName": self.table_name,
            "Key": {
                contract.ROW_PARTITION: {"S": f"{prefix_of(generation)}{contract.TOTAL}#{group}"},
                contract.ROW_SORT: {"N": str(shard)},
            },
            "UpdateExpression": "ADD " + ", ".join(f"#m{number} :m{number}" for number, _ in measures),
            "ExpressionAttributeNames": {f"#m{number}": measure for number, measure in measures},
            "ExpressionAttributeValues": {f":m{number}": serialize(delta[measure]) for number, measure in measures},
        }

    def _transact(self, items: Sequence[Mapping[str, Any]]) -> None:
        try:
            self.dynamodb.transact_write_items(TransactItems=items)
        except ClientError as error:
            reasons = cast("list[dict[str, Any]]", error.response.get("CancellationReasons", []))
            codes = [reason.get("Code", "") for reason in reasons]
            if codes and codes[0] == "ConditionalCheckFailed":
                found = reasons[0].get("Item")
                raise _Refused(_kept(found) if found else Kept(-2, {})) from error
            if "ValidationError" in codes or error_code(error) == "ValidationException":
                raise Unstorable(
                    "DynamoDB refuses the sum: more than 38 digits, an attribute that is no number, or too long a key"
                ) from error
            busy = NOT_NOW.intersection((error_code(error), *codes))
            raise SinkUnavailable(min(busy, default=error_code(error))) from error
        except BotoCoreError as error:
            raise SinkUnavailable(type(error).__name__) from error


class _Refused(Exception):
    def __init__(self, kept: Kept) -> None:
        super().__init__("something else is counted")
        self.kept = kept


def shard_of(source: str) -> int:
    return int(hashlib.sha256(source.encode()).hexdigest()[:8], 16) % contract.TOTAL_SHARDS


def _condition(said: Contribution, kept: Kept | None) -> tuple[str, dict[str, Any]]:
    if kept is None or kept.version == -2:
        return "attribute_not_exists(#pk)", {}
    if kept.version == -1:
        counted = "#row.#version < :version AND #amounts = :before"
        nothing = "attribute_not_exists(#pk) OR " if not kept.amounts else ""
        return f"{nothing}({counted})", {":version": said.version, ":before": kept.amounts}
    # Its amounts too: steps on the way to a version have all the same one.
    return "#row.#version = :version AND #amounts = :before", {":version": kept.version, ":before": kept.amounts}


def _deltas(before: Amounts, after: Amounts) -> dict[str, dict[str, Decimal]]:
    """By group and measure, without zeros."""
    found: dict[str, dict[str, Decimal]] = {}
    for group in [*before, *(group for group in after if group not in before)]:
        old, new = before.get(group, {}), after.get(group, {})
        for measure in dict.fromkeys((*old, *new)):
            delta = _EXACT.subtract(Decimal(new.get(measure, 0)), Decimal(old.get(measure, 0)))
            if delta:
                found.setdefault(group, {})[measure] = delta
    return found


def _between(said: Contribution, kept: Kept | None, changed: Iterable[str]) -> Kept:
    """In these groups what is said, in the others what was: so of the version that was, which readers wait for."""
    before = {} if kept is None else kept.amounts
    amounts = before | {group: said.after.get(group, {}) for group in changed}
    counted = {group: measures for group, measures in amounts.items() if measures}
    if kept is None or kept.version == -2:
        return Kept(0, counted)
    return Kept(said.version - 1 if kept.version == -1 else kept.version, counted)


def _contribution_key(generation: int, source: str) -> dict[str, Any]:
    return {
        contract.ROW_PARTITION: {"S": f"{prefix_of(generation)}{contract.CONTRIBUTION}#{source}"},
        contract.ROW_SORT: {"N": "0"},
    }


def _kept(item: Mapping[str, Any]) -> Kept:
    row = cast("dict[str, Any]", plain(deserialize_item(item)))
    return Kept(row[contract.ROW_ABOUT][contract.ROW_VERSION], row[contract.AMOUNTS])


def _sent(request: Callable[[], Any]) -> Any:
    try:
        return request()
    except ClientError as error:
        raise SinkUnavailable(error_code(error)) from error
    except BotoCoreError as error:
        raise SinkUnavailable(type(error).__name__) from error
