"""Payloads: strict JSON in, and a digest that tells two payloads apart."""

import hashlib
import json
import re
from typing import Any, NoReturn

from serverless_patterns_runtime.errors import MalformedPayload

__all__ = ["canonical", "digest", "parse"]

MAX_DEPTH = 64
"""Levels of nesting; deeper is an attack or a mistake."""


def parse(text: str) -> Any:
    """The JSON value in `text`.

    Raises MalformedPayload for what lenient parsers let pass and two readers then read differently: duplicate keys,
    NaN and infinities, numbers beyond a double, lone surrogates, nesting deeper than 64.
    """
    try:
        may_be_long = len(text) > 308 and _LONG_NUMBER.search(text)
        value = (_LONG_NUMBERS_DECODER if may_be_long else _DECODER).decode(text)
        if text.count("[") + text.count("{") > MAX_DEPTH:
            _check_depth(value, MAX_DEPTH)
    except MalformedPayload:
        raise
    except RecursionError:
        raise MalformedPayload(f"the JSON is nested deeper than {MAX_DEPTH}") from None
    except ValueError as error:
        # The position helps; the text around it would put the payload into logs and dead-letter reasons.
        position = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise MalformedPayload(f"not valid JSON{position}") from None
    return value


def digest(payload: Any) -> str:
    """SHA-256 of the canonical form: key order and white space do not count.

    Raises MalformedPayload for text that is not valid Unicode.
    """
    try:
        return hashlib.sha256(canonical(payload).encode()).hexdigest()
    except UnicodeEncodeError:
        raise MalformedPayload("the JSON holds a lone surrogate, which is not text") from None


def canonical(payload: Any) -> str:
    """One text for a payload, whatever the order of its keys. It may hold half a surrogate pair, which is no text."""
    return json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise MalformedPayload("the JSON holds a duplicate key")
    return result


def _constant(name: str) -> NoReturn:
    raise MalformedPayload(f"the JSON holds {name}, which is not a number")


def _float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise MalformedPayload("the JSON holds a number beyond the range of a double")
    return value


def _int(text: str) -> int:
    _float(text)
    return int(text)


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)

# Any 308 digits are within the range of a double. The look back makes the search linear.
_LONG_NUMBER = re.compile(r"(?<![0-9])[0-9]{309}")
_LONG_NUMBERS_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_float=_float, parse_int=_int
)


def _check_depth(value: Any, levels: int) -> None:
    if not isinstance(value, dict | list):
        return
    if levels == 0:
        raise MalformedPayload(f"the JSON is nested deeper than {MAX_DEPTH}")
    children: Any = value.values() if isinstance(value, dict) else value  # pyright: ignore[reportUnknownVariableType]
    for child in children:
        _check_depth(child, levels - 1)
