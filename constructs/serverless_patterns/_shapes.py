"""What Python would refuse with an error of its own: a list for a dictionary, one thing for a list of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from ._checks import Problems


def named(problems: Problems, argument: str, value: Any, example: str) -> Mapping[str, Any]:
    """A copy that nobody can change; of nothing when it is no mapping, which is a problem.

    Args:
        problems: Takes what is wrong.
        argument: What the user knows it as.
        value: What the user gave.
        example: How one entry is written, such as `'ORDERS': orders`.
    """
    if isinstance(value, Mapping):
        return MappingProxyType(dict[str, Any](value))  # pyright: ignore[reportUnknownArgumentType]
    problems.add(argument, "be a dictionary by name", _kind(value), f"write {argument}={{{example}}}")
    return MappingProxyType({})


def several(problems: Problems, argument: str, value: Any) -> tuple[Any, ...]:
    """The members; none when it has none to give, which is a problem."""
    if isinstance(value, Iterable) and not isinstance(value, str | Mapping):
        return tuple[Any, ...](value)  # pyright: ignore[reportUnknownArgumentType]
    got = _kind(value)  # pyright: ignore[reportUnknownArgumentType]
    problems.add(argument, "be a list", got, f"write {argument}=[...]")
    return ()


def told(value: object) -> str:
    """As a message shows what was given: never by its address."""
    written = repr(value)
    return _kind(value) if " object at 0x" in written else written


def _kind(value: object) -> str:
    return "None" if value is None else f"a value of type {type(value).__name__}"
