"""Writes what changes and aggregates say of one view into one of its generations."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

from serverless_patterns_runtime.cqrs_table.aggregate import Aggregate
from serverless_patterns_runtime.cqrs_table.settings import Image, WriteModel
from serverless_patterns_runtime.cqrs_views.giving_up import GivenUp, Unreadable, given_up
from serverless_patterns_runtime.cqrs_views.records import Change
from serverless_patterns_runtime.cqrs_views.sink import Contested, RowChange, Sink, SinkUnavailable, Unstorable
from serverless_patterns_runtime.cqrs_views.statements import Contribution, contribution, said, said_of
from serverless_patterns_runtime.cqrs_views.taking_over import take_over
from serverless_patterns_runtime.cqrs_views.together import Together
from serverless_patterns_runtime.cqrs_views.totals import Totals
from serverless_patterns_runtime.cqrs_views.views import View

__all__ = ["Filling", "Left"]

Owner = TypeVar("Owner", Change, str)
Left = list[tuple[Owner, Exception]]
"""What is not all written, and why: a GivenUp is to be parked, the rest to be tried again."""

PAUSES_SECONDS = (0.1, 0.5, 2.0)
"""Before another try, at most; each with full jitter."""

RESERVE_SECONDS = 3.0
"""To park, to read the generations and to answer."""


class _Part(NamedTuple):
    """What one change, or one aggregate, says of rows."""

    key: str
    rows: Sequence[RowChange]
    is_end: bool


class Filling(NamedTuple):
    view: View
    generation: int
    write_model: WriteModel
    together: Together
    remaining: Callable[[], float]
    """Seconds, of the invocation."""
    sleep: Callable[[float], None]
    random: random.Random

    def changes(
        self, changes: Sequence[Change], checked: Sequence[Change], began: float = 0.0
    ) -> tuple[Left[Change], bool]:
        """`checked`: those that are said only as far as their aggregate still is so, which is read now.
        `began`: of what is certain to be from before then, the generation has nothing.

        Also whether there was anything to say.
        """
        current: Mapping[str, Image | None] = {}
        left: Left[Change] = []
        these = {id(change) for change in checked}
        if checked:
            try:
                current = self.write_model.read_images({one.key for one in checked}, remaining=self._remaining)
            except Exception as error:
                left = [(change, error) for change in checked]
        able = [change for change in changes if id(change) not in these or change.key in current]
        if isinstance(self.view.store, Totals):
            refused, counted = self._counted(able, these, current)
            return left + refused + self._add(self.view.store, counted), bool(counted)
        parts: list[tuple[Change, _Part]] = []
        for change in able:
            now = current.get(change.key)
            forgotten = change.created_at < began
            rows, fault = said(self.view, change, self.read, now, checked=id(change) in these, forgotten=forgotten)
            parts.append((change, _Part(change.key, rows, change.is_end)))
            if fault is not None:
                left.append((change, given_up(fault)))
        return left + self._write(self.view.store, parts), any(part.rows for _, part in parts)

    def aggregates(self, images: Sequence[Image]) -> Left[str]:
        """All that these aggregates are now, who were read after this generation had begun. By their keys."""
        left: Left[str] = []
        parts: list[tuple[str, _Part]] = []
        counted: list[tuple[str, Contribution]] = []
        for image in images:
            key = image[self.write_model.key]["S"]
            try:
                aggregate = self.read(image)
                if aggregate.version is None:
                    continue
                if isinstance(self.view.store, Totals):
                    counted.append((key, Contribution(key, aggregate.version, None, self.view.amounts(aggregate))))
                else:
                    parts.append((key, _Part(key, said_of(aggregate, self.view.rows(aggregate)), False)))
            except Exception as error:
                left.append((key, given_up(error)))
        if isinstance(self.view.store, Totals):
            return left + self._add(self.view.store, counted)
        return left + self._write(self.view.store, parts)

    def read(self, image: Image) -> Aggregate:
        """Raises Unreadable."""
        try:
            return self.write_model.aggregate(image)
        except Exception as error:
            raise Unreadable(f"{type(error).__name__}: {error}") from error

    # Rows.

    def _write(self, sink: Sink, parts: Sequence[tuple[Owner, _Part]]) -> Left[Owner]:
        """In one request of the sink; one by one if that cannot be."""
        owners = {_name(row): (row, owner, part) for owner, part in parts for row in part.rows}
        if not owners:
            return []
        try:
            contested = sink.write(self.generation, [row for row, _, _ in owners.values()])
        except (SinkUnavailable, Unstorable):
            return self._one_by_one(sink, parts)
        left: Left[Owner] = []
        for one in contested:
            _, owner, part = owners[_name(one.change)]
            error = self._tried(partial(self._take_over, sink, one, part))
            if error is not None:
                left.append((owner, error))
        return left

    def _one_by_one(self, sink: Sink, parts: Sequence[tuple[Owner, _Part]]) -> Left[Owner]:
        left: Left[Owner] = []
        patient = True
        for owner, part in parts:
            error = self._tried(partial(self._write_part, sink, part), patient=patient)
            if error is not None:
                left.append((owner, error))
                patient = patient and isinstance(error, GivenUp)
        return left

    def _write_part(self, sink: Sink, part: _Part) -> None:
        for one in sink.write(self.generation, part.rows) if part.rows else ():
            self._take_over(sink, one, part)

    def _take_over(self, sink: Sink, contested: Contested, part: _Part) -> None:
        take_over(self.view, sink, self.generation, contested, partial(self._current, part.key), part.is_end)

    def _current(self, key: str) -> Aggregate | None:
        image = self.write_model.read_images([key], remaining=self._remaining)[key]
        try:
            return None if image is None else self.read(image)
        except Unreadable as error:
            raise given_up(error) from error

    # Totals.

    def _counted(
        self, changes: Sequence[Change], checked: set[int], current: Mapping[str, Image | None]
    ) -> tuple[Left[Change], list[tuple[Change, Contribution]]]:
        left: Left[Change] = []
        counted: list[tuple[Change, Contribution]] = []
        for change in changes:
            now = current.get(change.key)
            try:
                one = contribution(self.view, change, self.read, now, checked=id(change) in checked)
            except Exception as error:
                left.append((change, given_up(error)))
            else:
                counted += [] if one is None else [(change, one)]
        return left, counted

    def _add(self, totals: Totals, counted: Sequence[tuple[Owner, Contribution]]) -> Left[Owner]:
        """Those of one aggregate one after the other: they would only be in each other's way."""
        by_source: dict[str, list[tuple[Owner, Contribution]]] = {}
        for owner, one in counted:
            by_source.setdefault(one.source, []).append((owner, one))

        def add(some: Sequence[tuple[Owner, Contribution]]) -> Left[Owner]:
            tried = [(owner, self._tried(partial(totals.write, self.generation, one))) for owner, one in some]
            return [(owner, error) for owner, error in tried if error is not None]

        return [left for some in self.together([partial(add, one) for one in by_source.values()]) for left in some]

    # Both.

    def _tried(self, work: Callable[[], object], *, patient: bool = True) -> Exception | None:
        """None: done, perhaps after some tries."""
        error: Exception | None = None
        for pause in self._pauses() if patient else (0.0,):
            if pause:
                self.sleep(pause)
            try:
                work()
            except (GivenUp, Unstorable) as refused:
                return given_up(refused)
            except Exception as failure:
                error = failure
            else:
                return None
        return error

    def _pauses(self) -> Iterator[float]:
        yield 0.0
        for longest in PAUSES_SECONDS:
            pause = self.random.uniform(0, longest)
            if self._remaining() <= pause:
                return
            yield pause

    def _remaining(self) -> float:
        return self.remaining() - RESERVE_SECONDS


def _name(row: RowChange) -> object:
    """Two of one name say the same."""
    return row.key, row.version, row.source
