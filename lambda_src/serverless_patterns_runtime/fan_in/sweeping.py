"""The deadline: what is overdue is closed and announced, and what was closed and died before it was announced too.

Any number at once, each as often as one likes: whoever comes second finds it done, or does the same again.
"""

import random
from collections.abc import Callable
from typing import NamedTuple

from serverless_patterns_runtime.fan_in import contract
from serverless_patterns_runtime.fan_in.announcements import Announcements
from serverless_patterns_runtime.fan_in.contract import Outcome
from serverless_patterns_runtime.fan_in.head import Head
from serverless_patterns_runtime.fan_in.heads import Heads
from serverless_patterns_runtime.fan_in.reports import Reports

__all__ = ["Sweep"]

LAST_SECONDS = 5.0
"""Kept free at the end: the next sweep goes on."""

LOOKS = 2
"""At a head: once it could not be closed, it is full, or another sweep has closed it."""

_METRICS: dict[Outcome, str] = {
    "complete": contract.METRIC_COMPLETED,
    "deadline": contract.METRIC_DEADLINE_MISSED,
}


class Sweep(NamedTuple):
    heads: Heads
    announcements: Announcements
    reports: Reports
    random: random.Random
    clock: Callable[[], float]

    def sweep(self, remaining: Callable[[], float]) -> int:
        """How many it has ended. One that cannot be ended keeps none of the others from it: the first error is raised
        at the end.

        The shards in any order, so that none is always the one that there is no time for.
        """
        ended, failed = 0, None
        for shard in self.random.sample(range(contract.SHARDS), contract.SHARDS):
            for key in self.heads.due(shard):
                if remaining() < LAST_SECONDS:
                    break
                try:
                    ended += self._end(key)
                except Exception as error:
                    failed = failed or error
        if failed is not None:
            raise failed
        return ended

    def _end(self, key: str) -> bool:
        """The index is a little behind: what counts is the head as it is now."""
        for _ in range(LOOKS):
            head = self.heads.find(key)
            outcome = None if head is None or head.announced else self._outcome(head)
            if head is None or outcome is None:
                return False
            if outcome == "deadline" and head.state == "open" and not self.heads.close(key):
                continue  # the last result came just now
            if not self.announcements.announce(head, outcome):
                return False
            self.reports.tell([_METRICS[outcome]], head.correlation_id)
            return True
        return False

    def _outcome(self, head: Head) -> Outcome | None:
        if not head.missing:
            return "complete"
        return "deadline" if head.state == "deadline" or head.due <= self.clock() else None
