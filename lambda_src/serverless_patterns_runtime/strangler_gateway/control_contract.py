"""What the control function is asked, by the command line and once a day, and what that answers."""

from typing import Literal, NotRequired, TypedDict

__all__ = ["Change", "Command", "HistoryEntry", "Listing", "RouteStanding", "Swept"]

MAX_REASON, MAX_BY = 500, 200
"""Characters. All routes as they stand are one query, which routers make all the time."""

HISTORY_SHOWN = 20
"""Changes of a route, the latest first."""


class Command(TypedDict):
    action: Literal["list", "set", "kill", "clear", "sweep"]
    """To `sweep` takes nothing else: what was set for routes that the code lists no more is forgotten in time."""
    route: NotRequired[str]
    """Absent in `list`: all."""
    history: NotRequired[bool]
    """In `list`: with the latest changes of each route."""
    percent: NotRequired[float]
    """To `set`; with `clear`: what holds then, instead of what held before the kill."""
    by: NotRequired[str]
    reason: NotRequired[str]


class HistoryEntry(TypedDict):
    action: str
    by: str
    at: int
    reason: str
    percent: float
    killed: bool
    was_percent: float
    was_killed: bool
    generation: int


class RouteStanding(TypedDict):
    route: str
    stage: Literal["legacy", "migrating", "done", "removed"]
    """But for `migrating` ones: what the table knows of a route that is answered as the code says. Removed: it lists
    it no more."""
    goes_at: int | None
    """Epoch seconds: from then on a sweep forgets it. None, where it is removed: no sweep has seen that yet."""
    percent: float
    initial_percent: float | None
    """None where it is removed."""
    generation: int
    killed: bool
    by: str | None
    """None, as `at` and `reason`: nobody has changed it in this generation."""
    at: int | None
    reason: str | None
    history: NotRequired[list[HistoryEntry]]


class Listing(TypedDict):
    """To `list`."""

    gateway: str
    routes: list[RouteStanding]


class Swept(TypedDict):
    """To `sweep`; routes that somebody else changed at that moment are in none of these."""

    changed: bool
    missing: list[str]
    """Seen missing for the first time."""
    back: list[str]
    """Listed again in time."""
    forgotten: list[str]
    breakers: list[str]
    """Forgotten, too."""


class Change(TypedDict):
    """To the other commands."""

    changed: bool
    """False: it stood like that before."""
    before: RouteStanding
    after: RouteStanding | None
    """None: it was removed, and is now forgotten."""
