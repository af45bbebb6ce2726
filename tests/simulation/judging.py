"""A world is held against its invariants: all that is broken is told at once."""

from collections.abc import Callable, Sequence
from typing import TypeVar

__all__ = ["check"]

World = TypeVar("World")


def check(world: World, invariants: Sequence[Callable[[World], None]]) -> None:
    """Each raises AssertionError with what it saw."""
    broken = []
    for invariant in invariants:
        try:
            invariant(world)
        except AssertionError as failure:
            broken.append(str(failure))
    assert not broken, "; ".join(broken)
