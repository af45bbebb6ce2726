"""Whether a generation is what its aggregates say: each aggregate against what is held of it, and the other way round.

Changes go on meanwhile. What differs is looked at again; it counts if it cannot be late, or stays for too long.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from serverless_patterns_runtime.cqrs_table.aggregate import Aggregate
from serverless_patterns_runtime.cqrs_views.contract import CHECKED_SECONDS
from serverless_patterns_runtime.cqrs_views.holding import Holding, Place
from serverless_patterns_runtime.cqrs_views.progress import Counts
from serverless_patterns_runtime.cqrs_views.scanning import Scan

__all__ = ["MOST_DIFFERENCES", "PATIENCE_SECONDS", "Verification"]

PATIENCE_SECONDS = 360
"""For a difference of an aggregate that has changed since the rebuild began: its record is projected or parked then."""

MOST_OPEN = 200
"""Differences that wait for another look, before more are looked for."""

MOST_DIFFERENCES = 100
"""In a segment: there is no use in counting on."""

Resume = Mapping[str, Any]
"""`stage` (`aggregates`, `rows` or `open`), `at` within it, and `open`: key, since when, and places of each."""

Open = tuple[str, float, Sequence[Place]]

_NONE: Mapping[str, int] = {}


class Step(NamedTuple):
    resume: Resume | None
    """None: the segment is verified."""
    counted: Counts


class Verification(NamedTuple):
    scan: Scan
    holding: Holding
    generation: int
    segment: int
    segments: int
    started_at: int
    """Of the generation, epoch milliseconds."""
    clock: Callable[[], float]
    remaining: Callable[[], float]
    patience: float = PATIENCE_SECONDS
    refused: Callable[[], Mapping[str, int]] = dict
    """Versions of aggregates that could not be written, by key."""
    attempt: Callable[[Collection[str]], Counts] = lambda _: Counts()
    """Writes aggregates as they are now, and has found out which are refused."""

    def step(self, resume: Resume | None, differences: int) -> Step:
        """One page, or one more look at what is open. Raises SinkUnavailable, and what the client raises."""
        resume = resume or {"stage": "aggregates", "at": None, "open": []}
        if differences >= MOST_DIFFERENCES:
            return Step(None, Counts())
        if resume["stage"] == "open" or len(resume["open"]) >= MOST_OPEN:
            return self._open(resume)
        return self._aggregates(resume) if resume["stage"] == "aggregates" else self._rows(resume)

    def _aggregates(self, resume: Resume) -> Step:
        page = self.scan.page(self.segment, self.segments, resume["at"])
        found = self.scan.readable(page.images)
        wrong = self._wrong({one.key: one for one in found}, {})
        stage = "aggregates" if page.resume else "rows"
        return self._later(resume, stage, page.resume, {key: [] for key in wrong}, Counts(verified=len(found)))

    def _rows(self, resume: Resume) -> Step:
        page = self.holding.found(self.generation, self.segment, self.segments, resume["at"])
        wrong = self._wrong(self._now(page.places), page.places)
        stage = "rows" if page.resume else "open"
        return self._later(resume, stage, page.resume, {key: page.places[key] for key in wrong}, Counts())

    def _later(
        self, resume: Resume, stage: str, at: str | None, wrong: Mapping[str, Sequence[Place]], counted: Counts
    ) -> Step:
        now = self.clock()
        found = [*resume["open"], *([key, now, list(places)] for key, places in wrong.items())]
        return Step(None if stage == "open" and not found else {"stage": stage, "at": at, "open": found}, counted)

    def _open(self, resume: Resume) -> Step:
        waiting: list[Open] = [(key, since, places) for key, since, places in resume["open"]]
        aggregates = self._now(key for key, _, _ in waiting)
        places: dict[str, list[Place]] = {}
        for key, _, some in waiting:
            places.setdefault(key, []).extend(some)
        wrong = self._wrong(aggregates, places)
        late = [one for one in waiting if one[0] in wrong and self._may_be_late(one, aggregates[one[0]])]
        certain = wrong.keys() - {key for key, _, _ in late}
        counted = self._counted({key: wrong[key] for key in sorted(certain)}, aggregates)
        over = resume["stage"] == "open" and not late
        return Step(None if over else {**resume, "open": [list(one) for one in late]}, counted)

    def _wrong(
        self, aggregates: Mapping[str, Aggregate | None], places: Mapping[str, Sequence[Place]]
    ) -> Mapping[str, str]:
        """Without what only the table itself could refuse: it was counted as such, and is no difference."""
        wrong = self.holding.differences(self.generation, aggregates, places)
        refused = self.refused() if wrong else _NONE
        versions = {key: None if one is None else one.version for key, one in aggregates.items()}
        return {key: what for key, what in wrong.items() if versions[key] is None or versions[key] != refused.get(key)}

    def _counted(self, wrong: Mapping[str, str], aggregates: Mapping[str, Aggregate | None]) -> Counts:
        """What is written only now was missing all the same. What is refused only now had changed since the scan."""
        there = [key for key in wrong if aggregates[key] is not None]
        refused = self.attempt(there) if there else Counts()
        certain = [key for key in wrong if key not in refused.refused]
        examples = [*refused.examples, *(f"{key}: {wrong[key]}" for key in certain)]
        parked = len(refused.refused.keys() - self.refused().keys()) if refused.refused else 0
        return Counts(parked=parked, differences=len(certain), examples=examples, refused=refused.refused)

    def _may_be_late(self, waiting: Open, aggregate: Aggregate | None) -> bool:
        _, since, _ = waiting
        if self.clock() >= since + self.patience:
            return False
        at = None if aggregate is None else aggregate.at
        return at is None or at >= self.started_at - CHECKED_SECONDS * 1000

    def _now(self, keys: Iterable[str]) -> dict[str, Aggregate | None]:
        """Without those that this code cannot read: they have been refused, and counted as such."""
        images = self.scan.model.read_images(keys, remaining=self.remaining)
        found = self.scan.readable(one for one in images.values() if one is not None)
        gone = {key: None for key, image in images.items() if image is None}
        return {**gone, **{one.key: one for one in found}}
