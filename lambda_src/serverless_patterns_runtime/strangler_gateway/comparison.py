"""Chosen fields of two JSON answers, and how they differ: in words that quote neither."""

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, cast

__all__ = ["differences", "fields"]

MOST_BYTES = 6 * 1024 * 1024
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\*|\d+)\]")
_ABSENT = object()


def fields(body: bytes, encoding: str, paths: Sequence[str]) -> dict[str, Any]:
    """By path; what is not there is absent. Raises ValueError for a body that this cannot unpack."""
    if not paths:
        return {}
    if encoding.lower() == "gzip":
        body = _unpacked(body)
    elif encoding.lower() not in ("", "identity"):
        raise ValueError(encoding)
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    found = {path: _at(answer, [(step[1], step[2]) for step in _STEP.finditer(path)]) for path in paths}
    return {path: value for path, value in found.items() if value is not _ABSENT}


def differences(legacy: Mapping[str, Any], new: Mapping[str, Any], paths: Sequence[str]) -> dict[str, str]:
    """By path: types and lengths of both, never values."""
    pairs = {path: (legacy.get(path, _ABSENT), new.get(path, _ABSENT)) for path in paths}
    return {
        path: f"{_kind(ours)}, {_kind(theirs)}" for path, (ours, theirs) in pairs.items() if not _same(ours, theirs)
    }


def _unpacked(body: bytes) -> bytes:
    unpacking = zlib.decompressobj(31)  # gzip
    try:
        unpacked = unpacking.decompress(body, MOST_BYTES)
    except zlib.error as error:
        raise ValueError("gzip") from error
    if unpacking.unconsumed_tail:
        raise ValueError("too long")
    return unpacked


def _at(value: Any, steps: Sequence[tuple[str | None, str | None]]) -> Any:
    for number, (name, index) in enumerate(steps):
        if index == "*":
            if not isinstance(value, list):
                return _ABSENT
            below = [_at(element, steps[number + 1 :]) for element in cast("list[Any]", value)]
            # In its place: else a list with a gap would be as one without.
            return [None if element is _ABSENT else element for element in below]
        try:
            value = value[int(index)] if index else value[name]
        except (KeyError, IndexError, TypeError):
            return _ABSENT
    return value


def _same(one: Any, other: Any) -> bool:
    """As JSON: 1 is 1.0, and true is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        ours, theirs = cast("dict[str, Any]", one), cast("dict[str, Any]", other)
        return ours.keys() == theirs.keys() and all(_same(ours[name], theirs[name]) for name in ours)
    if isinstance(one, list) and isinstance(other, list):
        first, second = cast("list[Any]", one), cast("list[Any]", other)
        return len(first) == len(second) and all(map(_same, first, second))
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _kind(value: Any) -> str:
    if value is _ABSENT:
        return "absent"
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    if isinstance(value, int | float):
        return "number"
    name = "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"
    return f"{name} of {len(cast('Sequence[Any]', value))}"
