"""What was seen of the order book: plain facts, from which checks and report are made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from showing.fan_out import Struck

from demo.api import Answer
from demo.book.customers import OwnWrite
from demo.book.ledger import Entry
from demo.book.readers import Look, Rows

TRAFFIC, REBUILD, HOT, PAST, QUIET = "orders", "rebuild", "one order, fifty lines", "past the commands", "quiet"
"""Phases."""


@dataclass(frozen=True)
class Lag:
    at: float
    """Epoch seconds."""
    seconds: float


@dataclass(frozen=True)
class Progress:
    """Of the rebuild, at a moment."""

    at: float
    live: int | None
    """The generation that is read."""
    phase: str
    scanned: int
    verified: int
    differences: int


@dataclass(frozen=True)
class Book:
    answers: Sequence[Answer]
    asked_again: Sequence[Answer]
    """Of what was sent again, with the same id."""
    entries: Sequence[Entry]
    """The ledger: commands that were accepted, in no order."""
    replays: int
    """Second answers that said that they were given before."""
    unlike: Sequence[str]
    """Ids of commands whose second answer was not the first one."""
    orders: Mapping[str, Mapping[str, Any]]
    """Items of the write model, by order."""
    lists: Mapping[str, Rows]
    """What the API shows, by customer and order."""
    rows: Mapping[str, Mapping[str, Any]]
    """What stands in the view's own table, by order."""
    revenue: Mapping[int, Mapping[str, int]]
    """By product."""
    dashboard: Any
    looks: Sequence[OwnWrite]
    steady: Mapping[str, Rows]
    """What readers had to see, by customer, whose lists did not change."""
    pages: Sequence[Look]
    """What they saw."""
    progress: Sequence[Progress]
    lags: Sequence[Lag]
    scribbled: int
    """Changes that were parked, each for one view, after somebody had changed an order past the commands."""
    parked: int
    """That are still, in the end."""
    struck: Sequence[Struck]
    phases: Mapping[str, tuple[float, float]]
    """From and to, in epoch seconds."""
