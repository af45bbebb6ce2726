"""How large a transaction, an item and an attribute may be in DynamoDB."""

from collections.abc import Iterable, Mapping
from typing import Any

from serverless_patterns_runtime.attribute_values import AttributeValue, size_of
from serverless_patterns_runtime.errors import UncommittableEffects

__all__ = ["check_item", "check_levels", "check_requests", "check_together", "item_size"]

MAX_TOGETHER = 4 * 1024 * 1024
MAX_ITEM = 400 * 1024
MAX_PARTITION_KEY = 2_000
"""Bytes of a key of ours before its prefix; DynamoDB has 2,048."""

MAX_SORT_KEY = 1_024

MAX_LEVELS = 32
"""Of an attribute's value: 31 maps or lists around a number."""


def item_size(item: Mapping[str, AttributeValue]) -> int:
    """Bytes, to within a few percent where there are numbers."""
    return sum(len(name.encode()) + size_of(value) for name, value in item.items())


def check_requests(requests: Iterable[Mapping[str, Mapping[str, Any]]]) -> None:
    """Raises UncommittableEffects for more than a transaction takes, as far as its requests tell."""
    check_together(sum(item_size(values) for values in _values(requests)))


def check_together(size: int) -> None:
    if size > MAX_TOGETHER:
        raise UncommittableEffects(f"effects hold at most 4 MB (DynamoDB's limit), got about {size:,} bytes")


def check_item(item: Mapping[str, AttributeValue], where: str) -> None:
    """Raises UncommittableEffects for what a write would leave: too large, or too deep."""
    # A character is at most four bytes: most items need no exact look.
    if 4 * (_characters(item) + sum(map(len, item))) > MAX_ITEM and (size := item_size(item)) > MAX_ITEM:
        raise UncommittableEffects(f"{where} holds at most 400 KB (DynamoDB's limit), got about {size:,} bytes")


def check_levels(requests: Iterable[Mapping[str, Mapping[str, Any]]]) -> None:
    """Raises UncommittableEffects for a value too deep, wherever it stands: in a condition too."""
    for values in _values(requests):
        _characters(values)


def _characters(values: Mapping[str, AttributeValue]) -> int:
    """How many there are at most, with one for whatever takes room besides: in one walk, level by level.

    Raises UncommittableEffects for a value too deep.
    """
    found, members = 0, list(values.values())
    for _ in range(MAX_LEVELS):
        found += len(members)
        inner: list[AttributeValue] = []
        for member in members:
            ((kind, content),) = member.items()
            if kind in ("S", "N", "B"):
                found += len(content)
            elif kind == "M":
                found += sum(map(len, content)) + 1
                inner += content.values()
            elif kind == "L":
                found += 1
                inner += content
            elif kind in ("SS", "NS", "BS"):
                found += sum(map(len, content)) + len(content)
        if not inner:
            return found
        members = inner
    raise UncommittableEffects(f"values are nested at most {MAX_LEVELS} levels deep (DynamoDB's limit)")


def _values(requests: Iterable[Mapping[str, Mapping[str, Any]]]) -> Iterable[Mapping[str, AttributeValue]]:
    parts = ("Item", "Key", "ExpressionAttributeValues")
    return (arguments.get(part, {}) for request in requests for arguments in request.values() for part in parts)
