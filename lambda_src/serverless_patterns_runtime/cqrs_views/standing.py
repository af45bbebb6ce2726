"""How a view stands: its control item, and the steps by which it goes from one generation to the next.

Steps are pure. Each is done already, or not allowed, or gives how the view stands then.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from serverless_patterns_runtime.attribute_values import AttributeValue, deserialize_item, serialize_item
from serverless_patterns_runtime.cqrs_table.aggregate import plain
from serverless_patterns_runtime.cqrs_views import contract
from serverless_patterns_runtime.errors import PermanentError

__all__ = ["FAILED_SECONDS", "PREVIOUS_SECONDS", "OtherStore", "Standing", "Superseded"]

PREVIOUS_SECONDS = 3_900
"""From the flip until the previous generation may go: more than a reader's cursor is good (`KEPT_SECONDS`)."""

FAILED_SECONDS = 1_000
"""Until a generation that nobody will read may go: what still fills it has ended by then."""

_REASON_CHARACTERS = 1_000


class Superseded(PermanentError):
    """This execution does not rebuild the view, or not any more."""

    def __init__(self) -> None:  # pyright: ignore[reportInconsistentConstructor]
        super().__init__("the rebuild was cancelled, or another one has its place")


class OtherStore(PermanentError):
    """A deployment in the middle of a rebuild: half would be under other keys. The sweep begins another one."""

    def __init__(self) -> None:  # pyright: ignore[reportInconsistentConstructor]
        super().__init__("the view's keys, or where it is kept, are others than when this rebuild began")


@dataclass(frozen=True)
class Standing:
    live: int | None = None
    building: int | None = None
    previous: int | None = None
    last: int = 0
    execution: str = ""
    phase: str = ""
    reason: str = ""
    by: str = ""
    started_at: Mapping[int, int] = field(default_factory=dict[int, int])
    """By generation, epoch milliseconds."""
    segments: Mapping[int, int] = field(default_factory=dict[int, int])
    """By generation, in how many parts it is filled, and dropped."""
    ended_at: int = 0
    """When the last rebuild ended, epoch seconds."""
    dropping: Mapping[int, int] = field(default_factory=dict[int, int])
    """Generations whose rows are to go: from when on, epoch seconds."""
    store: str = ""
    """`store_of` its generations; empty: nobody has said."""
    tolerant: bool = False
    """Whether aggregates that cannot be projected are parked, and keep it from nothing."""
    revision: int = 0
    """Of the item: counts its changes."""

    @classmethod
    def of(cls, item: Mapping[str, AttributeValue] | None) -> "Standing":
        told: dict[str, Any] = plain(deserialize_item(item or {}))
        told.pop(contract.PARTITION_KEY, None)
        for name in _BY_GENERATION:
            told[name] = {int(generation): at for generation, at in told.get(name, {}).items()}
        return cls(**told)

    def item(self, view: str) -> dict[str, AttributeValue]:
        told = {name: value for name, value in vars(self).items() if value is not None}
        for name in _BY_GENERATION:
            told[name] = {str(generation): at for generation, at in told[name].items()}
        return serialize_item({contract.PARTITION_KEY: f"view/{view}", **told})

    def rebuilt_by(self, generation: int, execution: str) -> bool:
        return (self.building, self.execution) == (generation, execution)

    def is_of(self, store: str) -> bool:
        """Whether its generations are `store`'s. Empty: nobody has said."""
        return not store or self.store in ("", store)

    def check_store(self, store: str) -> None:
        """Of what a rebuild has begun. Raises OtherStore."""
        if not self.is_of(store):
            raise OtherStore

    # Steps.

    def begun(
        self, generation: int, execution: str, segments: int, by: str, now: float, *, tolerant: bool
    ) -> "Standing":
        """From now on changes are projected to it too. A view that nobody can read yet has nothing to lose."""
        if self.rebuilt_by(generation, execution):
            return self
        if self.building is not None or self.last >= generation:
            raise Superseded
        return replace(
            self,
            building=generation,
            last=generation,
            execution=execution,
            phase="scan",
            segments={**self.segments, generation: segments},
            reason="",
            by=by,
            tolerant=tolerant or self.live is None,
            started_at={**self.started_at, generation: round(now * 1000)},
        )

    def kept_in(self, store: str) -> "Standing":
        """Of a table that was made anew, or of rows with another key, nothing can be read yet: what was live goes."""
        if not store or self.store == store:
            return self
        if self.is_of(store) or self.live is None:
            return replace(self, store=store)
        dropping = {**self.dropping, self.live: 0}
        return replace(self, store=store, live=None, previous=None, dropping=dropping)

    def verified(self, generation: int, execution: str) -> "Standing":
        """Its scan is done."""
        if not self.rebuilt_by(generation, execution):
            raise Superseded
        return replace(self, phase="verify")

    def flipped(self, generation: int, execution: str, now: float) -> "Standing":
        """From now on it is read."""
        if self.live == generation:
            return self
        if not self.rebuilt_by(generation, execution):
            raise Superseded
        if self.live is None:
            return replace(self, live=generation, building=None, phase="done", ended_at=int(now))
        return replace(
            self,
            live=generation,
            building=None,
            phase="drop",
            previous=self.live,
            dropping={**self.dropping, self.live: int(now) + PREVIOUS_SECONDS},
            ended_at=int(now),
        )

    def given_up(self, generation: int, execution: str, phase: str, reason: str, now: float) -> "Standing":
        """Nobody fills it any more. Of an execution that never began: it never will, and why is told."""
        if self.rebuilt_by(generation, execution):
            dropping = {**self.dropping, generation: int(now) + FAILED_SECONDS}
            ended = replace(self, building=None, phase=phase, reason=reason[:_REASON_CHARACTERS], ended_at=int(now))
            return replace(ended, dropping=dropping)
        skipped = self.skipped(generation)
        if self.building is not None or self.last >= generation:
            return skipped
        return replace(skipped, phase=phase, reason=reason[:_REASON_CHARACTERS], ended_at=int(now))

    def skipped(self, generation: int) -> "Standing":
        """No execution ever begins it: its name is used."""
        return replace(self, last=max(self.last, generation))

    def dropped(self, generation: int) -> "Standing":
        """Its rows are gone."""
        if generation in (self.live, self.building):
            raise Superseded
        done = "done" if self.phase == "drop" and self.previous == generation else self.phase
        return replace(
            self,
            phase=done,
            previous=None if self.previous == generation else self.previous,
            started_at=_without(self.started_at, generation),
            segments=_without(self.segments, generation),
            dropping=_without(self.dropping, generation),
        )


_BY_GENERATION = (contract.STARTED_AT, "segments", "dropping")


def _without(numbers: Mapping[int, int], generation: int) -> dict[int, int]:
    return {number: at for number, at in numbers.items() if number != generation}
