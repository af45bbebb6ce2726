"""What follows from a verdict: a dead letter, a delay, a log line, and the answer to Lambda."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from serverless_patterns_runtime.claims.completed import CompletedClaims
from serverless_patterns_runtime.clients import unreachable
from serverless_patterns_runtime.errors import IdempotencyKeyReused
from serverless_patterns_runtime.load_leveled_queue.dead_letters import DeadLetters
from serverless_patterns_runtime.load_leveled_queue.delivery import Delivery
from serverless_patterns_runtime.load_leveled_queue.edge import Edge
from serverless_patterns_runtime.load_leveled_queue.message import Message, Request
from serverless_patterns_runtime.load_leveled_queue.verdicts import (
    Busy,
    Duplicate,
    Failed,
    Held,
    Refused,
    Unstarted,
    Verdict,
)
from serverless_patterns_runtime.load_leveled_queue.visibility import Backoff, Visibility
from serverless_patterns_runtime.telemetry import describe

if TYPE_CHECKING:
    from serverless_patterns_runtime.load_leveled_queue.taking_part import Part

__all__ = ["Conclusions"]


LAST_SECONDS = 0.3
"""Kept free of dead letters, for delays and the answer."""


class Conclusions:
    def __init__(self, edge: Edge, remaining: Callable[[], float]) -> None:
        settings = edge.settings
        self._remaining = remaining
        self._buried_any = False
        self._cannot_open = False
        self._clock = edge.clock
        self._logger = edge.logger
        self._metrics = edge.metrics
        self._dead_letters = DeadLetters(edge.sqs, settings.dead_letter_queue_url)
        self._completed = CompletedClaims(edge.dynamodb, settings.claims_table_name, edge.clock)
        self._visibility = Visibility(edge.sqs, settings.queue_url)
        self._backoff = Backoff(settings.retry_base_seconds, settings.retry_max_seconds, edge.random)
        self._outcomes: Counter[str] = Counter()
        self._returning: list[tuple[Message, int]] = []
        self._errors: list[BaseException] = []

    def conclude(self, delivery: Delivery, verdict: Verdict) -> None:
        """Acknowledged, or back after a delay; a refused message only once the dead-letter queue has it.

        Nor is one refused whose work is complete: what was processed is no dead letter.
        """
        if isinstance(verdict, Refused | Failed | Held) and verdict.error is not None:
            self._errors.append(verdict.error)
        if isinstance(verdict, Refused):
            verdict = self._bury(delivery, verdict)
        part = delivery.request and delivery.request.part
        if part is not None:
            if delivery.message.receive_count == 1 and _has_failed(verdict):
                self._open(part, delivery.message.id)
            part.tell()
        delivery.verdict = verdict
        delivery.delay_seconds = self._delay(delivery, verdict)
        if delivery.delay_seconds is not None:
            self._returning.append((delivery.message, delivery.delay_seconds))
        self._outcomes[type(verdict).__name__] += 1
        self._log(delivery, verdict)

    def answer(self) -> dict[str, Any]:
        """The partial batch response. Lambda deletes what is not named in it."""
        for message_id, error in self._visibility.change(self._returning).items():
            self.warn("the delay could not be set: the message waits out its visibility timeout", error, message_id)
        for outcome, count in self._outcomes.items():
            self._metrics.add_metric(name=outcome, unit="Count", value=count)
        self._metrics.flush_metrics()
        for error in self._errors:
            # One that a module keeps, and raises again and again, would keep every frame it ever passed, payloads too.
            error.__traceback__ = None
        identifiers = dict.fromkeys(message.id for message, _ in self._returning)
        return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in identifiers]}

    def warn(self, text: str, error: BaseException, message_id: str | None = None) -> None:
        fields = describe(error, with_message=self._verbose()) | {"hint": unreachable(error)}
        if message_id is not None:
            fields["message_id"] = message_id
        self._logger.warning(text, extra={name: value for name, value in fields.items() if value is not None})

    def warn_of_claims(self, errors: Sequence[Exception]) -> None:
        for error in errors:
            self.warn("a claim could not be settled: it holds until its deadline", error)

    def _bury(self, delivery: Delivery, refused: Refused) -> Verdict:
        if self._buried_any and self._remaining() < LAST_SECONDS:
            # A batch with more dead letters than time must not come back whole for ever.
            return Unstarted(0)
        self._buried_any = True
        try:
            if delivery.request is not None and self._completed.hold(delivery.request.claim):
                # It came back after its effect: late, or to a function that finds its own work done and refuses.
                self._report(delivery.request)
                return Duplicate()
            self._open_for(delivery, refused)
            self._dead_letters.send(delivery.message, refused.error, delivery.idempotency_key)
        except Exception as error:
            # Whatever it was, this message alone must pay for it: it comes back, its neighbours are acknowledged.
            return Failed(error)
        return refused

    def _report(self, request: Request) -> None:
        """What was completed may not have been reported. A lease is settled only when it is."""
        done = None if request.part is None else self._completed.find(request.claim)
        if request.part is not None and done is not None and done.answer is not None:
            request.part.report(done.answer, lambda: self._remaining() - LAST_SECONDS)

    def _open_for(self, delivery: Delivery, refused: Refused) -> None:
        """A dead letter has no result. One whose key is another message's has no part in its fan-in either."""
        part = delivery.request and delivery.request.part
        if part is not None and not isinstance(refused.error, IdempotencyKeyReused):
            part.open()

    def _open(self, part: "Part", message_id: str) -> None:
        """Now, so that the deadline comes in time; what comes again is not tried before that has worked."""
        if self._remaining() < LAST_SECONDS or self._cannot_open:
            return
        try:
            part.open()
        except Exception as error:
            self._cannot_open = True
            self.warn("the fan-in could not be opened: its deadline may come late", error, message_id)

    def _delay(self, delivery: Delivery, verdict: Verdict) -> int | None:
        match verdict:
            case Failed():
                return self._backoff.after_failure(delivery.attempts)
            case Busy():
                return self._backoff.after_lease(verdict.until, self._clock())
            case Held():
                return self._backoff.while_open(verdict.refusal, self._clock())
            case Unstarted():
                return verdict.delay_seconds
            case _:
                return None

    def _log(self, delivery: Delivery, verdict: Verdict) -> None:
        """One line a message, with everything but its body."""
        fields: dict[str, Any] = {
            "outcome": type(verdict).__name__,
            "correlation_id": delivery.message.correlation_id,
            "message_id": delivery.message.id,
            "receive_count": delivery.message.receive_count,
        }
        if delivery.delay_seconds is not None:
            fields["delay_seconds"] = delivery.delay_seconds
        match verdict:
            case Refused():
                fields |= {"reason": verdict.error.message, "error_type": type(verdict.error).__name__}
                self._logger.error("message dead-lettered", extra=fields)
            case Failed(error) | Held(_, BaseException() as error):
                fields |= describe(error, with_message=self._verbose())
                hint = unreachable(error)
                self._logger.error("message failed", extra=fields | ({"hint": hint} if hint else {}))
            case _:
                self._logger.info("message handled", extra=fields)

    def _verbose(self) -> bool:
        return self._logger.log_level <= 10  # logging.DEBUG


def _has_failed(verdict: Verdict) -> bool:
    """Also if a breaker holds the message because of it."""
    return isinstance(verdict, Failed) or (isinstance(verdict, Held) and verdict.error is not None)
