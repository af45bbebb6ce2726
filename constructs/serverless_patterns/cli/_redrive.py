"""Moving dead letters back to their queue, so that an interruption at any point loses none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from serverless_patterns.cli._clock import Clock, Pace
from serverless_patterns.cli._inbox import BATCH, Inbox, Lull, in_batch
from serverless_patterns.cli._letters import Letter
from serverless_patterns.cli._outcome import Outcome
from serverless_patterns.cli._returning import DoesNotFit, Returning, returning
from serverless_patterns.cli._selection import Selection
from serverless_patterns.cli._survey import READ_PER_SECOND, Survey
from serverless_patterns_runtime.load_leveled_queue.contract import MAX_MESSAGE_BYTES

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

    from serverless_patterns.cli._route import Queue, Route

__all__ = ["Redrive"]

_RETURNS_THAT_STOP = 10
_NO_ANSWER = "sent or not: the run ended before SQS answered"
_NOT_YET_DELETED = "sent, and the run ended before it was deleted"


class Redrive:
    """One run over a surveyed dead-letter queue.

    Each message is sent to `route.queue` and deleted after SQS has confirmed the sending; nothing else is ever
    deleted. What is received and not moved becomes visible again at the end, or by itself if the run is killed. A
    message that was sent and not deleted is sent again by the next run: on a FIFO queue SQS drops the second one
    (same deduplication id, for five minutes), otherwise the consumer knows it by its idempotency key.

    Only messages that were dead letters before the run began are moved, so that a cause that is still there cannot
    keep messages going round: what this run sends has a later time, a message id that no survey has shown, or both.
    """

    def __init__(
        self,
        sqs: SQSClient,
        route: Route,
        survey: Survey,
        selection: Selection = Selection(),  # noqa: B008  frozen
        *,
        limit: int | None = None,
        rate: float = 10,
        clock: Clock = Clock(),  # noqa: B008  frozen
        interrupted: Callable[[], bool] = lambda: False,
        on_progress: Callable[[Outcome], None] = lambda _: None,
    ) -> None:
        """Args: `rate` in messages a second, above 0; `limit` messages at most; `route.queue` must be known."""
        assert route.queue is not None
        self._sqs = sqs
        self._route = route
        self._queue: Queue = route.queue
        self._survey = survey
        self._surveyed = {letter.message_id for letter in survey.letters}
        self._selection = selection
        self._limit = float("inf") if limit is None else limit
        self._pace = Pace(rate, clock)
        self._at_once = max(1, min(BATCH, int(rate)))
        self._clock = clock
        self._interrupted = interrupted
        self._on_progress = on_progress
        self._sent: set[str] = set()
        self._sent_keys: set[str] = set()
        self._new_ids: set[str] = set()  # message ids that SQS gave to what was sent
        self._stuck_groups: set[str] = set()
        selected = len(survey.selected(selection))
        self._inbox = Inbox(sqs, route, _hiding_time(survey, selected, rate), clock)
        self.outcome = Outcome(selected=min(selected, selected if limit is None else limit))

    def run(self) -> Outcome:
        """Raises what the client raises, after giving back what it holds; `outcome` says how far it came."""
        try:
            while self._pass() and self._queue.fifo and len(self._inbox):
                self._inbox.release()  # a group's next messages show only when no earlier one is held
            if self._queue.fifo and len(self._inbox) and not self._over():
                self.outcome.unseen = self._count_unseen()
        finally:
            self._inbox.release()
        return self.outcome

    def _pass(self) -> bool:
        """Receives until nothing more comes. Returns whether it moved anything and may move more."""
        moved = len(self.outcome.moved)
        lull = Lull(len(self._survey.letters))
        while not lull.over and not self._over():
            letters = self._inbox.receive()
            lull.note(letters)
            self._handle(letters)
        return len(self.outcome.moved) > moved and not self._over()

    def _over(self) -> bool:
        if self._interrupted():
            self.outcome.stopped = "interrupted"
        came_back, moved = len(self.outcome.came_back), len(self.outcome.moved)
        if came_back >= _RETURNS_THAT_STOP and 2 * came_back >= moved:
            self.outcome.stopped = f"{came_back} of {moved} moved messages are dead letters again"
        return self.outcome.stopped is not None or self._room() == 0

    def _room(self) -> float:
        return self._limit - len(self._sent)

    def _handle(self, letters: Sequence[Letter]) -> None:
        self._finish([letter for letter in letters if letter.message_id in self._sent])
        wanted: list[Returning] = []
        for letter in letters:
            if len(wanted) < self._room() and self._wanted(letter):
                try:
                    fifo, max_bytes = self._queue.fifo, self._queue.max_message_bytes
                    wanted.append(returning(letter, fifo=fifo, max_bytes=max_bytes))
                except DoesNotFit as error:
                    self._leave(letter, str(error))
        for some in _sendable_together(wanted, self._at_once, fifo=self._queue.fifo):
            self._move(some)

    def _wanted(self, letter: Letter) -> bool:
        if letter.message_id in self._sent or letter.message_id in self.outcome.left:
            return False
        if self._is_new(letter):
            return False
        if not self._selection.includes(letter):
            self.outcome.not_selected.add(letter.message_id)
            return False
        if not self._route.chosen and letter.source_arn not in (None, self._queue.arn):
            self._leave(
                letter, f"it came from {str(letter.source_arn).rsplit(':', 1)[-1]}: name that queue, or use --to"
            )
            return False
        return True

    def _is_new(self, letter: Letter) -> bool:
        """Whether it became a dead letter while the run was on."""
        if letter.message_id in self._surveyed:
            return False
        late = letter.sent_at > self._survey.started
        if letter.message_id in self._new_ids or (late and letter.idempotency_key in self._sent_keys):
            self.outcome.came_back[letter.message_id] = letter.reason
            return True
        if late:
            self.outcome.arrived.add(letter.message_id)
        return late

    def _move(self, some: Sequence[Returning]) -> None:
        self._pace.wait_for(len(some))
        now = {one.letter.message_id: one for one in some if self._may_go(one.letter)}
        if not now or self._interrupted():
            return
        self.outcome.undeleted |= dict.fromkeys(now, _NO_ANSWER)
        entries = [one.entry for one in now.values()]
        good, bad = in_batch(self._sqs.send_message_batch, self._queue.url, entries, self._clock)
        self._new_ids |= {result["MessageId"] for result in good.values()}
        self._sent |= good.keys()
        self._sent_keys |= {now[id_].letter.idempotency_key for id_ in good}
        self.outcome.undeleted |= dict.fromkeys(good, _NOT_YET_DELETED)
        for id_, words in bad.items():
            del self.outcome.undeleted[id_]
            self._leave(now[id_].letter, f"SQS refused it: {words}")
        self._finish([one.letter for id_, one in now.items() if id_ in good])

    def _may_go(self, letter: Letter) -> bool:
        if letter.group_id in self._stuck_groups:
            self.outcome.left[letter.message_id] = f"an earlier message of group {letter.group_id} could not be moved"
            return False
        return self._inbox.is_ours(letter)  # else it comes again, here or at another run

    def _finish(self, sent: Sequence[Letter]) -> None:
        if not sent:
            return
        failed = self._inbox.delete(sent)
        for letter in sent:
            if letter.message_id in failed:
                self.outcome.undeleted[letter.message_id] = failed[letter.message_id]
            elif self.outcome.undeleted.pop(letter.message_id, None):
                self.outcome.moved.append(letter.message_id)
        self._on_progress(self.outcome)

    def _leave(self, letter: Letter, cause: str) -> None:
        self.outcome.left[letter.message_id] = cause
        if self._queue.fifo and letter.group_id is not None:
            self._stuck_groups.add(letter.group_id)  # what is behind it must not overtake it

    def _count_unseen(self) -> int:
        seen = {*self.outcome.moved, *self.outcome.undeleted, *self.outcome.left, *self.outcome.not_selected}
        return max(0, self._survey.visible - len(seen))


def _hiding_time(survey: Survey, selected: int, rate: float) -> float:
    """Seconds: long enough to send what is in hand, and to keep what was not selected out of the way meanwhile."""
    in_hand = BATCH if selected == len(survey.letters) else selected
    return 120 + in_hand / rate + len(survey.letters) / READ_PER_SECOND


def _sendable_together(wanted: Sequence[Returning], at_once: int, *, fifo: bool) -> Iterator[list[Returning]]:
    """Batches that fit into one request. On FIFO, one message of a group each: a batch may fail in its middle."""
    some: list[Returning] = []
    for one in wanted:
        too_large = sum(other.bytes for other in some) + one.bytes > MAX_MESSAGE_BYTES
        same_group = fifo and any(other.letter.group_id == one.letter.group_id for other in some)
        if too_large or same_group or len(some) == at_once:
            yield some
            some = []
        some.append(one)
    if some:
        yield some
