"""JSON as an answer holds it; and of what has no JSON, where in the result it is and what to answer instead."""

import json
from typing import Any, cast

from serverless_patterns_runtime.business_function.business_function import UnusableResult

__all__ = ["checked_text", "encode", "json_text"]

_MOST_CHARACTERS = 40
"""Of a name in a path."""

_FIXES = {
    "bytes": "answer text, or the bytes alone as the body of a Response",
    "date": "answer text, as isoformat() gives it",
    "datetime": "answer text, as isoformat() gives it",
    "frozenset": "answer a list",
    "set": "answer a list",
    "time": "answer text, as isoformat() gives it",
    "UUID": "answer text, as str() gives it",
}
"""By the type's name."""


def json_text(value: Any, what: str = "the result") -> str:
    """Raises UnusableResult: quotes no value, and of names only what looks like a field's."""
    try:
        return checked_text(encode(value), what)
    except RecursionError:
        raise UnusableResult(f"{what} has no JSON: it is nested too deeply") from None
    except (TypeError, ValueError) as error:  # NaN, a number that is too long, a type without JSON: none quotes a value
        reason = str(error)
    place, culprit = _found(value)
    where = f", at {place}" if place else ""
    fix = _FIXES.get(type(culprit).__name__, "answer text, numbers, lists and dicts with text for keys")
    raise UnusableResult(f"{what} has no JSON: {reason}{where}: {fix}")


def checked_text(text: str, what: str = "the result") -> str:
    """Raises UnusableResult for text that UTF-8 cannot say."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UnusableResult(f"{what} holds half of a surrogate pair, which is not text") from None
    return text


def _number(value: Any) -> int | float:
    """Decimals, which is how DynamoDB's numbers are read, as long as a double says the same."""
    from decimal import Decimal

    if isinstance(value, Decimal) and value.is_finite() and abs(value.adjusted()) <= 300:
        number = int(value) if value == value.to_integral_value() else float(value)
        if Decimal(str(number)) == value:
            return number
        raise ValueError("a Decimal has more digits than a JSON number keeps: answer it as text")
    raise TypeError(f"a value of type {type(value).__name__}")


# Made once: with these options `json.dumps` would make one for every answer.
encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_number).encode


def _found(value: Any) -> tuple[str, Any]:
    """The path of the innermost value without JSON, as `/lines/0/when`, and the value. A circle has no such value."""
    path = ""
    seen: set[int] = set()
    while id(value) not in seen:
        seen.add(id(value))
        for step, child in _children(value):
            if _has_none(child):
                path, value = f"{path}/{step}", child
                break
        else:
            return path, value
    return "", None


def _children(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [(_shown(name), child) for name, child in cast("dict[Any, Any]", value).items()]
    items = cast("list[Any]", value) if isinstance(value, list | tuple) else []
    return [(str(index), child) for index, child in enumerate(items)]


def _has_none(value: Any) -> bool:
    try:
        encode(value)
    except (TypeError, ValueError, RecursionError):
        return True
    return False


def _shown(name: Any) -> str:
    """What does not look like the name of a field may be data."""
    return name if isinstance(name, str) and name.isidentifier() and len(name) <= _MOST_CHARACTERS else "*"
