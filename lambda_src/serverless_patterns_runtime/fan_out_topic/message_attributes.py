"""Message attributes as Python values, as SNS's `Publish` takes them and as an event of a queue has them."""

import json
import math
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from serverless_patterns_runtime.fan_out_topic.contract import MAX_ATTRIBUTES

__all__ = ["Attribute", "check", "from_record", "from_sns", "is_name", "number", "to_record", "to_sns"]

Attribute = str | int | float | Decimal | bytes | list[Any]
"""String, Number (three ways), Binary, or String.Array: a list of strings, numbers, booleans and None."""

_NAME = re.compile(r"(?!(?i:aws\.|amazon\.))(?!\.)(?!.*\.\.)[A-Za-z0-9_.-]{1,256}(?<!\.)", re.ASCII)
_ARRAYS = ("String.Array", "Number.Array")  # the second is not in SNS's list of types, but in its examples
_DIGITS = 38  # of a Number (SQS quota), the same for SNS with raw delivery


def is_name(text: str) -> bool:
    """Whether SNS takes it for the name of an attribute."""
    return _NAME.fullmatch(text) is not None


def check(attributes: Mapping[str, Any]) -> None:
    """Raise ValueError for what SNS, or a queue behind it, would refuse."""
    if len(attributes) > MAX_ATTRIBUTES:
        raise ValueError(
            f"a message has at most {MAX_ATTRIBUTES} attributes, got {len(attributes)}: with raw delivery SNS discards"
            " a message with more; put what no filter looks at into the body"
        )
    for name, value in attributes.items():
        if not isinstance(name, str) or not is_name(name):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValueError(
                f"attribute {name!r} must have a name of 1 to 256 of A-Z, a-z, 0-9, _, - and ., with no dot at an end,"
                " no two dots in a row, and neither AWS. nor Amazon. at the front"
            )
        _check_value(name, value)


def _check_value(name: str, value: object) -> None:
    if isinstance(value, bool):
        raise ValueError(f"attribute {name!r} is {value!r}: SNS has no such type, write 'true' or [True]")
    if isinstance(value, str | bytes):
        if not value:
            raise ValueError(f"attribute {name!r} is empty, which SNS refuses: leave it out")
    elif isinstance(value, int | float | Decimal):
        _check_number(name, value)
    elif isinstance(value, list):
        for element in value:  # pyright: ignore[reportUnknownVariableType]
            if not _is_scalar(element):  # pyright: ignore[reportUnknownArgumentType]
                raise ValueError(
                    f"attribute {name!r} has {element!r}: a list holds strings, numbers, booleans and None"
                )
    else:
        raise ValueError(
            f"attribute {name!r} must be a str, a number, bytes or a list, got {type(value).__name__}: {value!r}"
        )


def _is_scalar(element: object) -> bool:
    if isinstance(element, float | Decimal):
        return math.isfinite(element)
    return element is None or isinstance(element, str | int)


def _check_number(name: str, value: int | float | Decimal) -> None:
    exact = value if isinstance(value, int) else Decimal(str(value))
    if isinstance(exact, Decimal) and not exact.is_finite():
        raise ValueError(f"attribute {name!r} is {value}: SNS has numbers only")
    digits = len(str(abs(exact))) if isinstance(exact, int) else len(exact.as_tuple().digits)
    if digits > _DIGITS:
        raise ValueError(f"attribute {name!r} has {digits} digits, a Number has at most {_DIGITS}: write a str")


def to_sns(attributes: Mapping[str, Attribute]) -> dict[str, dict[str, Any]]:
    """As `Publish` and `SendMessage` take them."""
    return {name: _to_sns(value) for name, value in attributes.items()}


def _to_sns(value: Attribute) -> dict[str, Any]:
    if isinstance(value, bytes):
        return {"DataType": "Binary", "BinaryValue": value}
    if isinstance(value, str):
        return {"DataType": "String", "StringValue": value}
    if isinstance(value, list):
        return {"DataType": "String.Array", "StringValue": json.dumps([_element(element) for element in value])}
    return {"DataType": "Number", "StringValue": str(value)}


def _element(element: Any) -> Any:
    return float(element) if isinstance(element, Decimal) else element


def from_sns(attributes: Mapping[str, Mapping[str, Any]]) -> dict[str, Attribute]:
    """Back again; what has a type that no filter compares is left out."""
    return _values(
        (name, each.get("DataType"), each.get("StringValue"), each.get("BinaryValue"))
        for name, each in attributes.items()
    )


def to_record(attributes: Mapping[str, Attribute]) -> dict[str, dict[str, Any]]:
    """As a record of a queue's event has them after raw delivery."""
    return {name: _to_record(attribute) for name, attribute in to_sns(attributes).items()}


def _to_record(attribute: Mapping[str, Any]) -> dict[str, Any]:
    data_type = attribute["DataType"]
    lists: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": data_type}
    if data_type == "Binary":
        return {"binaryValue": b64encode(attribute["BinaryValue"]).decode(), **lists}
    return {"stringValue": attribute["StringValue"], **lists}


def from_record(attributes: Mapping[str, Mapping[str, Any]]) -> dict[str, Attribute]:
    """Back again; what has a type that no filter compares is left out."""
    return _values(
        (name, each.get("dataType"), each.get("stringValue"), b64decode(each.get("binaryValue") or ""))
        for name, each in attributes.items()
    )


def _values(attributes: Iterable[tuple[str, str | None, str | None, bytes | None]]) -> dict[str, Attribute]:
    found = {name: binary if kind == "Binary" else _value(kind, text or "") for name, kind, text, binary in attributes}
    return {name: value for name, value in found.items() if value is not None}


def _value(data_type: str | None, text: str) -> str | int | Decimal | list[Any] | None:
    if data_type == "String":
        return text
    if data_type == "Number":
        return number(text)
    return _list(text) if data_type in _ARRAYS else None


def number(text: str) -> int | Decimal | None:
    """A Number attribute's text as the number that it is."""
    try:
        exact = Decimal(text)
    except InvalidOperation:
        return None
    if not exact.is_finite():
        return None
    return int(text) if re.fullmatch(r"-?\d{1,100}", text, re.ASCII) else exact


def _list(text: str) -> list[Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) else None  # pyright: ignore[reportUnknownVariableType]
