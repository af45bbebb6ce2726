"""A row as its item has it."""

from collections.abc import Mapping
from typing import Any, cast

from serverless_patterns_runtime.attribute_values import AttributeValue, deserialize_item, serialize, serialize_item
from serverless_patterns_runtime.cqrs_table.aggregate import plain
from serverless_patterns_runtime.cqrs_views import contract
from serverless_patterns_runtime.cqrs_views.sink import RowChange, RowKey, StoredRow, Unstorable
from serverless_patterns_runtime.errors import UncommittableEffects
from serverless_patterns_runtime.limits import check_item

__all__ = ["OURS", "item_key", "item_of", "prefix_of", "row_of"]

NO_SORT = "-"

OURS = frozenset({contract.ROW_PARTITION, contract.ROW_SORT, contract.ROW_ABOUT, contract.TIME_TO_LIVE})
"""Names that a row may not use."""

Item = dict[str, AttributeValue]


def prefix_of(generation: int) -> str:
    return f"{generation}#"


def item_key(generation: int, key: RowKey) -> Item:
    sort: AttributeValue = {"S": NO_SORT} if key.sort is None else serialize(key.sort)
    return {contract.ROW_PARTITION: {"S": prefix_of(generation) + key.partition}, contract.ROW_SORT: sort}


def item_of(generation: int, change: RowChange, expires_at: int, mark: str) -> Item:
    """`expires_at` and `mark` are a tombstone's. Raises Unstorable."""
    about: Item = {contract.ROW_VERSION: {"N": str(change.version)}, contract.ROW_SOURCE: {"S": change.source}}
    try:
        key = item_key(generation, change.key)
        if change.row is None:
            gone: Item = {contract.ROW_DELETED: {"BOOL": True}, contract.ROW_MARK: {"S": mark}}
            return {**key, contract.ROW_ABOUT: {"M": about | gone}, contract.TIME_TO_LIVE: {"N": str(expires_at)}}
        row = serialize_item(change.row)
        if taken := OURS & row.keys():
            raise Unstorable(f"a row may not have the names {', '.join(sorted(taken))}: they are the view's own")
        item: Item = {**row, **key, contract.ROW_ABOUT: {"M": about}}
        check_item(item, "a row")
    except UncommittableEffects as error:
        raise Unstorable(error.message) from error
    return item


def row_of(item: Mapping[str, AttributeValue], *, has_sort: bool) -> StoredRow:
    row = cast("dict[str, Any]", plain(deserialize_item(item)))
    sort, about = row.pop(contract.ROW_SORT), row.pop(contract.ROW_ABOUT)
    partition = row.pop(contract.ROW_PARTITION).partition("#")[2]
    gone = bool(about.get(contract.ROW_DELETED))
    return StoredRow(
        key=RowKey(partition, sort if has_sort else None),
        version=about[contract.ROW_VERSION],
        source=about[contract.ROW_SOURCE],
        row=None if gone else row,
        mark=about.get(contract.ROW_MARK, ""),
    )
