"""A world is held against its invariants: all that is broken is told at once."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

__all__ = ["check", "report"]

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


def report(
    failure: AssertionError, trace: Sequence[tuple[float, tuple[Any, ...]]], *told: object, most: int = 80
) -> str:
    """What is broken, what was told, and the last events: the seconds, and what happened."""
    lines = [f"{time:12.3f} {' '.join(map(str, fields))[:260]}" for time, fields in trace[-most:]]
    return "\n".join([f"{failure}", *map(str, told), f"the last {len(lines)} of {len(trace)} events:", *lines])
