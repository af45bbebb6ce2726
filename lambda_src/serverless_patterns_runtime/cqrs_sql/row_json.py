"""Rows as the JSON that goes into SQL, and back."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, cast

from serverless_patterns_runtime.attribute_values import deserialize_item, serialize_item
from serverless_patterns_runtime.cqrs_sql.contract import NO_SORT
from serverless_patterns_runtime.cqrs_sql.statement import Scalar
from serverless_patterns_runtime.cqrs_table.aggregate import plain
from serverless_patterns_runtime.cqrs_views.sink import RowChange, RowKey, StoredRow, Unstorable
from serverless_patterns_runtime.errors import UncommittableEffects
from serverless_patterns_runtime.limits import check_item

__all__ = ["change_json", "key_json", "key_of", "sort_text", "stored_row"]


def change_json(change: RowChange, mark: str, expires_at: int | None) -> str:
    """Without its opening brace: a number comes before. Raises Unstorable."""
    row = None if change.row is None else _checked(change.row)
    about = {"source": change.source, "version": change.version, "mark": mark, "expires_at": expires_at}
    return _json({**_key(change.key), **about, "row": row}).removeprefix("{")


def key_json(number: int, key: RowKey) -> str:
    return _json({"n": number, **_key(key)})


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


def _checked(row: Mapping[str, Any]) -> Any:
    """What the same row would be in DynamoDB: so that a view may move."""
    try:
        item = serialize_item(row)
        check_item(item, "a row")
    except UncommittableEffects as error:
        raise Unstorable(error.message) from error
    return deserialize_item(item)


def _json(value: Any) -> str:
    """As `jsonb` writes it: `json.dumps` knows no Decimal. Raises Unstorable."""
    match value:
        case None | bool() | str():
            return json.dumps(value, ensure_ascii=False)
        case int() | Decimal():
            return str(value)
        case dict():
            members = cast("dict[str, Any]", value).items()
            return "{" + ", ".join(f"{_json(name)}: {_json(member)}" for name, member in members) + "}"
        case list():
            return "[" + ", ".join(_json(member) for member in cast("list[Any]", value)) + "]"
        case _:
            raise Unstorable(f"a row in SQL is JSON: it holds no {type(value).__name__}")
