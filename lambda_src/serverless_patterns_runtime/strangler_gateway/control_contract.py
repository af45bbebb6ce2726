"""What the command line asks of the control function, and what that answers."""

from typing import Literal, NotRequired, TypedDict

__all__ = ["Change", "Command", "HistoryEntry", "Listing", "RouteStanding"]

MAX_REASON, MAX_BY = 500, 200
"""Characters. All routes as they stand are one query, which routers make all the time."""

HISTORY_SHOWN = 20
"""Changes of a route, the latest first."""


class Command(TypedDict):
    action: Literal["list", "set", "kill", "clear"]
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


class RouteStanding(TypedDict):
    route: str
    stage: Literal["migrating", "removed"]
    """Removed: the table knows it, and the code does not. It is answered as the code says."""
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


class Change(TypedDict):
    """To the other commands."""

    changed: bool
    """False: it stood like that before."""
    before: RouteStanding
    after: RouteStanding | None
    """None: it was removed, and is now forgotten."""
