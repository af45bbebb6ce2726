"""Whether what a rebuild has filled may be read."""

from collections.abc import Sequence

from serverless_patterns_runtime.cqrs_views.progress import MOST_REFUSED, Counts, Progress, counted
from serverless_patterns_runtime.cqrs_views.standing import Superseded
from serverless_patterns_runtime.errors import PermanentError

__all__ = ["check_complete", "check_refused"]


class TooManyRefused(PermanentError):
    """So many aggregates cannot be projected that it is the code that is wrong."""


class NotEqual(PermanentError):
    """The generation is not what its aggregates say, or lacks some that a view that is read may have."""


def check_refused(counts: Counts) -> None:
    """Of one segment. Raises TooManyRefused."""
    if counts.parked > MOST_REFUSED:
        raise TooManyRefused(f"more than {MOST_REFUSED} in a segment: {counts.said}")


def check_complete(segments: Sequence[Progress], wanted: int, *, tolerant: bool) -> None:
    """Raises Superseded and NotEqual."""
    if len(segments) < wanted or any({"scan", "verify"} - set(one.done) for one in segments):
        raise Superseded  # of its own execution all are done
    counts = counted(segments)
    if counts.differences:
        raise NotEqual(f"{counts.differences:,} differences from the aggregates: {counts.said}")
    if counts.parked and not tolerant:
        raise NotEqual(f"{counts.parked:,} aggregates cannot be projected: {counts.said}")
