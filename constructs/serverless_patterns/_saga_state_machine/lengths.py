"""Lengths of time as a person would say them, and what makes claims be needed for long."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .estimates import longest_seconds
from .plan import Node

_UNITS = ((86_400, "days"), (3_600, "hours"), (60, "minutes"))


def in_words(seconds: int) -> str:
    """Rounded up, such as `2.7 hours`."""
    for length, unit in _UNITS:
        if seconds >= 2 * length:
            return f"{math.ceil(10 * seconds / length) / 10:g} {unit}"
    return f"{seconds} seconds"


def retention_fix(plan: Sequence[Node], least: int) -> str:
    """What to write where claims are forgotten too early, and which node it is that takes so long."""
    longest = max(plan, key=lambda node: longest_seconds([node]))
    why = "a claim must outlive its execution, with every retry, and its redrive (14 days) or its recovery"
    share = f", and {longest.name!r} alone may take {in_words(longest_seconds([longest]))}"
    return f"{why}{share}: say claims_retention=Duration.days({math.ceil(least / 86_400)})"
