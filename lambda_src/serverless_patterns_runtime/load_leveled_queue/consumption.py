"""One invocation: a batch of messages, and what becomes of each."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from serverless_patterns_runtime.claims.attempts import Attempts
from serverless_patterns_runtime.claims.leases import Leases
from serverless_patterns_runtime.claims.statements import Statements
from serverless_patterns_runtime.errors import Expired, IdempotencyKeyReused, MalformedPayload
from serverless_patterns_runtime.invocation import Invocation
from serverless_patterns_runtime.load_leveled_queue.attempt_limit import AttemptLimit
from serverless_patterns_runtime.load_leveled_queue.commit_threads import Answer, at_once
from serverless_patterns_runtime.load_leveled_queue.conclusions import Conclusions
from serverless_patterns_runtime.load_leveled_queue.delivery import Delivery, claims, first_of_each_key
from serverless_patterns_runtime.load_leveled_queue.edge import Edge
from serverless_patterns_runtime.load_leveled_queue.message import Message, Request
from serverless_patterns_runtime.load_leveled_queue.verdicts import (
    Duplicate,
    Refused,
    Succeeded,
    Unstarted,
    Verdict,
)
from serverless_patterns_runtime.load_leveled_queue.work import LeasedWork, TransactionalWork, Work, verdict_on

__all__ = ["Consumption"]

LONGEST_RESERVE_SECONDS = 2.0
"""Kept free for dead letters, claims and visibility after the last message."""

RESERVE_SHARE = 0.1
"""Of the time there is, where that is less."""

LONGER_THAN_THE_LONGEST = 1.1
"""How much longer than all before it the next run may take."""


class Consumption:
    def __init__(self, edge: Edge, context: Any) -> None:
        self._edge = edge
        self._settings = edge.settings
        self._remaining: Callable[[], float] = lambda: context.get_remaining_time_in_millis() / 1000
        reserve = min(LONGEST_RESERVE_SECONDS, self._remaining() * RESERVE_SHARE)
        self._remaining_for_work: Callable[[], float] = lambda: self._remaining() - reserve
        self._longest_run: float | None = None
        self._conclusions = Conclusions(edge, self._remaining)
        self._attempt_limit = AttemptLimit(
            limit=self._settings.max_receive_count, count=self._attempts().count, enabled=self._settings.count_attempts
        )
        edge.logger.append_keys(function_request_id=context.aws_request_id)

    def consume(self, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The partial batch response: everything that is not acknowledged, and nothing else."""
        deliveries = [self._read(Message(record)) for record in records]
        firsts = first_of_each_key(deliveries)
        with self._work(threads=not self._settings.fifo and len(firsts) > 1) as work:
            work.begin([request for delivery in firsts.values() if (request := delivery.request)])
            if self._settings.fifo:
                self._consume_in_order(deliveries, firsts, work)
            else:
                self._consume_in_any_order(deliveries, firsts, work)
            unfinished = [delivery for delivery in firsts.values() if not isinstance(delivery.verdict, Succeeded)]
            self._warn_of(work.finish(claims(unfinished)))
        return self._conclusions.answer()

    def _warn_of(self, errors: Sequence[Exception]) -> None:
        for error in errors:
            self._conclusions.warn("a claim could not be settled: it holds until its deadline", error)

    def _read(self, message: Message) -> Delivery:
        settings = self._settings
        try:
            request = message.request(key_path=settings.idempotency_key, namespace=settings.claims_namespace)
        except MalformedPayload as error:
            return Delivery(message, None, error)
        age = int(self._edge.clock() - message.sent_at)
        if 0 < settings.max_age_seconds < age:
            expired = Expired(f"expired: {age} s old, where max_age is {settings.max_age_seconds} s")
            return Delivery(message, request, expired)
        return Delivery(message, request, None)

    def _consume_in_any_order(self, deliveries: Sequence[Delivery], firsts: Mapping[str, Delivery], work: Work) -> None:
        """All functions run before the first answer is waited for, so that commits overlap."""
        answers = [(delivery, self._start(delivery, work)) for delivery in firsts.values()]
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
                verdict = self._start(delivery, work)()
            else:
                verdict = _verdict_without_trying(delivery, firsts)
            self._conclusions.conclude(delivery, verdict)
            if delivery.delay_seconds is not None:
                stopped.setdefault(group, delivery.delay_seconds)

    def _start(self, delivery: Delivery, work: Work) -> Answer:
        """Run the business function; the answer may still be on its way."""
        message, request = delivery.message, delivery.request
        assert request is not None
        obstacle = work.obstacle(request)
        if obstacle is not None:
            return _known(obstacle)
        if not self._has_time():
            return _known(Unstarted(0))
        try:
            delivery.attempts = self._attempt_limit.number_of(message)
        except Exception as error:
            return _known(verdict_on(error))
        if message.receive_count > 1:
            # It may be what killed an invocation before: let its neighbours' work not be lost and done again with it.
            self._warn_of(work.record())
        before = self._remaining()
        with self._edge.logger.append_context_keys(correlation_id=message.correlation_id, message_id=message.id):
            answer = work.start(request, self._invocation(message, request, delivery.attempts))
        self._longest_run = max(self._longest_run or 0.0, before - self._remaining())
        return lambda: self._judged(message, delivery.attempts, answer())

    def _judged(self, message: Message, attempt: int, verdict: Verdict) -> Verdict:
        try:
            return self._attempt_limit.judge(message, attempt, verdict)
        except Exception as error:
            # The failure stays a failure; that it was not counted gives the message one try more.
            self._conclusions.warn("an attempt could not be counted", error, message.id)
            return verdict

    def _has_time(self) -> bool:
        """Whether a run as long as the longest so far would come to an end; the first always gets its chance.

        One that the timeout kills brings the whole batch back, also what is done, to be killed again next time.
        """
        if self._longest_run is None:
            return True
        return self._remaining_for_work() > self._longest_run * LONGER_THAN_THE_LONGEST

    def _invocation(self, message: Message, request: Request, attempt: int) -> Invocation:
        return Invocation(
            claim=request.claim,
            correlation_id=message.correlation_id,
            attempt=attempt,
            remaining=self._remaining,
            logger=self._edge.logger,
            resources=self._edge.resources,
        )

    @contextmanager
    def _work(self, *, threads: bool) -> Generator[Work]:
        edge = self._edge
        if not self._settings.returns_effects:
            yield LeasedWork(edge, self._remaining, self._leases())
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

    def _attempts(self) -> Attempts:
        edge, settings = self._edge, self._settings
        return Attempts(
            dynamodb=edge.dynamodb,
            table_name=settings.claims_table_name,
            namespace=settings.claims_namespace,
            retention_seconds=settings.claims_retention_seconds,
            clock=edge.clock,
        )


def _known(verdict: Verdict) -> Answer:
    return lambda: verdict


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
