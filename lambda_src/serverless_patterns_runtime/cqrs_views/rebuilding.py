"""The tasks of a rebuild. Each may be done again, and again at once: it goes on where its segment's item says."""

import random
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, NamedTuple

from serverless_patterns_runtime.cqrs_table.settings import WriteModel
from serverless_patterns_runtime.cqrs_views.filling import Filling
from serverless_patterns_runtime.cqrs_views.holding import Holding
from serverless_patterns_runtime.cqrs_views.inserting import inserting
from serverless_patterns_runtime.cqrs_views.judging import check_complete, check_refused
from serverless_patterns_runtime.cqrs_views.page_fill import PageFill, Park
from serverless_patterns_runtime.cqrs_views.progress import (
    Beaten,
    Counts,
    Progress,
    ProgressItems,
    counted,
)
from serverless_patterns_runtime.cqrs_views.scanning import Images, Scan
from serverless_patterns_runtime.cqrs_views.standing import Standing, Superseded
from serverless_patterns_runtime.cqrs_views.standings import Standings
from serverless_patterns_runtime.cqrs_views.together import Together
from serverless_patterns_runtime.cqrs_views.total_holding import holding_of, store_of_view
from serverless_patterns_runtime.cqrs_views.verifying import PATIENCE_SECONDS, Verification
from serverless_patterns_runtime.cqrs_views.views import View

__all__ = ["LAST_SECONDS", "Rebuild", "Segment"]

LAST_SECONDS = 60.0
"""Kept free at the end, for a page: the next invocation goes on."""

LOOK_SECONDS = 2.0
"""Between two looks at what differs and may only be late."""


class Segment(NamedTuple):
    """What a task of the state machine is told."""

    view: str
    generation: int
    execution: str
    segment: int = 0
    segments: int = 1


