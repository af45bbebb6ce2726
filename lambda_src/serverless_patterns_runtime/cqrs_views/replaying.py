"""Trying again what was given up: one object of the bucket at a time."""

import json
from collections.abc import Callable, Collection
from typing import Any, NamedTuple, cast

from serverless_patterns_runtime.cqrs_views import contract
from serverless_patterns_runtime.cqrs_views.contract import Parked
from serverless_patterns_runtime.cqrs_views.projector import Outcome, Projector
from serverless_patterns_runtime.cqrs_views.records import Change

__all__ = ["Replaying"]


class Replaying(NamedTuple):
    projector: Projector
    mark: Callable[[Collection[str]], None]
    """Told which views have changed."""

    def replay(self, name: str, remaining: Callable[[], float]) -> bool:
        """True: it is done, and its object gone. Raises Unavailable, ClientError and BotoCoreError."""
        said = self.projector.parking.load(name)
        if said is not None and not self._is_done(name, said, remaining):
            return False
        self.projector.parking.remove(name)
        return True

    def _is_done(self, name: str, said: dict[str, Any], remaining: Callable[[], float]) -> bool:
        if name.startswith(contract.UNDELIVERED_PREFIX):
            outcome = self._undelivered(said, remaining)
            self._mark(outcome)
            return not outcome.failed
        parked = cast("Parked", said)
        view = self.projector.views.get(parked["view"])
        if view is None:
            return False
        alone = self.projector._replace(views={view.name: view})
        outcome = alone.project([Change.from_parked(parked)], remaining, replayed=True)
        self._mark(outcome)
        return not outcome.failed and not outcome.parked

    def _undelivered(self, said: dict[str, Any], remaining: Callable[[], float]) -> Outcome:
        """Lambda's own object: the event is text in it."""
        payload = said["payload"]
        event = json.loads(payload) if isinstance(payload, str) else payload
        key = self.projector.write_model.key
        changes = [Change.from_record(record, key) for record in event["Records"]]
        return self.projector.project(changes, remaining, replayed=True)

    def _mark(self, outcome: Outcome) -> None:
        if outcome.views:
            self.mark(outcome.views)
