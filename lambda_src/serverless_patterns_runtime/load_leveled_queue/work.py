"""Running the business function on one message, under the promise that its kind of result allows."""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.claims.claim import Claim, RunningElsewhere
from serverless_patterns_runtime.claims.commits import Commits
from serverless_patterns_runtime.claims.leases import CLOCK_SKEW_SECONDS, AlreadyDone, Leases, Unavailable
from serverless_patterns_runtime.effects import Effects
from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.invocation import Invocation
from serverless_patterns_runtime.load_leveled_queue.commit_threads import PendingVerdict, Submit
from serverless_patterns_runtime.load_leveled_queue.edge import Edge
from serverless_patterns_runtime.load_leveled_queue.message import Request
from serverless_patterns_runtime.load_leveled_queue.verdicts import (
    Busy,
    Duplicate,
    Failed,
    Refused,
    Succeeded,
    Verdict,
)

if TYPE_CHECKING:
    from serverless_patterns_runtime.circuit_breaker.permit import Permit
    from serverless_patterns_runtime.load_leveled_queue.opening import Open
    from serverless_patterns_runtime.load_leveled_queue.taking_part import Part

__all__ = ["LeasedWork", "TransactionalWork", "Work"]


class Work(Protocol):
    def begin(self, requests: Sequence[Request]) -> None:
        """Prepare for messages with different keys."""
        ...

    def obstacle(self, request: Request) -> Verdict | None:
        """What keeps the function from being run on this message, if anything does."""
        ...

    def start(self, request: Request, invocation: Invocation, permit: "Permit | None") -> PendingVerdict:
        """Run the function; with a permit, for the breaker that gave it to judge."""
        ...

    def record(self) -> Sequence[Exception]:
        """Record what is complete so far. Returns what went wrong; no verdict changes by it."""
        ...

    def finish(self, released: Sequence[Claim]) -> Sequence[Exception]:
        """Record what is complete and give these back. Returns what went wrong; no verdict changes by it."""
        ...


class TransactionalWork:
    """Effects: computed here, one message at a time; committed with their claim, as `submit` does it."""

    def __init__(self, edge: Edge, remaining: Callable[[], float], submit: Submit) -> None:
        self._business_function = edge.business_function
        self._open = edge.open
        self._remaining = remaining
        self._submit = submit
        self._commits = Commits(
            dynamodb=edge.dynamodb,
            table_name=edge.settings.claims_table_name,
            retention_seconds=edge.settings.claims_retention_seconds,
            tables=edge.settings.tables,
            clock=edge.clock,
            sleep=edge.sleep,
            random=edge.random,
        )

    def begin(self, requests: Sequence[Request]) -> None:
        pass

    def obstacle(self, request: Request) -> Verdict | None:  # noqa: ARG002
        return None

    def start(self, request: Request, invocation: Invocation, permit: "Permit | None") -> PendingVerdict:
        try:
            effects: Effects = _called(self._business_function, self._open, request, invocation, permit)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # also SystemExit and CancelledError: this message alone must pay for them
            failure = verdict_on(error)
            return lambda: failure
        return self._submit(lambda: self._commit(request, effects))

    def record(self) -> Sequence[Exception]:
        return ()

    def finish(self, released: Sequence[Claim]) -> Sequence[Exception]:  # noqa: ARG002
        return ()

    def _commit(self, request: Request, effects: Effects) -> Verdict:
        try:
            if request.part is None:
                committed = self._commits.commit(request.claim, effects, self._remaining)
            else:
                committed = self._commit_and_report(request.claim, request.part, effects)
        except Exception as error:
            return verdict_on(error)
        return Succeeded() if committed else Duplicate()

    def _commit_and_report(self, claim: Claim, part: "Part", effects: Effects) -> bool:
        """The claim keeps the result: whoever finds it committed reports what was, and not what would be."""
        kept = part.keep(effects.result)
        holder = self._commits.commit_with_answer(claim, effects, kept, self._remaining)
        if holder is None:
            part.report(kept, self._remaining)
        elif holder.answer is not None:  # else it was committed before there was a fan-in
            part.report(holder.answer, self._remaining)
        return holder is None


class LeasedWork:
    """Anything else: a lease while it runs, marked as complete afterwards."""

    def __init__(
        self,
        edge: Edge,
        remaining: Callable[[], float],
        remaining_for_work: Callable[[], float],
        leases: Leases,
    ) -> None:
        self._business_function = edge.business_function
        self._open = edge.open
        self._clock = edge.clock
        self._remaining = remaining
        self._remaining_for_work = remaining_for_work
        self._visibility_timeout = edge.settings.visibility_timeout_seconds
        self._leases = leases
        self._obstacles: dict[Claim, Exception | None] = {}
        self._unrecorded: list[Claim] = []

    def begin(self, requests: Sequence[Request]) -> None:
        claims = [request.claim for request in requests]
        longest = min(self._remaining(), self._visibility_timeout)
        try:
            taken = self._leases.take(claims, math.ceil(self._clock() + longest) + CLOCK_SKEW_SECONDS)
        except (BotoCoreError, ClientError) as error:
            taken = dict.fromkeys(claims, error)
        self._obstacles = dict(taken)

    def obstacle(self, request: Request) -> Verdict | None:
        obstacle = self._obstacles[request.claim]
        return None if obstacle is None else verdict_on(obstacle)

    def start(self, request: Request, invocation: Invocation, permit: "Permit | None") -> PendingVerdict:
        verdict = self._run(request, invocation, permit)
        if isinstance(verdict, Succeeded):
            self._unrecorded.append(request.claim)
        return lambda: verdict

    def record(self) -> Sequence[Exception]:
        return self._settle(()) if self._unrecorded else ()

    def finish(self, released: Sequence[Claim]) -> Sequence[Exception]:
        return self._settle(
            [claim for claim in released if claim in self._obstacles and _may_have_been_taken(self._obstacles[claim])]
        )

    def _settle(self, released: Sequence[Claim]) -> Sequence[Exception]:
        try:
            errors = self._leases.settle(self._unrecorded, released)
        except (BotoCoreError, ClientError) as error:
            return [error]
        self._unrecorded = [claim for claim in self._unrecorded if claim in errors]
        return list(errors.values())

    def _run(self, request: Request, invocation: Invocation, permit: "Permit | None") -> Verdict:
        try:
            result = _called(self._business_function, self._open, request, invocation, permit)
            if request.part is not None:
                request.part.report(request.part.keep(result), self._remaining_for_work)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # also SystemExit and CancelledError: this message alone must pay for them
            return verdict_on(error)
        return Succeeded()


def _called(
    function: BusinessFunction, opened: "Open | None", request: Request, invocation: Invocation, permit: "Permit | None"
) -> Any:
    """What it returns. What becomes of that, a commit or a lease, is no matter of the downstream's.

    Nor is it when the payload cannot be opened.
    """
    payload = request.payload if opened is None else opened(request.payload)
    if permit is None:
        return function(payload, invocation)
    return permit.run(lambda: function(payload, invocation))


def _may_have_been_taken(obstacle: Exception | None) -> bool:
    """Also by a request whose answer was lost; the fence makes it safe to release what never was ours."""
    return obstacle is None or isinstance(obstacle, BotoCoreError | ClientError | Unavailable)


def verdict_on(error: BaseException) -> Verdict:
    match error:
        case PermanentError():
            return Refused(error)
        case AlreadyDone():
            return Duplicate()
        case RunningElsewhere():
            return Busy(error.until)
        case _:
            return Failed(error)
