"""Brings changes into views: into every generation that there is when they arrive."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from serverless_patterns_runtime.claims.claim import Contended
from serverless_patterns_runtime.cqrs_table.aggregate import version_of
from serverless_patterns_runtime.cqrs_table.settings import WriteModel
from serverless_patterns_runtime.cqrs_views import contract
from serverless_patterns_runtime.cqrs_views.contract import ParkReason
from serverless_patterns_runtime.cqrs_views.filling import Filling
from serverless_patterns_runtime.cqrs_views.generations import Generations, Pointers
from serverless_patterns_runtime.cqrs_views.giving_up import GivenUp
from serverless_patterns_runtime.cqrs_views.parking import NotParked, Parking
from serverless_patterns_runtime.cqrs_views.records import Change
from serverless_patterns_runtime.cqrs_views.sink import SinkUnavailable
from serverless_patterns_runtime.cqrs_views.together import Together
from serverless_patterns_runtime.cqrs_views.total_holding import store_of_view
from serverless_patterns_runtime.cqrs_views.views import View
from serverless_patterns_runtime.error_fields import describe

__all__ = ["Outcome", "Projector", "Unavailable"]

DAY_SECONDS = 24 * 3600

PARK_AFTER_SECONDS = 300
"""A change that cannot be written for so long is parked, so that others get by."""


class Unavailable(Exception):
    """It cannot be known which generations there are: nothing is settled."""


class MadeByOthers(Exception):
    """Code with other keys, or for another table, made the generations that there are. It is older, or newer."""


class Outcome(NamedTuple):
    failed: Sequence[Change]
    """Neither in all views nor parked, in the order that they came."""
    parked: Sequence[tuple[str, Change, ParkReason]]
    """By their views."""
    views: set[str]
    """That have changed now, or had before when this comes again."""


class Projector(NamedTuple):
    views: Mapping[str, View]
    write_model: WriteModel
    pointers: Pointers
    parking: Parking
    together: Together
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    random: random.Random
    logger: Any

    def project(self, changes: Sequence[Change], remaining: Callable[[], float], *, replayed: bool = False) -> Outcome:
        """Once or again, in any order. `replayed`: each is looked at as an old one, and none parked for its age.

        Raises Unavailable.
        """
        work = _Work(self, [change for change in changes if change.version is not None], remaining, replayed)
        if work.changes:
            work.run()
        return Outcome([one for one in changes if id(one) in work.failed], list(work.parked.values()), work.written)


class _Work:
    def __init__(
        self, projector: Projector, changes: Sequence[Change], remaining: Callable[[], float], replayed: bool
    ) -> None:
        self.changes = changes
        self.failed: set[int] = set()
        self.parked: dict[tuple[str, int], tuple[str, Change, ParkReason]] = {}
        self.written: set[str] = set()
        self._projector = projector
        self._remaining = remaining
        self._replayed = replayed

    def run(self) -> None:
        """The generations are read first, and now: what was begun later is filled from what these changes have left."""
        projector = self._projector
        try:
            found = projector.pointers.read(projector.views, remaining=self._remaining)
        except (Contended, ClientError, BotoCoreError) as error:
            raise Unavailable(type(error).__name__) from error
        for name, view in projector.views.items():
            if not found[name].are_of(store_of_view(view)):
                self._wait(view)
                continue
            for generation in found[name].written:
                self._fill(view, generation, found[name])

    def _wait(self, view: View) -> None:
        """In the middle of a deployment: until the others, or this, are of the same code. Nothing is written till then:
        under other keys nobody would find it, nor take it away after a roll-back."""
        for change in self.changes:
            self._give_up(view, change, MadeByOthers())

    def _fill(self, view: View, generation: int, generations: Generations) -> None:
        projector = self._projector
        filling = Filling(
            view, generation, projector.write_model, projector.together,
            self._remaining, projector.sleep, projector.random,
        )  # fmt: skip
        changes = self._ours(view)
        checked = [change for change in changes if self._is_checked(change, generation, generations)]
        began = generations.started_at.get(generation, 0) / 1000 - contract.CHECKED_SECONDS
        left, said = filling.changes(changes, checked, began)
        if said:
            self.written.add(view.name)
        for change, error in left:
            self._give_up(view, change, error)

    def _ours(self, view: View) -> list[Change]:
        """Without those whose version does not tell them from what was there before."""
        strange = [change for change in self.changes if change.behind_our_back and not self._has_followed(change)]
        for change in strange:
            self._give_up(view, change, GivenUp("unversioned", "somebody has changed the item, and not its version"))
        kept = {id(change) for change in strange}
        return [change for change in self.changes if id(change) not in kept]

    def _has_followed(self, change: Change) -> bool:
        """A version that has come after it says all that is to say."""
        if not self._replayed:
            return False
        try:
            read = self._projector.write_model.read_images([change.key], remaining=self._remaining)[change.key]
        except (Contended, ClientError, BotoCoreError):
            return False
        version = None if read is None else version_of(read)
        return version is None or version > change.highest

    def _is_checked(self, change: Change, generation: int, generations: Generations) -> bool:
        """A late one might bring what is gone, where only the generation before has the tombstone."""
        now = self._projector.clock()
        started_at = generations.started_at.get(generation, now * 1000) / 1000
        return (
            self._replayed
            or change.created_at <= started_at + contract.CHECKED_SECONDS
            or change.created_at <= now - DAY_SECONDS
        )

    def _give_up(self, view: View, change: Change, error: Exception) -> None:
        projector = self._projector
        if isinstance(error, GivenUp):
            reason, message = error.reason, str(error)
        elif not self._replayed and projector.clock() - change.created_at > PARK_AFTER_SECONDS:
            reason = "unavailable"
            message = str(error) if isinstance(error, SinkUnavailable) else type(error).__name__
        else:
            self.failed.add(id(change))
            self._tell("change not written", view, change, _told(error))
            return
        if (view.name, id(change)) in self.parked:
            return
        try:
            name = projector.parking.park(view.name, change, reason, message)
        except NotParked as refused:
            self.failed.add(id(change))
            self._tell("change not parked", view, change, describe(refused, with_message=False))
            return
        self.parked[view.name, id(change)] = view.name, change, reason
        self._tell("change parked", view, change, {"reason": reason, "object": name, **_told(error)})

    def _tell(self, text: str, view: View, change: Change, more: dict[str, Any]) -> None:
        said = {"view": view.name, "sequence_number": change.sequence_number, "version": change.version}
        self._projector.logger.warning(text, extra=said | more)


def _told(error: Exception) -> dict[str, Any]:
    """A function's errors quote its data, so what they say is not told; a sink's do not."""
    if isinstance(error, SinkUnavailable):
        return describe(error, with_message=True)
    return describe(error.__cause__ or error, with_message=False)
