"""What an `on_complete` function is given: how a message's branches have ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = ["Completion"]


@dataclass(frozen=True, kw_only=True)
class Completion:
    """The end of one message's fan-in. Its `repr`, and so a log line, holds nothing of what the message is about."""

    key: str
    """The message's idempotency key."""

    outcome: Literal["complete", "deadline"] = "complete"
    """`deadline`: it came before the results of the branches in `missing`."""

    results: Mapping[str, Any] = field(repr=False)
    """What the branches have returned, by the subscriber's name; of `Effects` their `result`."""

    missing: Sequence[str] = ()
    """Names of the branches that had no result at the deadline, sorted. Theirs may still come, and is refused then."""

    message: Any = field(default=None, repr=False)
    """The message's body."""
