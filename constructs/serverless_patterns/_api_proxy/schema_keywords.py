"""The keywords of JSON schema that API Gateway enforces, and what each may say."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

from .ambiguity import Exponential
from .patterns import NotPortable, check_time, python_pattern

Schema = Mapping[str, Any]

BY_NAME = ("dependencies", "patternProperties", "properties")
"""Keywords that hold schemas by name."""

IN_LIST = ("allOf", "anyOf", "oneOf")
"""Keywords that hold a list of schemas."""

ALONE = ("additionalProperties", "items", "not")
"""Keywords that hold one schema."""

MAX_UNIQUE_ITEMS = 1_000

_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")


def is_dictionary(value: object) -> TypeGuard[dict[Any, Any]]:
    """Whether this is a JSON object, its names still to be seen."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """Whether this is a JSON array."""
    return isinstance(value, list)


def names(value: object) -> str | None:
    """What is wrong with a list of names."""
    texts = is_list(value) and all(isinstance(name, str) for name in value) and _distinct(value)
    return _unless(texts, "be a list of names, at least one, none twice")


def _unless(allowed: bool, must: str) -> str | None:
    return None if allowed else must


def _whole(value: object) -> str | None:
    return _unless(type(value) is int and value >= 0, "be a whole number, 0 or more")


def _number(value: object) -> str | None:
    return _unless(type(value) is int or (type(value) is float and math.isfinite(value)), "be a number")


def _text(value: object) -> str | None:
    return _unless(isinstance(value, str), "be a string")


_SLOW = (
    ": 30 characters of a caller's choice would keep a function busy until it is ended, and maxLength does not change"
    " that. Let the repeated parts begin or end with a character that is in no other part: '^[a-z]+( [a-z]+)*$' instead"
    " of '^([a-z]+ ?)*$'"
)


def _truth(value: object) -> str | None:
    return _unless(isinstance(value, bool), "be True or False")


def _type(value: object) -> str | None:
    types = value if is_list(value) else [value]
    known = all(isinstance(name, str) and name in _TYPES for name in types) and _distinct(types)
    return _unless(known, f"be one of {', '.join(_TYPES)}, or a list of these")


def _values(value: object) -> str | None:
    return _unless(is_list(value) and _distinct(value), "be a list of JSON values, at least one, none twice")


def _distinct(values: list[Any]) -> bool:
    """API Gateway refuses a model where such a list is empty or repeats itself."""
    try:
        members = {v if type(v) in (int, float) else json.dumps(v, sort_keys=True, allow_nan=False) for v in values}
    except (TypeError, ValueError):
        return False
    return 0 < len(values) == len(members) and all(math.isfinite(v) for v in members if not isinstance(v, str))


def _pattern(value: object) -> str | None:
    if not isinstance(value, str):
        return "be a regular expression"
    try:
        python_pattern(value)
        check_time(value)
    except NotPortable as error:
        return f"be a regular expression that ECMA 262 and Python read alike, without {error}"
    except Exponential as error:
        return f"be a regular expression whose check takes no longer than its text, but {error}{_SLOW}"
    return None


def _one(value: object) -> str | None:
    return _unless(is_dictionary(value), "be a schema, which is a dictionary")


def _one_or_truth(value: object) -> str | None:
    return _unless(isinstance(value, dict | bool), "be True, False, or a schema, which is a dictionary")


def _several(value: object) -> str | None:
    return _unless(is_list(value) and bool(value), "be a list of schemas, at least one")


def _by_name(value: object) -> str | None:
    named = is_dictionary(value) and all(isinstance(name, str) for name in value)
    return _unless(named, "be a dictionary of schemas by name")


def _by_pattern(value: Any) -> str | None:
    return _by_name(value) or next((must for name in value if (must := _pattern(name))), None)


KEYWORDS: Mapping[str, Callable[[Any], str | None]] = {
    "additionalProperties": _one_or_truth,
    "allOf": _several,
    "anyOf": _several,
    "definitions": _by_name,
    "dependencies": _by_name,
    "description": _text,
    "enum": _values,
    "items": _one,
    "maxItems": _whole,
    "maxLength": _whole,
    "maxProperties": _whole,
    "maximum": _number,
    "minItems": _whole,
    "minLength": _whole,
    "minProperties": _whole,
    "minimum": _number,
    "multipleOf": lambda value: _unless(type(value) is int and value > 0, "be a whole number, 1 or more"),
    "not": _one,
    "oneOf": _several,
    "pattern": _pattern,
    "patternProperties": _by_pattern,
    "properties": _by_name,
    "required": names,
    "title": _text,
    "type": _type,
    "uniqueItems": _truth,
}
"""Each with what tells whether a value is wrong for it: what it must be, or `None`."""

REFUSED: Mapping[str, str] = {
    "$id": "references are to '#/definitions/...' only",
    "additionalItems": "items of different kinds are better the properties of an object",
    "const": "it is younger than draft 4: write enum with one value",
    "default": "nobody fills it in: let the function do it, and tell of it in the description",
    "discriminator": "API Gateway knows none: oneOf decides by what the alternatives say",
    "else": "it is younger than draft 4: write oneOf",
    "example": "API Gateway refuses the model: put it into the description",
    "examples": "API Gateway refuses the model: put it into the description",
    "exclusiveMaximum": "API Gateway does not support it: {'not': {'minimum': 10}} means below 10",
    "exclusiveMinimum": "API Gateway does not support it: {'not': {'maximum': 0}} means above 0",
    "format": "every reader has an idea of its own of a format: write a pattern, or check it in the function",
    "id": "references are to '#/definitions/...' only",
    "if": "it is younger than draft 4: write oneOf",
    "nullable": "write 'type': ['string', 'null']",
    "readOnly": "API Gateway does not support it: describe what a request may hold",
    "then": "it is younger than draft 4: write oneOf",
    "writeOnly": "API Gateway does not support it: describe what a request may hold",
}
"""Keywords that are often written, and what to do instead."""
