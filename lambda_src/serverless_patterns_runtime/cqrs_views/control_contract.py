"""What the control function is asked, by a schedule and by the command line, and what it answers."""

from typing import Literal, NotRequired, TypedDict

from serverless_patterns_runtime.cqrs_views.contract import ControlRequest, Kind, ParkReason

__all__ = [
    "Ask",
    "Cancelled",
    "Listed",
    "ParkedShown",
    "Progressed",
    "Rebuilding",
    "Retrying",
    "Status",
    "ViewShown",
]

MAX_BY = 200
"""Characters."""

PARKED_SHOWN = 100
"""In one answer, at most."""


class Ask(TypedDict):
    request: ControlRequest
    view: NotRequired[str]
    """Absent in `status`, `parked` and `retry`: all."""
    by: NotRequired[str]
    tolerant: NotRequired[bool]
    """To `rebuild`: aggregates that cannot be projected are parked and keep it from nothing."""
    segments: NotRequired[int]
    """To `rebuild`; absent: as many as the table needs."""
    execution: NotRequired[str]
    """To `retry`: tells how far that one is, and begins none."""
    after: NotRequired[str]
    """To `parked`: what comes behind this object."""


class Progressed(TypedDict):
    """Of the generation that is being filled, or was last."""

    generation: int
    segments: int
    scanned_segments: int
    verified_segments: int
    scanned: int
    stamped: int
    parked: int
    verified: int
    differences: int
    examples: list[str]


class ViewShown(TypedDict):
    view: str
    kind: Kind
    live: int | None
    building: int | None
    previous: int | None
    phase: str
    """Empty: nobody has asked for a rebuild yet."""
    reason: str
    by: str
    execution: str
    started_at: float | None
    """Of the generation that is being filled, epoch seconds."""
    progress: Progressed | None


class Status(TypedDict):
    views: list[ViewShown]
    items: int
    """Of the write model's table, as DynamoDB counted them some hours ago."""


class Rebuilding(TypedDict):
    view: str
    generation: int
    execution: str
    began: bool
    """False: somebody else asked for it at this moment."""


class Cancelled(TypedDict):
    view: str
    generation: int


class ParkedShown(TypedDict):
    object: str
    view: str
    """Empty: a whole invocation that was never answered."""
    key: str
    version: int
    reason: ParkReason | Literal["undelivered"]
    message: str
    parked_at: float


class Listed(TypedDict):
    parked: list[ParkedShown]
    after: str
    """Empty: these are all that are left."""


class Retrying(TypedDict):
    execution: str
    status: Literal["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"]
    replayed: int
    left: int
