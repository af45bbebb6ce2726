r"""Patterns with `*` for any characters, `\*` and `\\` for the two themselves."""

import re
from functools import lru_cache

__all__ = ["bad_escape", "stars", "wildcard_matches"]

_TOKEN = re.compile(r"\\.?|\*|[^\\*]+", re.DOTALL)


def wildcard_matches(pattern: str, value: str) -> bool:
    """Whether the whole value fits the pattern."""
    first, *rest = _pieces(pattern)
    if not rest:
        return value == first
    if not value.startswith(first):
        return False
    at = len(first)
    for piece in rest[:-1]:  # the leftmost place leaves the most for what follows: no way back is needed
        at = value.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return len(value) - at >= len(rest[-1]) and value.endswith(rest[-1])


@lru_cache(maxsize=256)
def _pieces(pattern: str) -> tuple[str, ...]:
    """The text between the stars."""
    pieces = [""]
    for token in _TOKEN.findall(pattern):
        if token == "*":
            pieces.append("")
        else:
            pieces[-1] += token[1:] if token[0] == "\\" else token
    return tuple(pieces)


def stars(pattern: str) -> int:
    return len(_pieces(pattern)) - 1


def bad_escape(pattern: str) -> str | None:
    r"""The first backslash sequence that is neither `\*` nor `\\`."""
    return next((token for token in _TOKEN.findall(pattern) if token[0] == "\\" and token not in ("\\*", "\\\\")), None)
