"""A branch of a fan-in: its part in each message that it gets.

Aggregator (Hohpe & Woolf, 2003), without an aggregator: whoever comes last tells the queue of completions.
"""

import math
import random
from collections.abc import Callable
from typing import Any

from serverless_patterns_runtime.claims.claim import Contended
from serverless_patterns_runtime.claims.contention import tries
from serverless_patterns_runtime.errors import MalformedPayload
from serverless_patterns_runtime.fan_in import contract
from serverless_patterns_runtime.fan_in.announcements import Announcements
from serverless_patterns_runtime.fan_in.expected import Filters, named
from serverless_patterns_runtime.fan_in.head import Head
from serverless_patterns_runtime.fan_in.heads import Heads, NotRecorded
from serverless_patterns_runtime.fan_in.reports import Reports
from serverless_patterns_runtime.fan_in.results import Results
from serverless_patterns_runtime.fan_in.settings import BranchSettings
from serverless_patterns_runtime.load_leveled_queue.contract import IDEMPOTENCY_KEY_ATTRIBUTE
from serverless_patterns_runtime.load_leveled_queue.dead_letters import original_attributes
from serverless_patterns_runtime.load_leveled_queue.message import Message, Request

__all__ = ["Branch", "Part"]

STEPS = 3
"""Of one report: to find that there is no head, that somebody else has made one, and to record the result there."""


class Branch:
    """Of one function."""

    def __init__(
        self,
        settings: BranchSettings,
        heads: Heads,
        results: Results,
        announcements: Announcements,
        reports: Reports,
        *,
        key_path: str,
        sleep: Callable[[float], None],
        chance: random.Random,
    ) -> None:
        self.settings = settings
        self.filters = Filters(settings)
        self.heads = heads
        self.results = results
        self.announcements = announcements
        self.reports = reports
        self.sleep = sleep
        self.chance = chance
        self._key_path = key_path

    def check_key(self, message: Message) -> None:
        """The message's id is another in each branch. Raises MalformedPayload when it would be the key."""
        if not self._key_path and IDEMPOTENCY_KEY_ATTRIBUTE not in original_attributes(message):
            raise MalformedPayload(
                "the message has no idempotency key that all branches of its fan-in know: publish it with one, or give"
                " the topic an idempotency_key"
            )

    def part(self, message: Message, request: Request) -> "Part":
        """Raises UnusableExpectation."""
        path = self.settings.expected_path
        return Part(self, message, request, named(request.payload, path) if path else None)


class Part:
    """In the fan-in of one message."""

    def __init__(self, branch: Branch, message: Message, request: Request, expected: frozenset[str] | None) -> None:
        self._branch = branch
        self._message = message
        self._request = request
        self._expected = expected
        self._opened = False
        self._told: list[str] = []  # names of metrics; told by the invocation's own thread

    def tell(self) -> None:
        """Count and log what has come of it."""
        self._branch.reports.tell(self._told, self._message.correlation_id)
        self._told.clear()

    def keep(self, result: Any) -> str:
        """What `report` takes, and may take again: it stands for this result. Raises UnusableResult."""
        branch = self._branch
        return branch.results.keep(self._key, branch.settings.branch, result, branch.settings.inline_bytes)

    def report(self, kept: str, remaining: Callable[[], float]) -> None:
        """Record the result, and if it was the last one, announce that. Returns when nobody has to do it again.

        A result that is refused counts as recorded: trying again would be in vain. Raises Contended when time runs
        out; after any error it is unknown what was done, and reporting again settles it.
        """
        for _ in tries(remaining, self._branch.sleep, self._branch.chance):
            try:
                head = self._recorded(kept)
                if head is not None and not head.missing and self._branch.announcements.announce(head, "complete"):
                    self._told.append(contract.METRIC_COMPLETED)
                return
            except Contended:
                continue

    def open(self) -> None:
        """See to it that the deadline comes, though there is no result."""
        if self._opened:
            return
        if self._branch.heads.find(self._key) is None:
            self._created({})
        self._opened = True

    @property
    def _key(self) -> str:
        return self._request.claim.key

    def _recorded(self, kept: str) -> Head | None:
        """The head with the result in it; None when it is refused."""
        heads, name = self._branch.heads, self._branch.settings.branch
        for _ in range(STEPS):
            try:
                return heads.record(self._key, self._request.claim.payload, name, kept)
            except NotRecorded as refused:
                found = refused.found
            if found is not None:
                return self._refused(found)
            head = self._created({name: kept})
            if head is not None:
                return head if name in head.expected else self._refused(head)
        raise Contended("the head came and went")

    def _refused(self, found: Head) -> None:
        name = self._branch.settings.branch
        if found.payload != self._request.claim.payload:
            self._told.append(contract.METRIC_CONFLICTING_RESULTS)
        elif name not in found.results and self._branch.heads.refuse(self._key, name):
            late = name in found.expected
            self._told.append(contract.METRIC_LATE_RESULTS if late else contract.METRIC_UNEXPECTED_RESULTS)

    def _created(self, results: dict[str, str]) -> Head | None:
        """None: somebody else was faster."""
        settings, claim = self._branch.settings, self._request.claim
        expected = self._expected or self._branch.filters.expected(self._message)
        due = math.ceil(self._message.sent_at) + settings.deadline_seconds
        head = Head(
            key=claim.key,
            payload=claim.payload,
            expected=expected,
            results={name: kept for name, kept in results.items() if name in expected},
            due=due,
            correlation_id=self._message.correlation_id,
        )
        created = self._branch.heads.create(head, self._message.body, due + settings.retention_seconds)
        return head if created else None