class Rebuild(NamedTuple):
    views: Mapping[str, View]
    standings: Standings
    progress: ProgressItems
    scan_of: Scan
    park: Park
    mark: Callable[[Collection[str]], None]
    """Has documents built that are made from these views."""
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    ahead: Together
    """For the next page of the scan, while this one is written."""
    together: Together
    """For writes."""
    random: random.Random
    remaining: Callable[[], float] = lambda: 0.0
    patience: float = PATIENCE_SECONDS

    def holding(self, view: str) -> Holding:
        return holding_of(self.views[view], self.together)

    @property
    def model(self) -> WriteModel:
        return self.scan_of.model

    def start(self, of: Segment, by: str, *, tolerant: bool) -> None:
        """Raises Superseded when the generation was used, or another one is being filled."""
        self.holding(of.view).prepare(of.generation)  # before any projector knows of it
        now, store = self.clock(), store_of_view(self.views[of.view])
        self.standings.change(
            of.view,
            lambda it: it.kept_in(store).begun(of.generation, of.execution, of.segments, by, now, tolerant=tolerant),
        )

    def scan(self, of: Segment) -> bool:
        """Whether all of the segment is in the generation. Raises Superseded and TooManyRefused."""
        ahead: Images | None = None
        progress = self._progress(of)
        while "scan" not in progress.done:
            if self.remaining() < LAST_SECONDS:
                return False
            standing = self._at_work(of)
            page = ahead or self._page(of, progress.resume.get("scan"))
            ahead, filled = self._write(of, page, standing)
            try:
                progress = self._count(of, progress, progress.after("scan", page.resume, filled))
            except Beaten:
                ahead, progress = None, self._progress(of)
            check_refused(progress.counts)
        return True

    def verify(self, of: Segment) -> bool:
        """Likewise: whether all of it was compared. Raises the same."""
        standing = self.standings.change(of.view, lambda it: it.verified(of.generation, of.execution))
        started_at = standing.started_at[of.generation]
        progress = self._progress(of)
        verification = Verification(
            scan=self.scan_of,
            holding=self.holding(of.view),
            generation=of.generation,
            segment=of.segment,
            segments=of.segments,
            started_at=started_at,
            clock=self.clock,
            remaining=self.remaining,
            patience=self.patience,
            refused=lambda: counted(self.progress.all(of.view, of.generation, of.segments)).refused,
            attempt=partial(self._attempt, of, standing),
        )
        while "verify" not in progress.done:
            if self.remaining() < LAST_SECONDS:
                return False
            resume, compared = verification.step(progress.resume.get("verify"), progress.counts.differences)
            try:
                progress = self._count(of, progress, progress.after("verify", resume, compared))
            except Beaten:
                progress = self._progress(of)
            check_refused(progress.counts)
            if resume is not None and resume["open"] and (resume["stage"] == "open"):
                self.sleep(LOOK_SECONDS)
                self._at_work(of)
        return True

    def flip(self, of: Segment) -> None:
        """From now on the generation is read. Raises Superseded and NotEqual; then nothing is flipped."""
        standing = self.standings.read(of.view)
        if standing.live != of.generation:
            standing.check_store(store_of_view(self.views[of.view]))
            segments = self.progress.all(of.view, of.generation, of.segments)
            check_complete(segments, of.segments, tolerant=standing.tolerant)
            now = self.clock()
            self.standings.change(of.view, lambda it: it.flipped(of.generation, of.execution, now))
        self.holding(of.view).publish(of.generation)
        self.mark([of.view])

    def drop(self, of: Segment) -> bool:
        """Whether all of the segment's rows are gone. Raises Superseded for a generation that is in use."""
        holding = self.holding(of.view)
        standing = self.standings.read(of.view)
        if of.generation in (standing.live, standing.building):
            raise Superseded
        if of.segment == 0 and standing.live is not None:
            holding.publish(standing.live)  # who reads the store by himself must not read this one
        progress = self._progress(of)
        while "drop" not in progress.done:
            if self.remaining() < LAST_SECONDS:
                return False
            resume = holding.drop(of.generation, of.segment, of.segments, progress.resume.get("drop"))
            try:
                progress = self._count(of, progress, progress.after("drop", resume, Counts()))
            except Beaten:
                progress = self._progress(of)
        return True

    def finish(self, of: Segment) -> None:
        """All that is known of a dropped generation is forgotten."""
        segments = self.standings.read(of.view).segments.get(of.generation, of.segments)
        for segment in range(segments):
            self.progress.forget(of.view, of.generation, segment)
        self.standings.change(of.view, lambda it: it.dropped(of.generation))

    def fail(self, of: Segment, reason: str) -> str:
        now = self.clock()
        self.standings.change(of.view, lambda it: it.given_up(of.generation, of.execution, "failed", reason, now))
        return reason

    def _write(self, of: Segment, page: Images, standing: Standing) -> tuple[Images | None, Counts]:
        """The page is in the generation; and the next one."""
        works: list[Callable[[], Any]] = [lambda: self._filled(of, page, standing)]
        if page.resume is not None:
            works.append(lambda: self._page(of, page.resume))
        counts, *following = self.ahead(works)
        return (following[0] if following else None), counts

    def _attempt(self, of: Segment, standing: Standing, keys: Collection[str]) -> Counts:
        """These aggregates as they are now, written once more: their changes may have been refused since the scan."""
        images = self.model.read_images(keys, remaining=self.remaining).values()
        return self._filled(of, Images([one for one in images if one is not None], None), standing)

    def _filled(self, of: Segment, page: Images, standing: Standing) -> Counts:
        filling = Filling(
            inserting(self.views[of.view]), of.generation, self.model, self.together,
            self.remaining, self.sleep, self.random,
        )  # fmt: skip
        return PageFill(filling, self.scan_of, self.park)(page, tolerant=standing.tolerant)

    def _page(self, of: Segment, resume: str | None) -> Images:
        return self.scan_of.page(of.segment, of.segments, resume)

    def _at_work(self, of: Segment) -> Standing:
        standing = self.standings.read(of.view)
        if not standing.rebuilt_by(of.generation, of.execution):
            raise Superseded
        standing.check_store(store_of_view(self.views[of.view]))
        return standing

    def _progress(self, of: Segment) -> Progress:
        return self.progress.read(of.view, of.generation, of.segment)

    def _count(self, of: Segment, before: Progress, after: Progress) -> Progress:
        return self.progress.write(of.view, of.generation, of.segment, before, after)
