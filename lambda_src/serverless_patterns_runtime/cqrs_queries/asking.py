"""What a query may ask for, as a caller or a function says it; what no row can have is refused in words."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from serverless_patterns_runtime.attribute_values import serialize
from serverless_patterns_runtime.cqrs_queries.contract import MAX_LIMIT
from serverless_patterns_runtime.cqrs_queries.reading import SortRange
from serverless_patterns_runtime.cqrs_queries.tokens import SortValue
from serverless_patterns_runtime.errors import PermanentError, UncommittableEffects
from serverless_patterns_runtime.limits import MAX_PARTITION_KEY, MAX_SORT_KEY

__all__ = [
    "FROM",
    "PREFIX",
    "TO",
    "SortKind",
    "UnusableQuery",
    "limit_of",
    "number",
    "partition_of",
    "sort_range",
    "sort_value",
]

FROM, TO, PREFIX = "from", "to", "prefix"

SortKind = Literal["S", "N", ""]
"""Of a view's sort keys; empty: it has none."""

_MOST_CHARACTERS = 60
"""Of a number."""


class UnusableQuery(PermanentError):
    def __init__(self, message: str) -> None:  # pyright: ignore[reportInconsistentConstructor]
        super().__init__(message, status=400)


def limit_of(given: Any) -> int:
    """Raises UnusableQuery."""
    if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= MAX_LIMIT:
        raise UnusableQuery(f"limit is a whole number from 1 to {MAX_LIMIT:,}")
    return given


def partition_of(given: Any) -> str | None:
    """As keys have it. None: no row has it. Raises UnusableQuery."""
    if isinstance(given, bool) or not isinstance(given, str | int | Decimal):
        raise UnusableQuery(f"a partition is text or a whole number, got {type(given).__name__}")
    text = given if isinstance(given, str) else str(int(given))
    if not isinstance(given, str) and int(given) != given:
        return None
    return text if 1 <= _bytes(text) <= MAX_PARTITION_KEY else None


def sort_range(given: Any, kind: SortKind) -> SortRange:
    """`{"from": ..., "to": ...}`, `{"prefix": ...}`, or one sort key. Raises UnusableQuery."""
    if given is None:
        return SortRange()
    if not kind:
        raise UnusableQuery(f"the view has no sort key: leave out {FROM!r}, {TO!r} and {PREFIX!r}")
    if not isinstance(given, Mapping):
        one = sort_value(given, "a sort key", kind)
        return SortRange(one, one)
    said: dict[Any, Any] = {name: value for name, value in given.items() if value is not None}  # pyright: ignore[reportUnknownVariableType]
    if others := said.keys() - {FROM, TO, PREFIX}:
        raise UnusableQuery(f"a sort range has {FROM!r}, {TO!r} or {PREFIX!r}, got {len(others)} other names")
    if PREFIX in said:
        if len(said) > 1:
            raise UnusableQuery(f"{PREFIX!r} stands alone: leave out {FROM!r} and {TO!r}")
        if kind == "N" or not isinstance(said[PREFIX], str):
            raise UnusableQuery(f"{PREFIX!r} is text: numbers have {FROM!r} and {TO!r}")
        return SortRange(prefix=str(sort_value(said[PREFIX], PREFIX, kind)))
    ends = {name: sort_value(value, name, kind) for name, value in said.items()}
    return SortRange(ends.get(FROM), ends.get(TO))


def sort_value(given: Any, what: str, kind: SortKind) -> SortValue:
    """Raises UnusableQuery for what no sort key is."""
    if isinstance(given, str) and kind == "S":
        if 1 <= _bytes(given) <= MAX_SORT_KEY:
            return given
        raise UnusableQuery(f"{what} is text of 1 to {MAX_SORT_KEY:,} bytes")
    if isinstance(given, int | Decimal) and not isinstance(given, bool) and kind == "N":
        try:
            serialize(given)
        except UncommittableEffects:
            raise UnusableQuery(f"{what} is a number that DynamoDB can hold, of 38 digits") from None
        return given
    wanted = "a number" if kind == "N" else "text"
    raise UnusableQuery(f"{what} is {wanted}, as the view's sort keys are, got {type(given).__name__}")


def number(text: str, what: str) -> Decimal:
    """As a query string has it. Raises UnusableQuery."""
    try:
        if len(text) > _MOST_CHARACTERS or "_" in text or text != text.strip():
            raise InvalidOperation
        value = Decimal(text)
        serialize(value)
    except (InvalidOperation, UncommittableEffects):
        raise UnusableQuery(f"{what} is a number, as the view's sort keys are") from None
    return value


def _bytes(text: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError:  # half a surrogate pair, which nothing is stored with
        return 0
