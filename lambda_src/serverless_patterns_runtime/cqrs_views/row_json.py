"""Rows as JSON, for stores that keep them so."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

from serverless_patterns_runtime.attribute_values import deserialize_item, serialize_item
from serverless_patterns_runtime.cqrs_views.sink import Unstorable
from serverless_patterns_runtime.errors import UncommittableEffects
from serverless_patterns_runtime.limits import check_item

__all__ = ["as_json", "checked"]


def checked(row: Mapping[str, Any]) -> Any:
    """What the same row would be in DynamoDB: so that a view may move. Raises Unstorable."""
    try:
        item = serialize_item(row)
        check_item(item, "a row")
    except UncommittableEffects as error:
        raise Unstorable(error.message) from error
    return deserialize_item(item)


def as_json(value: Any) -> str:
    """As `jsonb` writes it: `json.dumps` knows no Decimal. Raises Unstorable."""
    match value:
        case None | bool() | str():
            return json.dumps(value, ensure_ascii=False)
        case int() | Decimal():
            return str(value)
        case dict():
            members = cast("dict[str, Any]", value).items()
            return "{" + ", ".join(f"{as_json(name)}: {as_json(member)}" for name, member in members) + "}"
        case list():
            return "[" + ", ".join(as_json(member) for member in cast("list[Any]", value)) + "]"
        case _:
            raise Unstorable(f"a row that is kept as JSON holds no {type(value).__name__}")
