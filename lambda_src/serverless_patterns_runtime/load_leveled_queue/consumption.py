"""One invocation: a batch of messages, and what becomes of each."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from serverless_patterns_runtime.claims.leases import Leases
from serverless_patterns_runtime.claims.statements import Statements
from serverless_patterns_runtime.errors import Expired, IdempotencyKeyReused, MalformedPayload, PermanentError
from serverless_patterns_runtime.load_leveled_queue.commit_threads import at_once
from serverless_patterns_runtime.load_leveled_queue.conclusions import Conclusions
from serverless_patterns_runtime.load_leveled_queue.delivery import Delivery, claims, first_of_each_key
from serverless_patterns_runtime.load_leveled_queue.edge import Edge
from serverless_patterns_runtime.load_leveled_queue.intake import Intake
from serverless_patterns_runtime.load_leveled_queue.message import Message
from serverless_patterns_runtime.load_leveled_queue.trials import Trials
from serverless_patterns_runtime.load_leveled_queue.verdicts import (
    Duplicate,
    Held,
    Refused,
    Succeeded,
    Unstarted,
    Verdict,
)
from serverless_patterns_runtime.load_leveled_queue.work import LeasedWork, TransactionalWork, Work

__all__ = ["Consumption"]

LONGEST_RESERVE_SECONDS = 2.0
"""Kept free for dead letters, claims and visibility after the last message."""

RESERVE_SHARE = 0.1
"""Of the time there is, where that is less."""


class Consumption:
    def __init__(self, edge: Edge, context: Any) -> None:
        self._edge = edge
        self._settings = edge.settings
        self._remaining: Callable[[], float] = lambda: context.get_remaining_time_in_millis() / 1000
        reserve = min(LONGEST_RESERVE_SECONDS, self._remaining() * RESERVE_SHARE)
        self._remaining_for_work: Callable[[], float] = lambda: self._remaining() - reserve
        self._conclusions = Conclusions(edge, self._remaining)
        self._intake = Intake(edge.breaker, edge.clock, edge.sleep, self._remaining)
        self._trials = Trials(edge, self._intake, self._conclusions, self._remaining, self._remaining_for_work)
        edge.logger.append_keys(function_request_id=context.aws_request_id)

    def consume(self, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The partial batch response: everything that is not acknowledged, and nothing else."""
        deliveries = [self._read(Message(record)) for record in records]
        firsts = first_of_each_key(deliveries)
        with self._work(threads=not self._settings.fifo and len(firsts) > 1) as work, self._intake:
            self._begin(work, list(firsts.values()))
            if self._settings.fifo:
                self._consume_in_order(deliveries, firsts, work)
            else:
                self._consume_in_any_order(deliveries, firsts, work)
            unfinished = [delivery for delivery in firsts.values() if not isinstance(delivery.verdict, Succeeded)]
            self._conclusions.warn_of_claims(work.finish(claims(unfinished)))
        if self._edge.breaker is not None:
            self._edge.breaker.refused(sum(isinstance(delivery.verdict, Held) for delivery in deliveries))
        return self._conclusions.answer()

    def _begin(self, work: Work, firsts: Sequence[Delivery]) -> None:
        """Nothing is claimed while the breaker refuses."""
        if firsts:
            with self._edge.logger.append_context_keys(correlation_id=firsts[0].message.correlation_id):
                self._intake.hold()
        if self._intake.refusal is None:
            work.begin([request for delivery in firsts if (request := delivery.request)])

    def _read(self, message: Message) -> Delivery:
        settings = self._settings
        try:
            request = message.request(key_path=settings.idempotency_key, namespace=settings.claims_namespace)
            if self._edge.branch is not None:
                self._edge.branch.check_key(message)
        except MalformedPayload as error:
            return Delivery(message, None, error)
        if self._edge.branch is not None:
            try:
                request = request._replace(part=self._edge.branch.part(message, request))
            except PermanentError as error:
                return Delivery(message, request, error)
        age = int(self._edge.clock() - message.sent_at)
        if 0 < settings.max_age_seconds < age:
            expired = Expired(f"expired: {age} s old, where max_age is {settings.max_age_seconds} s")
            return Delivery(message, request, expired)
        return Delivery(message, request, None)

    def _consume_in_any_order(self, deliveries: Sequence[Delivery], firsts: Mapping[str, Delivery], work: Work) -> None:
        """All functions run before the first answer is waited for, so that commits overlap."""
        answers = [(delivery, self._trials.start(delivery, work)) for delivery in firsts.values()]
        for delivery, answer in answers:
            self._conclusions.conclude(delivery, answer())
        for delivery in deliveries:
            if delivery.verdict is None:
                self._conclusions.conclude(delivery, _verdict_without_trying(delivery, firsts))

    def _consume_in_order(self, deliveries: Sequence[Delivery], firsts: Mapping[str, Delivery], work: Work) -> None:
        """FIFO: a group stops at the first message that has to come back; the other groups go on."""
        stopped: dict[str | None, int] = {}
        for delivery in deliveries:
            group = delivery.message.group
            if group in stopped:
                verdict: Verdict = Unstarted(stopped[group])
            elif delivery in firsts.values():
                verdict = self._trials.start(delivery, work)()
            else:
                verdict = _verdict_without_trying(delivery, firsts)
            self._conclusions.conclude(delivery, verdict)
            if delivery.delay_seconds is not None:
                stopped.setdefault(group, delivery.delay_seconds)

    @contextmanager
    def _work(self, *, threads: bool) -> Generator[Work]:
        edge = self._edge
        if not self._settings.returns_effects:
            yield LeasedWork(edge, self._remaining, self._remaining_for_work, self._leases())
        elif threads and edge.commit_threads is not None:
            with edge.commit_threads.for_one_invocation() as submit:
                yield TransactionalWork(edge, self._remaining_for_work, submit)
        else:
            yield TransactionalWork(edge, self._remaining_for_work, at_once)

    def _leases(self) -> Leases:
        edge, settings = self._edge, self._settings
        return Leases(
            statements=Statements(edge.dynamodb, edge.sleep, edge.random),
            table_name=settings.claims_table_name,
            retention_seconds=settings.claims_retention_seconds,
            clock=edge.clock,
            owner=f"{edge.random.getrandbits(128):032x}",
        )


def _verdict_without_trying(delivery: Delivery, firsts: Mapping[str, Delivery]) -> Verdict:
    """On a message that is refused as it stands, or that shares its key with an earlier one of the batch."""
    if delivery.refusal is not None:
        return Refused(delivery.refusal)
    assert delivery.request is not None
    first = firsts[delivery.request.claim.id]
    assert first.request is not None
    same_payload = delivery.request.claim == first.request.claim
    match first.verdict:
        case Succeeded() | Duplicate() if same_payload:
            return Duplicate()
        case Succeeded() | Duplicate():
            return Refused(IdempotencyKeyReused())
        case Refused() as refused if same_payload:
            return refused
        case _:
            # The first one's fate is open, or it was refused and this one, which differs, may be the good one.
            return Unstarted(first.delay_seconds or 1)
