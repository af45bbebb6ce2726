"""What DynamoDB has and JSON has not, as an answer shows it."""

from base64 import b64encode
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

__all__ = ["as_json"]


def as_json(value: Any) -> Any:
    """Bytes as base64, sets as sorted lists, and as text a number with more digits than a double keeps."""
    match value:
        case bytes():
            return b64encode(value).decode()
        case Mapping():
            return {name: as_json(member) for name, member in cast("Mapping[str, Any]", value).items()}
        case list():
            return [as_json(member) for member in cast("list[Any]", value)]
        case set():
            return [as_json(member) for member in sorted(cast("set[Any]", value))]
        case Decimal():
            return value if abs(value.adjusted()) <= 300 and Decimal(str(float(value))) == value else str(value)
        case _:
            return value
