"""What a change says of a view: rows as they are since a version, and rows that are gone since then.

Each is true of its version whoever says it, when, and how often; the highest version of a row wins. So records may
come in any order, twice, or late.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from serverless_patterns_runtime.attribute_values import serialize_item
from serverless_patterns_runtime.cqrs_table.aggregate import Aggregate
from serverless_patterns_runtime.cqrs_table.settings import Image
from serverless_patterns_runtime.cqrs_views.records import Change
from serverless_patterns_runtime.cqrs_views.sink import RowChange, RowKey
from serverless_patterns_runtime.cqrs_views.views import Amounts, Row, View
from serverless_patterns_runtime.errors import UncommittableEffects

__all__ = ["Contribution", "Read", "Said", "contribution", "said", "said_of"]

Read = Callable[[Image], Aggregate]
"""Raises UnknownSchema, and what `upcast` raises."""


class Said(NamedTuple):
    changes: list[RowChange]
    refused: Exception | None
    """Why this is not all there is to say."""


class Contribution(NamedTuple):
    """Of one aggregate to totals."""

    source: str
    version: int
    before: Amounts | None
    """None: not known."""
    after: Amounts


def said(
    view: View, change: Change, read: Read, current: Image | None, *, checked: bool, forgotten: bool = False
) -> Said:
    """Of rows. `current`: the aggregate as it is now, if it is `checked` whether the change still says it.
    `forgotten`: it is checked, and nothing of its images is there, as the generation began after it.

    A change that is not checked says what is different. A checked one says all that is so now: the rows that are there,
    and which of those that it knows of are not.
    """
    assert change.version is not None
    old, new = change.images()
    before, old_fault = _tried(view, old, read)
    after, new_fault = _tried(view, new, read)
    known = {**(before or {}), **(after or {})}
    if not checked:
        if after is None:
            return Said([], new_fault)
        changed = [
            RowChange(key, change.version, change.key, row) for key, row in after.items() if _new(key, row, before)
        ]
        gone = known.keys() - after.keys()
        return Said([*changed, *_gone(gone, change.version, change.key)], old_fault)
    now, fault = _tried(view, current, read)
    if fault is not None:
        return Said([], fault)
    there = None if current is None else read(current)
    if there is not None and there.version is not None:
        rows = [*said_of(there, now or {}), *_gone(known.keys() - (now or {}).keys(), there.version, change.key)]
        if forgotten:
            return Said(rows, None)
        # What its new image said is for the change to take away that came after it, and has it as its old one.
        return Said(rows, old_fault or (None if there.version > change.version else new_fault))
    # What its new image said is for what removed it to take away.
    fault = None if forgotten else old_fault
    if change.behind_our_back:
        # Nobody says what it took away, and nothing of the aggregate is left: what comes again is of a later time.
        return Said(_gone(known.keys(), change.highest + 1, change.key), fault)
    return Said(_gone(_taken_away(before, after), change.version, change.key), fault)


def said_of(aggregate: Aggregate, rows: Mapping[RowKey, Row]) -> list[RowChange]:
    """All rows of an aggregate, as they are now."""
    assert aggregate.version is not None
    return [RowChange(key, aggregate.version, aggregate.key, row) for key, row in rows.items()]


def contribution(
    view: View, change: Change, read: Read, current: Image | None, *, checked: bool
) -> Contribution | None:
    """None: there is nothing to say. Raises what the function raises for the state that counts."""
    assert change.version is not None
    old, new = change.images()
    if not checked:
        after = view.amounts(None if new is None else read(new))
        try:
            before = view.amounts(None if old is None else read(old))
        except Exception:
            before = None  # the contribution that is kept says it
        return None if before == after else Contribution(change.key, change.version, before, after)
    there = None if current is None else read(current)
    if there is not None and there.version is not None:
        return Contribution(change.key, there.version, None, view.amounts(there))
    if change.behind_our_back:
        return Contribution(change.key, change.highest + 1, None, {})
    # What removed it may have nothing to say: if this one took away all that is counted, it alone does.
    return Contribution(change.key, change.version, None, {})


def _tried(view: View, image: Image | None, read: Read) -> tuple[dict[RowKey, Row] | None, Exception | None]:
    try:
        return view.rows(None if image is None else read(image)), None
    except Exception as error:
        return None, error


def _taken_away(before: Mapping[RowKey, Row] | None, after: Mapping[RowKey, Row] | None) -> set[RowKey]:
    """All that was there where it is refused what is there now: of an aggregate that is gone."""
    return set() if before is None else before.keys() - (after or {}).keys()


def _new(key: RowKey, row: Row, before: Mapping[RowKey, Row] | None) -> bool:
    if before is None or key not in before:
        return True
    try:
        return serialize_item(before[key]) != serialize_item(row)
    except UncommittableEffects:
        return True  # the sink says why


def _gone(keys: Iterable[RowKey], version: int, source: str) -> list[RowChange]:
    return [RowChange(key, version, source, None) for key in sorted(keys, key=repr)]
