"""What must hold of views when nothing is under way. Each raises AssertionError with what it saw."""

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from serverless_patterns_runtime.cqrs_views.contract import METRIC_EXPIRED, METRIC_REMOVED
from serverless_patterns_runtime.cqrs_views.sink import StoredRow

from . import cqrs_shop
from .cqrs_rebuild import generations
from .cqrs_shop import BUCKET, KEY, ROWS, TOTALS
from .cqrs_world import CqrsWorld
from .judging import check

__all__ = ["ALWAYS", "AT_THE_END", "check", "wanted_rows"]

Invariant = Callable[[CqrsWorld], None]


def what_is_not_projected_is_parked(world: CqrsWorld) -> None:
    """Rows differ from what their functions say only of aggregates of which something is in the bucket."""
    excused = _excused(world, ROWS)
    for said, found in _rows(world):
        for key in said.keys() | found.keys():
            row = found.get(key)
            owners = {world_row[1] for world_row in (said.get(key),) if world_row} | ({row.source} if row else set())
            if owners & excused:
                continue
            _judge_row(key, said.get(key), row)


def views_are_the_fold_of_the_log(world: CqrsWorld) -> None:
    for said, found in _rows(world):
        for key in said.keys() | found.keys():
            _judge_row(key, said.get(key), found.get(key))


def totals_are_the_sums_of_what_is_counted(world: CqrsWorld) -> None:
    """Whatever is parked, in every generation."""
    counted: dict[str, dict[tuple[str, str], Decimal]] = {}
    sums: dict[str, dict[tuple[str, str], Decimal]] = {}
    for item in world.dynamodb.tables[TOTALS].items.values():
        number, kind, name = item["pk"]["S"].split("#", 2)
        if kind == "total":
            for measure in item.keys() - {"pk", "sk"}:
                _add(sums.setdefault(number, {}), (name, measure), Decimal(item[measure]["N"]))
        else:
            for group, measures in item["amounts"]["M"].items():
                for measure, amount in measures["M"].items():
                    _add(counted.setdefault(number, {}), (group, measure), Decimal(amount["N"]))
    for number in counted.keys() | sums.keys():
        assert _without_zeros(sums.get(number, {})) == counted.get(number, {}), (
            "totals are not the sums of what is counted"
        )


def totals_are_exact(world: CqrsWorld) -> None:
    live = generations(world, TOTALS).live
    if live is None:
        return
    wanted: dict[tuple[str, str], Decimal] = {}
    for key, (_, state) in world.states().items():
        for group, measures in cqrs_shop.totals({KEY: key, **(state or {"lines": {}})}, fixed=True).items():
            for measure, amount in measures.items():
                _add(wanted, (group, measure), Decimal(amount))
    found: dict[tuple[str, str], Decimal] = {}
    for item in world.dynamodb.tables[TOTALS].items.values():
        number, kind, name = item["pk"]["S"].split("#", 2)
        if (number, kind) == (str(live), "total"):
            for measure in item.keys() - {"pk", "sk"}:
                _add(found, (name, measure), Decimal(item[measure]["N"]))
    assert _without_zeros(found) == _without_zeros(wanted), f"totals are {found}, not {wanted}"


def nothing_is_left_in_the_bucket(world: CqrsWorld) -> None:
    left = world.parked()
    assert not left, f"still parked: {left}"


def removals_are_told_apart(world: CqrsWorld) -> None:
    """Each is counted as what it was, as often as its record was read: more than once, or never, if that went wrong."""
    for kind in (METRIC_EXPIRED, METRIC_REMOVED):
        counted, removed = world.ledger.counted[kind], world.ledger.removed[kind]
        assert not counted or removed, f"{kind}: counted {counted}, and none was"
        assert counted >= removed or world.faults.spent, f"{kind}: counted {counted} of {removed}"


def _judge_row(key: object, said: "tuple[Mapping[str, Any], str] | None", row: StoredRow | None) -> None:
    if said is None:
        assert row is None, f"a row that nobody says: {key} of {row.source if row else ''}"
        return
    assert row is not None, f"a row is missing: {key} of {said[1]}"
    assert (row.row, row.source) == said, f"a row is not as it should be: {key}: {row}, not {said}"


def _rows(world: CqrsWorld) -> list[tuple[dict[Any, Any], dict[Any, StoredRow]]]:
    """What functions say, and what is there in the live generation."""
    live = generations(world, ROWS).live
    if live is None:
        return []
    stored = world.stored(live)
    return [(wanted_rows(world), {(row.key.partition, row.key.sort): row for row in stored if row.row is not None})]


def wanted_rows(world: CqrsWorld) -> dict[tuple[str, str], tuple[Mapping[str, Any], str]]:
    """By functions, of the aggregates as they are: rows, and whose they are."""
    return {
        (row["customer"], row["line"]): (row, key)
        for key, (_, state) in world.states().items()
        if state is not None
        for row in cqrs_shop.rows({KEY: key, **state}, fixed=True)
    }


def _excused(world: CqrsWorld, view: str) -> set[str]:
    found: set[str] = set()
    for body in world.s3.objects[BUCKET].values():
        said = json.loads(body)
        if "payload" in said:
            records = json.loads(said["payload"])["Records"]
            found |= {record["dynamodb"]["Keys"][KEY]["S"] for record in records}
        elif said["view"] == view:
            found.add(said["key"])
    return found


def _add(sums: dict[tuple[str, str], Decimal], what: tuple[str, str], amount: Decimal) -> None:
    sums[what] = sums.get(what, Decimal(0)) + amount


def _without_zeros(sums: Mapping[tuple[str, str], Decimal]) -> dict[tuple[str, str], Decimal]:
    return {what: amount for what, amount in sums.items() if amount}


ALWAYS: Sequence[Invariant] = (
    what_is_not_projected_is_parked,
    totals_are_the_sums_of_what_is_counted,
    removals_are_told_apart,
)
"""When nothing is under way any more."""

AT_THE_END: Sequence[Invariant] = (
    views_are_the_fold_of_the_log,
    totals_are_the_sums_of_what_is_counted,
    totals_are_exact,
    nothing_is_left_in_the_bucket,
)
"""And when what was parked was tried again, after its cause was gone."""
