"""Descriptions that say how they are written, where Python alone would count arguments."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

_Described = TypeVar("_Described")


def written_as(example: str) -> Callable[[type[_Described]], type[_Described]]:
    """Of a dataclass: to Python's error for arguments that are missing, too many or unknown, add an example."""

    def guided(described: type[_Described]) -> type[_Described]:
        made: Any = described.__init__

        @wraps(made)
        def make(self: Any, *arguments: Any, **named: Any) -> None:
            try:
                made(self, *arguments, **named)
            except TypeError as error:
                raise TypeError(f"{error}: write {example}") from None

        type.__setattr__(described, "__init__", make)
        return described

    return guided
