"""Work done once under a claim, and the one answer that everybody gets who asks for it again."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from serverless_patterns_runtime.business_function.business_function import UnusableResult
from serverless_patterns_runtime.business_function.result import Executed
from serverless_patterns_runtime.claims.claim import AnswerNotKept, Claim, Contended, Holder, RunningElsewhere
from serverless_patterns_runtime.claims.lease import Lease
from serverless_patterns_runtime.claims.leases import CLOCK_SKEW_SECONDS
from serverless_patterns_runtime.claims.table import ClaimsTable
from serverless_patterns_runtime.effects import Effects
from serverless_patterns_runtime.errors import IdempotencyKeyReused, PermanentError
from serverless_patterns_runtime.telemetry import describe

__all__ = ["Call", "Once"]

LAST_SECONDS = 0.5
"""Kept free of requests that are tried again, for the answer that says so."""

A = TypeVar("A")


class Call(Protocol):
    """Runs the business function for this claim; returns what it returns, raises what it raises."""

    def __call__(self, claim: Claim, attempt: int) -> Any: ...


class Once(ABC, Generic[A]):
    """Both ways raise IdempotencyKeyReused for another payload, RunningElsewhere while another attempt is at work,
    Contended when DynamoDB has no time for this, AnswerNotKept, what the function raises, ClientError and
    BotoCoreError: then the same may be asked for again.
    """

    def __init__(self, table: ClaimsTable, remaining: Callable[[], float], logger: Any) -> None:
        """`remaining`: seconds until Lambda ends the invocation."""
        self._table = table
        self._remaining = remaining
        self._logger = logger
        self._remaining_for_tries: Callable[[], float] = lambda: remaining() - LAST_SECONDS
        self._completed = table.completed()

    # What a pattern says of its answers.

    @abstractmethod
    def _answer_of(self, result: Any) -> A:
        """Raises UnusableResult."""

    @abstractmethod
    def _kept(self, answer: A) -> str:
        """As the table keeps it. Raises UnusableResult for what is too large."""

    @abstractmethod
    def _read(self, kept: str) -> A:
        """What `_kept` wrote. Raises AnswerNotKept for what an older version wrote otherwise."""

    def _answer_of_effects(self, effects: Effects) -> A:
        """Raises UnusableResult."""
        return self._answer_of(effects.result)

    def _take(self, lease: Lease, until: int) -> Holder:
        return lease.take(until)

    def _says_failed(self, answer: A) -> bool:  # noqa: ARG002
        """Whether the answer itself says that the work was not done: it is given, and never kept."""
        return False

    def _did_nothing(self, error: BaseException) -> bool:  # noqa: ARG002
        """Whether an attempt that has raised this is as good as none, so that its key may stand for other work."""
        return False

    # Effects: one transaction. Concurrent attempts with one key may all compute; one commits, and its answer counts.

    def _with_effects(self, claim: Claim, call: Call, *, keep: bool = True) -> Executed[A]:
        """`keep` False: nobody else can ask for this."""
        try:
            effects, answer, kept = self._computed(claim, call, keep=keep)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return self._after_error(claim, error, keep=keep)
        try:
            found = self._table.commits().commit_with_answer(claim, effects, kept, self._remaining_for_tries)
        except (IdempotencyKeyReused, RunningElsewhere, Contended, ClientError, BotoCoreError):
            raise
        except Exception as error:
            return self._after_error(claim, error, keep=keep)
        return Executed(answer, replayed=False) if found is None else self._replay(found)

    def _computed(self, claim: Claim, call: Call, *, keep: bool) -> tuple[Effects, A, str | None]:
        """What to commit, what to answer, and the answer as it is kept."""
        effects: Effects = call(claim, 1)
        answer = self._answer_of_effects(effects)
        return effects, answer, self._kept(answer) if keep else None

    def _after_error(self, claim: Claim, error: BaseException, *, keep: bool) -> Executed[A]:
        if not keep:
            raise error
        return self._answer_of_completed(claim, error)

    def _answer_of_completed(self, claim: Claim, error: BaseException) -> Executed[A]:
        """A function that finds its own work done may well refuse to do it again: then what was answered counts."""
        try:
            found = self._completed.find(claim)
        except (BotoCoreError, ClientError) as failure:
            if isinstance(error, PermanentError):
                raise failure from error  # a refusal would be final, and it may be wrong
            raise error from None
        if found is None:
            raise error
        found.judge(claim)
        return self._replay(found)

    # Anything else: a lease while it runs, then its answer.

    def _with_lease(self, claim: Claim, call: Call) -> Executed[A]:
        lease = self._table.lease(claim)
        held = self._take(lease, math.ceil(self._table.clock() + self._remaining()) + CLOCK_SKEW_SECONDS)
        if held.done:
            return self._replay(held)
        try:
            result = call(claim, held.attempt)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            found = self._let_go(lease, held, error)
            if found is None:
                raise error
            return self._replay(found)
        return self._record(lease, held, result)

    def _record(self, lease: Lease, held: Holder, result: Any) -> Executed[A]:
        try:
            answer = self._answer_of(result)
            kept = self._kept(answer)
        except UnusableResult:
            lease.complete(None, self._remaining_for_tries)  # what the function did is done all the same
            raise
        if self._says_failed(answer):
            found = self._let_go(lease, held, None)
        else:
            found = lease.complete(kept, self._remaining_for_tries)
        return Executed(answer, replayed=False) if found is None else self._replay(found)

    def _let_go(self, lease: Lease, held: Holder, error: BaseException | None) -> Holder | None:
        """After a failure, which was raised, or, None, answered.

        None, or whose answer counts, because this attempt took so long that another has finished.
        """
        try:
            return lease.give_back(held, forget=error is not None and self._did_nothing(error))
        except (BotoCoreError, ClientError) as failure:
            text = "a claim could not be given back: it holds until its deadline"
            self._logger.warning(text, extra=describe(failure, with_message=False))
            return None

    def _replay(self, found: Holder) -> Executed[A]:
        if found.answer is None:
            raise AnswerNotKept
        return Executed(self._read(found.answer), replayed=True)
