"""Regular expressions that the gateway (ECMA 262) and Python read alike, and the Python spelling of each."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .ambiguity import check_unambiguous

_GROUPS = ("(?:", "(?=", "(?!")
_QUANTIFIER = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\})\??")
_ESCAPE = re.compile(r"\\(?:[dDwWsSbBtnrfv]|0(?!\d)|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|[^\w\s])", re.ASCII)
_ANY_CHARACTER = r"[^\n\r\u2028\u2029]"  # what ECMA's dot matches; Python's refuses line feeds only
_FIRST_BEYOND_16_BITS = "\U00010000"


class NotPortable(ValueError):
    """The two would read the expression differently, or one not at all; the text says what of it."""


def python_pattern(pattern: str) -> str:
    """The expression as Python has to spell it; raises `NotPortable`.

    ASCII, because ECMA's `\\d` and `\\w` are; `$` is the very end, where Python would let a line feed follow.
    """
    if max(pattern, default="") >= _FIRST_BEYOND_16_BITS:
        raise NotPortable("a character beyond U+FFFF, which the gateway takes for two")
    return _compiled(_translated(pattern))


def check_time(pattern: str) -> None:
    """Raise `Exponential` when there are texts whose check takes twice as long with each character more.

    The expression is one that `python_pattern` takes.
    """
    check_unambiguous(_translated(pattern))


def _compiled(tokens: Sequence[str]) -> str:
    translated = f"(?a:{''.join(tokens)})"
    try:
        re.compile(translated)
    except (re.error, OverflowError) as error:
        raise NotPortable(str(error)) from None
    return translated


def _translated(pattern: str) -> list[str]:
    parts: list[str] = []
    position = 0
    repeatable = False
    while position < len(pattern):
        character = pattern[position]
        quantifier = _QUANTIFIER.match(pattern, position)
        if quantifier:
            if not repeatable:
                raise NotPortable(f"{quantifier[0]!r} with nothing to repeat")
            part, translated = quantifier[0], quantifier[0]
        elif character == "\\":
            part = translated = _escape(pattern, position)
        elif character == "[":
            part, translated = _character_class(pattern, position)
        elif character == "(":
            part = translated = _group(pattern, position)
        elif character in "{}]":
            raise NotPortable(f"a bare {character!r}: write \\{character}")
        else:
            part, translated = character, {"$": r"\Z", ".": _ANY_CHARACTER}.get(character, character)
        repeatable = not quantifier and part not in (r"\b", r"\B") and character not in "(^$|"
        parts.append(translated)
        position += len(part)
    return parts


def _escape(pattern: str, position: int) -> str:
    escape = _ESCAPE.match(pattern, position)
    if escape is None:
        raise NotPortable(f"the escape {pattern[position : position + 2]!r}")
    return escape[0]


def _group(pattern: str, position: int) -> str:
    if not pattern.startswith("(?", position):
        return "("
    start = pattern[position : position + 3]
    if start not in _GROUPS:
        raise NotPortable(f"a group that begins with {start!r}")
    return start


def _character_class(pattern: str, start: int) -> tuple[str, str]:
    """As it stands, and with a backslash before what Python may one day read as a set operation."""
    translated = "[^" if pattern.startswith("[^", start) else "["
    position = start + len(translated)
    if pattern.startswith("]", position):
        raise NotPortable("a class without characters")
    while position < len(pattern) and pattern[position] != "]":
        part = pattern[position]
        if part == "\\":
            part = _escape(pattern, position)
            if part == r"\B":
                raise NotPortable(r"\B in a class")
        translated += f"\\{part}" if part in "[&|~" else part
        position += len(part)
    return pattern[start : position + 1], translated + "]"
