"""What is in a dead-letter queue: read whole, and given back."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from serverless_patterns.cli._clock import Clock
from serverless_patterns.cli._inbox import BATCH, Inbox, Lull
from serverless_patterns.cli._letters import Letter

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

    from serverless_patterns.cli._route import Route
    from serverless_patterns.cli._selection import Selection

__all__ = ["Group", "Survey", "by_age", "by_reason", "survey"]

_POSITION = re.compile(r"(?<=^not valid JSON) at character \d+$")
"""Differs from one broken body to the next; the reason is the same."""

READ_PER_SECOND = 50
"""A low guess, so that messages stay hidden until the last one is read."""


@dataclass
class Survey:
    started: float
    """Epoch seconds on SQS's clock. What was sent after this came while the run was on."""
    visible: int
    """Messages that SQS counts (approximately) as ready to be received, when the reading began."""
    hidden: int
    """Messages that somebody else had received at that time, or that are delayed."""
    letters: list[Letter] = field(default_factory=list[Letter])

    def selected(self, selection: Selection) -> list[Letter]:
        return [letter for letter in self.letters if selection.includes(letter)]


@dataclass(frozen=True)
class Group:
    """Dead letters with one reason."""

    reason: str
    error_type: str | None
    letters: list[Letter]

    @property
    def oldest(self) -> Letter:
        return min(self.letters, key=by_age)


def survey(
    sqs: SQSClient,
    route: Route,
    *,
    clock: Clock = Clock(),  # noqa: B008  frozen
    limit: int | None = None,
    keep_bodies: bool = False,
    interrupted: Callable[[], bool] = lambda: False,
    on_progress: Callable[[Survey], None] = lambda _: None,
) -> Survey:
    """Reads all dead letters, or `limit` of them, and makes them visible again, also on an error or interruption.

    Of each group of a FIFO queue SQS shows ten messages at most while they are not deleted.
    """
    result = _start(sqs, route, clock)
    inbox = Inbox(sqs, route, 60 + result.visible / READ_PER_SECOND, clock)
    lull = Lull(result.visible)
    try:
        while not lull.over and not interrupted() and (limit is None or len(result.letters) < limit):
            count = BATCH if limit is None else limit - len(result.letters)
            for letter in lull.note(inbox.receive(count)):
                result.letters.append(letter if keep_bodies else dataclasses.replace(letter, body="", attributes={}))
            on_progress(result)
    finally:
        inbox.release()
    return result


def by_age(letter: Letter) -> tuple[float, str]:
    """Sorts by the time of sending; equal times always in the same order."""
    return letter.sent_at, letter.message_id


def by_reason(letters: list[Letter]) -> list[Group]:
    """Most frequent first. Where a body stops being JSON makes no reason of its own."""
    groups: dict[tuple[str, str | None], list[Letter]] = {}
    for letter in letters:
        groups.setdefault((_POSITION.sub("", letter.reason), letter.error_type), []).append(letter)
    found = [Group(reason, error_type, some) for (reason, error_type), some in groups.items()]
    return sorted(found, key=lambda group: (-len(group.letters), group.reason, group.error_type or ""))


def _start(sqs: SQSClient, route: Route, clock: Clock) -> Survey:
    answer: dict[str, Any] = dict(sqs.get_queue_attributes(QueueUrl=route.dead_letters.url, AttributeNames=["All"]))
    counts = answer["Attributes"]
    visible, *hidden = (
        int(counts.get(f"ApproximateNumberOfMessages{which}", 0)) for which in ("", "NotVisible", "Delayed")
    )
    date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    # This machine's clock may be wrong, and messages carry SQS's time. The header has whole seconds: the end of this
    # one is still before the end of the reading, so before the first message of ours.
    started = parsedate_to_datetime(date).timestamp() + 1 if date else clock.now()
    return Survey(started=started, visible=visible, hidden=sum(hidden))
