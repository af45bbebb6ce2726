"""What a business function has returned: as JSON, and whether it was this time."""

import json
from typing import Any, Generic, NamedTuple, TypeVar

from serverless_patterns_runtime.business_function.business_function import UnusableResult

__all__ = ["Executed", "encode", "json_of", "text"]

A = TypeVar("A")


class Executed(NamedTuple, Generic[A]):
    answer: A
    replayed: bool
    """Whether an earlier attempt with the same key was answered so, and nothing was done this time."""


def json_of(value: Any) -> str:
    """Raises UnusableResult, which quotes nothing of it, for what JSON cannot say."""
    try:
        return text(encode(value))
    except RecursionError:
        reason = "it is nested too deeply"
    except (TypeError, ValueError) as error:  # NaN, a number that is too long, a type without JSON: none quotes a value
        reason = str(error)
    raise UnusableResult(f"the result has no JSON: {reason}")


def text(text: str) -> str:
    """Raises UnusableResult for what is no Unicode."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UnusableResult("the result holds half of a surrogate pair, which is not text") from None
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
