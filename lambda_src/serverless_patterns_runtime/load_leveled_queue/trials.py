"""One message's try: whether there is one, under which number, and whose fault it was when it failed."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING

from serverless_patterns_runtime.claims.attempts import Attempts, Noted
from serverless_patterns_runtime.errors import CircuitOpen
from serverless_patterns_runtime.invocation import Invocation
from serverless_patterns_runtime.load_leveled_queue.attempt_limit import AttemptLimit
from serverless_patterns_runtime.load_leveled_queue.commit_threads import PendingVerdict
from serverless_patterns_runtime.load_leveled_queue.conclusions import Conclusions
from serverless_patterns_runtime.load_leveled_queue.delivery import Delivery
from serverless_patterns_runtime.load_leveled_queue.edge import Edge
from serverless_patterns_runtime.load_leveled_queue.intake import Intake
from serverless_patterns_runtime.load_leveled_queue.message import Message, Request
from serverless_patterns_runtime.load_leveled_queue.verdicts import Failed, Held, Refused, Unstarted, Verdict
from serverless_patterns_runtime.load_leveled_queue.work import Work, verdict_on

if TYPE_CHECKING:
    from serverless_patterns_runtime.circuit_breaker.permit import Permit
    from serverless_patterns_runtime.load_leveled_queue.taking_part import Part

__all__ = ["Trials"]

LONGER_THAN_THE_LONGEST = 1.1
"""How much longer than all before it the next run may take."""


class Trials:
    """Of one invocation."""

    def __init__(
        self,
        edge: Edge,
        intake: Intake,
        conclusions: Conclusions,
        remaining: Callable[[], float],
        remaining_for_work: Callable[[], float],
    ) -> None:
        self._edge = edge
        self._intake = intake
        self._conclusions = conclusions
        self._remaining = remaining
        self._remaining_for_work = remaining_for_work
        self._longest_run: float | None = None
        self._opening_error: Exception | None = None
        attempts = self._attempts()
        self._attempt_limit = AttemptLimit(
            limit=edge.settings.max_receive_count,
            count=attempts.count,
            take_back=attempts.withdraw,
            take_all_back=attempts.excuse,
            enabled=edge.settings.count_attempts,
        )

    def start(self, delivery: Delivery, work: Work) -> PendingVerdict:
        """Run the business function; the answer may still be on its way."""
        message, request = delivery.message, delivery.request
        assert request is not None
        if request.part is not None and message.receive_count > 1 and (failure := self._unopened(request.part)):
            return _known(Failed(failure))
        if self._intake.refusal is not None:
            return _known(Held(self._intake.refusal))
        obstacle = work.obstacle(request)
        if obstacle is not None:
            return _known(obstacle)
        if not self._has_time():
            return _known(Unstarted(0))
        try:
            permit = self._intake.permit()
        except CircuitOpen as refusal:
            return _known(Held(refusal))
        with permit or nullcontext():
            return self._run(delivery, message, request, work, permit)

    def _unopened(self, part: "Part") -> Exception | None:
        """Why the deadline may not come, should this never get a result: then it is not tried.

        A message that comes again, whether it was tried or a breaker has held it, may never get one. After one error
        nobody waits for the next.
        """
        if self._opening_error is None:
            try:
                part.open()
            except Exception as error:
                self._opening_error = error
        return self._opening_error

    def _run(
        self, delivery: Delivery, message: Message, request: Request, work: Work, permit: "Permit | None"
    ) -> PendingVerdict:
        try:
            attempt = self._attempt_limit.number_of(message)
        except Exception as error:
            return _known(verdict_on(error))
        delivery.attempts = attempt.number
        if message.receive_count > 1:
            # It may be what killed an invocation before: let its neighbours' work not be lost and done again with it.
            self._conclusions.warn_of_claims(work.record())
        before = self._remaining()
        with self._edge.logger.append_context_keys(correlation_id=message.correlation_id, message_id=message.id):
            answer = work.start(request, self._invocation(message, request, delivery.attempts), permit)
        self._longest_run = max(self._longest_run or 0.0, before - self._remaining())
        if permit is not None and permit.error is not None:
            return _known(self._blamed(message, attempt, permit, answer()))
        return lambda: self._judged(message, attempt, answer())

    def _blamed(self, message: Message, attempt: Noted, permit: "Permit", verdict: Verdict) -> Verdict:
        """The function failed: by a fault of the message, which uses up its attempts, or of what the breaker guards?

        What began when the breaker was not closed, or was opened meanwhile, is no attempt: a message that probes would
        use up its own. What began when it was closed is one, also if it opens it. But a message that has used up its
        attempts is no dead letter yet, if the breaker was not asked about it before: the failures may have been too
        few, or too far apart, to open it. It starts anew, while the next call probes.
        """
        if not isinstance(verdict, Failed):
            return verdict
        refusal = permit.refusal
        if refusal is not None and not permit.opened:
            self._forget(self._attempt_limit.withdraw, message)
            return Held(refusal, verdict.error)
        judged = self._judged(message, attempt, verdict)
        if isinstance(judged, Refused):
            refusal = None if attempt.excused else permit.suspect()
            if refusal is None:
                return judged
            self._forget(self._attempt_limit.excuse, message)
        return judged if refusal is None else Held(refusal, verdict.error)

    def _forget(self, attempts: Callable[[Message], None], message: Message) -> None:
        try:
            attempts(message)
        except Exception as error:
            self._conclusions.warn("an attempt could not be taken back", error, message.id)

    def _judged(self, message: Message, attempt: Noted, verdict: Verdict) -> Verdict:
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

    def _attempts(self) -> Attempts:
        edge, settings = self._edge, self._edge.settings
        return Attempts(
            dynamodb=edge.dynamodb,
            table_name=settings.claims_table_name,
            namespace=settings.claims_namespace,
            retention_seconds=settings.claims_retention_seconds,
            clock=edge.clock,
        )


def _known(verdict: Verdict) -> PendingVerdict:
    return lambda: verdict
