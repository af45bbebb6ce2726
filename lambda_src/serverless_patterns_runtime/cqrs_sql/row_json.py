"""Rows as the JSON that goes into SQL, and back."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, cast

from serverless_patterns_runtime.cqrs_sql.contract import NO_SORT
from serverless_patterns_runtime.cqrs_sql.statement import Scalar
from serverless_patterns_runtime.cqrs_table.aggregate import plain
from serverless_patterns_runtime.cqrs_views.row_json import as_json, checked
from serverless_patterns_runtime.cqrs_views.sink import RowChange, RowKey, StoredRow

__all__ = ["change_json", "key_json", "key_of", "sort_text", "stored_row"]


def change_json(change: RowChange, mark: str, expires_at: int | None) -> str:
    """Without its opening brace: a number comes before. Raises Unstorable."""
    row = None if change.row is None else checked(change.row)
    about = {"source": change.source, "version": change.version, "mark": mark, "expires_at": expires_at}
    return as_json({**_key(change.key), **about, "row": row}).removeprefix("{")


def key_json(number: int, key: RowKey) -> str:
    return as_json({"n": number, **_key(key)})


def sort_text(key: RowKey) -> str:
    return NO_SORT if key.sort is None else str(key.sort)


def key_of(partition: str, sort: str, kind: str | None) -> RowKey:
    """`kind`: the sort key's, `S` or `N`; None: there is none."""
    return RowKey(partition, None if kind is None else plain(Decimal(sort)) if kind == "N" else sort)


def stored_row(columns: Sequence[Scalar], kind: str | None) -> StoredRow:
    """Of `pk`, `sk` as text, `source`, `version`, `mark`, `row` as text."""
    partition, sort, source, version, mark, row = columns
    content = None if row is None else json.loads(str(row), parse_float=Decimal)
    return StoredRow(
        key=key_of(str(partition), str(sort), kind),
        version=int(cast("int", version)),
        source=str(source),
        row=plain(content),
        mark=str(mark),
    )


def _key(key: RowKey) -> dict[str, Any]:
    return {"pk": key.partition, "sk": NO_SORT if key.sort is None else key.sort}
