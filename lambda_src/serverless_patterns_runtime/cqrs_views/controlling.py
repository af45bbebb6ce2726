"""What people may do to the views of a write model, and what they are told of them."""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from serverless_patterns_runtime.cqrs_views.contract import MOST_SEGMENTS, Kind
from serverless_patterns_runtime.cqrs_views.control_contract import (
    MAX_BY,
    Ask,
    Cancelled,
    Progressed,
    Rebuilding,
    Status,
    ViewShown,
)
from serverless_patterns_runtime.cqrs_views.executions import Executions
from serverless_patterns_runtime.cqrs_views.progress import ProgressItems, counted
from serverless_patterns_runtime.cqrs_views.standing import Standing
from serverless_patterns_runtime.cqrs_views.standings import Standings
from serverless_patterns_runtime.errors import PermanentError

__all__ = ["Control"]

SEGMENT_ITEMS = 25_000
"""Of the table, for each segment."""

FEWEST_SEGMENTS = 4
"""DynamoDB counts items every six hours only."""

UNSEEN_SECONDS = 600
"""An execution is seen some time after it has begun."""

_TRIES = 5

_OF_OTHERS = "its keys, or where it is kept, are others now: what was live is not read, and it is filled anew"


class Control(NamedTuple):
    views: Mapping[str, Kind]
    dynamodb: Any
    aggregates: str
    """Name of the write model's table."""
    standings: Standings
    progress: ProgressItems
    executions: Callable[[str], Executions]
    """Of a view."""
    clock: Callable[[], float]
    stores: Mapping[str, str]
    """Of views, as `store_of` says."""

    def status(self, ask: Ask) -> Status:
        names = [self.known(ask)] if "view" in ask else sorted(self.views)
        return {"views": [self._shown(name) for name in names], "items": self._items()}

    def rebuild(self, ask: Ask) -> Rebuilding:
        """Raises PermanentError while the view is being rebuilt."""
        view, segments = self.known(ask), ask.get("segments") or self._segments()
        by = str(ask.get("by") or "-")[:MAX_BY]
        if type(segments) is not int or not 1 <= segments <= MOST_SEGMENTS:
            raise PermanentError(f"segments are a whole number from 1 to {MOST_SEGMENTS}")
        for _ in range(_TRIES):
            standing = self.standings.read(view)
            if standing.building is not None:
                if not self.has_died(view, standing):
                    raise PermanentError(f"{view!r} is being rebuilt, asked for by {standing.by}: cancel that first")
                self.bury(view, standing)
                continue
            generation = standing.last + 1
            name = f"{view}-{generation}"
            asked = {"task": "rebuild", "view": view, "generation": generation, **parts(segments)}
            if self.executions(view).start(name, {**asked, "by": by, "tolerant": ask.get("tolerant") is True}):
                return _rebuilding(view, generation, self.executions(view).arn(name), began=True)
            found = self.executions(view).describe(name)
            if found is None or found["status"] == "RUNNING":  # none: it is so young that it is not seen yet
                return _rebuilding(view, generation, self.executions(view).arn(name), began=False)
            self.standings.change(view, lambda it, used=generation: it.skipped(used))
        raise PermanentError(f"{view!r} is changed by others again and again: look at it, and ask again")

    def cancel(self, ask: Ask) -> Cancelled:
        """What it has filled goes; what is read stays as it is."""
        view, by = self.known(ask), str(ask.get("by") or "-")[:MAX_BY]
        standing = self.standings.read(view)
        generation = standing.building
        if generation is None:
            raise PermanentError(f"{view!r} is not being rebuilt")
        reason, now = f"cancelled by {by}", self.clock()
        self.standings.change(view, lambda it: it.given_up(generation, standing.execution, "cancelled", reason, now))
        self.executions(view).stop(standing.execution, reason)
        return {"view": view, "generation": generation}

    def has_died(self, view: str, standing: Standing) -> bool:
        """Whether the execution that fills a generation has ended without a word."""
        found = self.executions(view).described(standing.execution)
        if found is not None:
            return found["status"] != "RUNNING"
        began = standing.started_at.get(standing.building or 0, 0) / 1000
        return self.clock() > began + UNSEEN_SECONDS

    def bury(self, view: str, standing: Standing) -> None:
        generation, execution, now = standing.building, standing.execution, self.clock()
        if generation is not None:
            reason = "the execution ended before it was done"
            self.standings.change(view, lambda it: it.given_up(generation, execution, "failed", reason, now))

    def is_readable(self, view: str, standing: Standing) -> bool:
        """A table that was made anew is empty, and rows with other keys are not found by these."""
        return standing.live is not None and self.is_of_its_store(view, standing)

    def is_of_its_store(self, view: str, standing: Standing) -> bool:
        return standing.is_of(self.stores.get(view, ""))

    def known(self, ask: Ask) -> str:
        view = ask.get("view", "")
        if view not in self.views:
            raise PermanentError(f"there is no view {view!r}; there are: {', '.join(sorted(self.views)) or 'none'}")
        return view

    def _shown(self, view: str) -> ViewShown:
        standing = self.standings.read(view)
        ours = self.is_of_its_store(view, standing)
        generation = standing.building or standing.last
        started_at = standing.started_at.get(generation)
        return {
            "view": view,
            "kind": self.views[view],
            "live": standing.live if ours else None,
            "building": standing.building,
            "previous": standing.previous,
            "phase": standing.phase,
            "reason": standing.reason if ours else _OF_OTHERS,
            "by": standing.by,
            "execution": standing.execution,
            "started_at": None if started_at is None else started_at / 1000,
            "progress": self._progress(view, standing, generation) if generation else None,
        }

    def _progress(self, view: str, standing: Standing, generation: int) -> Progressed:
        segments = standing.segments.get(generation, 0)
        begun = self.progress.all(view, generation, segments)
        counts = counted(begun)
        return {
            "generation": generation,
            "segments": segments,
            "scanned_segments": sum("scan" in one.done for one in begun),
            "verified_segments": sum("verify" in one.done for one in begun),
            "scanned": counts.scanned,
            "stamped": counts.stamped,
            "parked": counts.parked,
            "verified": counts.verified,
            "differences": counts.differences,
            "examples": list(counts.examples),
        }

    def _segments(self) -> int:
        return min(MOST_SEGMENTS, max(FEWEST_SEGMENTS, math.ceil(self._items() / SEGMENT_ITEMS)))

    def _items(self) -> int:
        return self.dynamodb.describe_table(TableName=self.aggregates)["Table"].get("ItemCount", 0)


def parts(segments: int) -> dict[str, Any]:
    """Of an execution's input."""
    return {"segments": segments, "numbers": list(range(segments))}


def _rebuilding(view: str, generation: int, execution: str, *, began: bool) -> Rebuilding:
    return {"view": view, "generation": generation, "execution": execution, "began": began}
