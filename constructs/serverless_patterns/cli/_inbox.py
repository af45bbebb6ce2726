"""Receiving from a dead-letter queue without losing anything: what is received is held, deleted, or given back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, cast

from botocore.exceptions import BotoCoreError, ClientError

from serverless_patterns.cli._letters import Letter, read_letter

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

    from serverless_patterns.cli._clock import Clock
    from serverless_patterns.cli._route import Route

__all__ = ["BATCH", "Inbox", "Lull", "in_batch"]

BATCH = 10
"""Messages in one request (SQS quota)."""

MAX_VISIBILITY_SECONDS = 43_200
"""SQS quota: 12 hours."""

_ATTEMPTS = 4
_EMPTY_RECEIVES = 3
_MARGIN_SECONDS = 10
"""A message is not sent on when SQS could give it to somebody else before it is deleted here."""


class Inbox:
    """What one run has received and not deleted.

    A message stays hidden from everybody else for `visibility` seconds, or until `release`. So a run that dies
    loses nothing: SQS gives its messages out again.
    """

    def __init__(self, sqs: SQSClient, route: Route, visibility: float, clock: Clock) -> None:
        self._sqs = sqs
        self._url = route.dead_letters.url
        self._max_receive_count = route.max_receive_count
        self._visibility = min(int(visibility), MAX_VISIBILITY_SECONDS)
        self._clock = clock
        self._held: dict[str, tuple[str, float]] = {}  # message id: receipt handle, hidden until

    def __len__(self) -> int:
        return len(self._held)

    def receive(self, count: int = BATCH) -> list[Letter]:
        """Waits up to a second: a wait makes SQS ask all its servers, so an empty answer means something."""
        until = self._clock.now() + self._visibility
        answer = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=min(count, BATCH),
            WaitTimeSeconds=1,
            VisibilityTimeout=self._visibility,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        letters = [read_letter(message, self._max_receive_count) for message in answer.get("Messages", [])]
        self._held |= {letter.message_id: (letter.receipt_handle, until) for letter in letters}
        return letters

    def is_ours(self, letter: Letter) -> bool:
        """False once SQS may give it to somebody else."""
        handle, until = self._held.get(letter.message_id, ("", 0.0))
        return handle == letter.receipt_handle and self._clock.now() < until - _MARGIN_SECONDS

    def delete(self, letters: Sequence[Letter]) -> dict[str, str]:
        """Returns what could not be deleted: message id and SQS's words."""
        entries = [{"Id": letter.message_id, "ReceiptHandle": letter.receipt_handle} for letter in letters]
        _, failed = in_batch(self._sqs.delete_message_batch, self._url, entries, self._clock)
        for letter in letters:
            if letter.message_id not in failed:
                self._held.pop(letter.message_id, None)
        return failed

    def release(self) -> None:
        """Makes all that is held visible again. What fails becomes visible by itself, later."""
        now = self._clock.now()
        held = [(id_, handle) for id_, (handle, until) in self._held.items() if now < until]
        self._held.clear()
        try:
            for start in range(0, len(held), BATCH):
                self._sqs.change_message_visibility_batch(
                    QueueUrl=self._url,
                    Entries=[
                        {"Id": id_, "ReceiptHandle": handle, "VisibilityTimeout": 0}
                        for id_, handle in held[start : start + BATCH]
                    ],
                )
        except (BotoCoreError, ClientError):
            return  # the error that ended the run is the one to tell


class Lull:
    """Whether a queue has nothing more to give: some receives in a row brought nothing new."""

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self._seen: set[str] = set()
        self._quiet = 0

    def note(self, letters: Iterable[Letter]) -> list[Letter]:
        """Returns those that had not been seen."""
        new = [letter for letter in letters if letter.message_id not in self._seen]
        self._seen.update(letter.message_id for letter in new)
        self._quiet = 0 if new else self._quiet + 1
        return new

    @property
    def over(self) -> bool:
        return self._quiet >= (1 if len(self._seen) >= self._expected else _EMPTY_RECEIVES)


class _BatchCall(Protocol):
    def __call__(self, *, QueueUrl: str, Entries: Any) -> Any: ...


def in_batch(
    call: _BatchCall, url: str, entries: Sequence[Mapping[str, Any]], clock: Clock
) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Sends a batch, and again those of its entries that failed by SQS's own fault.

    Returns: results of the good entries and SQS's words about the bad ones, each by the entry's id.
    """
    good: dict[str, dict[str, Any]] = {}
    bad: dict[str, str] = {}
    for attempt in range(_ATTEMPTS):
        if attempt:
            clock.sleep(0.2 * 2**attempt)
        answer = cast("dict[str, list[dict[str, Any]]]", call(QueueUrl=url, Entries=entries))
        good |= {result["Id"]: result for result in answer.get("Successful", [])}
        failed = {result["Id"]: result for result in answer.get("Failed", [])}
        bad |= {id_: f"{f.get('Code', '')}: {f.get('Message', '')}".strip(": ") for id_, f in failed.items()}
        entries = [e for e in entries if e["Id"] in failed and not failed[e["Id"]].get("SenderFault")]
        if not entries:
            break
    return good, {id_: words for id_, words in bad.items() if id_ not in good}
