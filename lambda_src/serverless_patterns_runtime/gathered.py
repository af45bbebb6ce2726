"""What the `on_complete` of a `ParallelMap` is given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

__all__ = ["FailedItem", "Gathered"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, kw_only=True)
class FailedItem:
    """An item that is a dead letter. Its `repr` holds nothing of what it is about."""

    index: int
    """Position among the items, from 0."""

    key: str = field(repr=False)
    item: Any = field(repr=False)
    reason: str = field(default="", repr=False)
    error_type: str = ""


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """The end of one execution: the same for every attempt. `processed + len(failed) == items`.

    Its `repr`, and so a log line, holds nothing of what the items are about.
    """

    key: str
    """The execution's name: behind an API, of its `Idempotency-Key`."""

    outcome: Literal["succeeded", "failed", "timed-out", "aborted"]
    """`failed`: more items failed than are tolerated, or the map could not begin. With `timed-out` and `aborted` the
    execution has ended already."""

    items: int
    processed: int

    reason: str = ""
    """Why the outcome is not `succeeded`: "there is no list at $.pages of the input"."""

    results: Mapping[str, Any] = field(repr=False)
    """What the function has returned, by the item's key, in the order of the items."""

    failed: Sequence[FailedItem] = field(default=(), repr=False)
    """In the order of the items."""

    input: Any = field(default=None, repr=False)
    """Of the execution, the list of items included."""

    @classmethod
    def fake(
        cls,
        results: Mapping[str, Any] = _NOTHING,
        *,
        key: str = "execution-1",
        outcome: Literal["succeeded", "failed", "timed-out", "aborted"] = "succeeded",
        reason: str = "",
        failed: Sequence[FailedItem] = (),
        input: Any = None,
    ) -> "Gathered":
        """An end for a unit test: `done(Gathered.fake({"p1": {"bytes": 7}}, input={"document": "d1"}))`."""
        return cls(
            key=key,
            outcome=outcome,
            reason=reason,
            items=len(results) + len(failed),
            processed=len(results),
            results=results,
            failed=failed,
            input=input,
        )
