"""Python values as DynamoDB attribute values.

Boto3's serializer refuses floats and costs an import of boto3 at every cold start; this one is for what JSON gives.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from serverless_patterns_runtime.errors import UncommittableEffects

__all__ = ["AttributeValue", "deserialize", "deserialize_item", "serialize", "serialize_item", "size_of"]

AttributeValue = dict[str, Any]

MAX_DIGITS = 38
"""Significant digits that DynamoDB keeps of a number."""

SMALLEST_EXPONENT, LARGEST_EXPONENT = -130, 125
"""Powers of ten between which DynamoDB keeps numbers."""


def serialize_item(item: Mapping[str, Any]) -> dict[str, AttributeValue]:
    return {_name(name): serialize(value) for name, value in item.items()}


def serialize(value: Any) -> AttributeValue:
    """Raises UncommittableEffects for what DynamoDB has no type for."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": _text(value)}
        case int() | float() | Decimal():
            return {"N": _number(value)}
        case bytes() | bytearray():
            return {"B": bytes(value)}
        case set() | frozenset():
            return _set(value)  # pyright: ignore[reportUnknownArgumentType]
        case list() | tuple():
            return {"L": [serialize(member) for member in value]}  # pyright: ignore[reportUnknownVariableType]
        case Mapping():
            return {"M": serialize_item(value)}  # pyright: ignore[reportUnknownArgumentType]
        case _:
            raise UncommittableEffects(f"DynamoDB has no type for a {type(value).__name__}")


def deserialize_item(item: Mapping[str, AttributeValue]) -> dict[str, Any]:
    return {name: deserialize(value) for name, value in item.items()}


def deserialize(value: AttributeValue) -> Any:
    """Every number is a Decimal: nothing in the table says which ones were written as floats or integers."""
    ((kind, content),) = value.items()
    match kind:
        case "NULL":
            return None
        case "N":
            return Decimal(content)
        case "NS":
            return set(map(Decimal, content))
        case "SS" | "BS":
            return set(content)
        case "L":
            return [deserialize(member) for member in content]
        case "M":
            return deserialize_item(content)
        case _:
            return content


def size_of(value: AttributeValue) -> int:
    """Bytes that DynamoDB counts, to within a few percent: enough to refuse what is far too large in clear words."""
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return _number_size(content)
        case "B":
            return len(content)
        case "L":
            return 3 + sum(1 + size_of(member) for member in content)
        case "M":
            return 3 + sum(1 + len(name.encode()) + size_of(member) for name, member in content.items())
        case "NS":
            return sum(map(_number_size, content))
        case "SS" | "BS":
            return sum(len(member.encode() if isinstance(member, str) else member) for member in content)
        case _:
            return 1


def _number_size(number: str) -> int:
    """A byte for every two significant digits, and one more."""
    digits = number.partition("E")[0].replace("-", "").replace(".", "").strip("0")
    return (len(digits) + 1) // 2 + 1


def _number(value: int | float | Decimal) -> str:
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        raise UncommittableEffects(f"DynamoDB has no number for {value}")
    digits = len("".join(map(str, number.as_tuple().digits)).strip("0"))
    if digits > MAX_DIGITS:
        raise UncommittableEffects(f"DynamoDB keeps {MAX_DIGITS} significant digits, a number has {digits}")
    if not number:
        return "0"
    if not SMALLEST_EXPONENT <= number.adjusted() <= LARGEST_EXPONENT:
        order = f"1E{number.adjusted():+}"
        raise UncommittableEffects(f"DynamoDB keeps numbers from 1E-130 to below 1E+126, got one of the order {order}")
    return str(number)


def _text(text: str) -> str:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise UncommittableEffects("text for DynamoDB must be valid Unicode, got a lone surrogate") from None
    return text


def _name(name: object) -> str:
    if not isinstance(name, str):
        raise UncommittableEffects(f"a map in DynamoDB has text for keys, got a key of type {type(name).__name__}")
    return _text(name)


def _set(members: set[Any] | frozenset[Any]) -> AttributeValue:
    values = [serialize(member) for member in members]
    kinds = {kind for value in values for kind in value}
    if len(kinds) != 1 or not kinds <= {"S", "N", "B"}:
        raise UncommittableEffects("a DynamoDB set is not empty and holds strings only, numbers only or bytes only")
    (kind,) = kinds
    return {kind + "S": sorted({value[kind] for value in values})}
