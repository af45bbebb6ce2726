"""How filters compare numbers: from -10^9 to 10^9, with five digits after the point."""

from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import Any

__all__ = ["LARGEST", "in_range", "is_number", "same_number"]

LARGEST = 1_000_000_000
_ACCURACY = Decimal("0.00001")


def is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def same_number(one: object, other: object) -> bool:
    """Whether both are numbers, and the same as far as SNS looks."""
    left, right = _seen(one), _seen(other)
    return left is not None and left == right


def in_range(terms: Sequence[Any], value: object) -> bool:
    """Whether the value is a number that fulfils `[">", 0, "<=", 150]`."""
    number = _seen(value)
    return number is not None and all(
        _holds(operator, number, limit)
        for operator, limit in zip(terms[::2], map(_seen, terms[1::2]), strict=True)
        if limit is not None
    )


def _seen(value: object) -> Decimal | None:
    """What SNS sees of a number; None for what is none, or too large for it."""
    if not isinstance(value, int | float | Decimal) or isinstance(value, bool):
        return None
    if not -LARGEST <= value <= LARGEST:  # not a number is in no range
        return None
    return Decimal(str(value)).quantize(_ACCURACY, ROUND_FLOOR)


def _holds(operator: str, number: Decimal, limit: Decimal) -> bool:
    match operator:
        case "=":
            return number == limit
        case "<":
            return number < limit
        case "<=":
            return number <= limit
        case ">":
            return number > limit
        case _:
            return number >= limit
