"""Looking for the schedule that a missing safeguard breaks."""

import re
from collections.abc import Callable, Iterable

from .schedules import Violation

__all__ = ["others_found"]


def others_found(violates: str, schedules: Iterable[Callable[[], object]]) -> set[str] | None:
    """None as soon as a schedule violates what is looked for; else all that they violate."""
    others: set[str] = set()
    for run in schedules:
        try:
            run()
        except Violation as violation:
            what = str(violation).split("\n", 1)[0]
            if re.search(violates, what):
                return None
            others.add(what)
    return others
