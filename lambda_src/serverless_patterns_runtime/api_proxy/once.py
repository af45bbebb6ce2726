"""One request, executed once: its effect, and the one answer that everybody gets who asks with the same key."""

import hashlib
import math
from collections.abc import Callable
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from serverless_patterns_runtime.api_proxy.answer import Answer, Executed
from serverless_patterns_runtime.api_proxy.edge import Edge
from serverless_patterns_runtime.api_proxy.keeping import FAILED, answer_of_effects, kept_text
from serverless_patterns_runtime.api_proxy.problems import status_of
from serverless_patterns_runtime.business_function.business_function import UnusableResult
from serverless_patterns_runtime.claims.claim import AnswerNotKept, Claim, Contended, Holder, RunningElsewhere
from serverless_patterns_runtime.claims.commits import Commits
from serverless_patterns_runtime.claims.completed import CompletedClaims
from serverless_patterns_runtime.claims.lease import Lease
from serverless_patterns_runtime.claims.leases import CLOCK_SKEW_SECONDS
from serverless_patterns_runtime.effects import Effects
from serverless_patterns_runtime.errors import IdempotencyKeyReused, PermanentError
from serverless_patterns_runtime.telemetry import describe

__all__ = ["Call", "Execution"]

LAST_SECONDS = 0.5
"""Kept free of requests that are tried again, for the answer that says so."""


class Call(Protocol):
    """Runs the business function for this claim; returns what it returns, raises what it raises."""

    def __call__(self, claim: Claim, attempt: int) -> Any: ...


class Execution:
    def __init__(self, edge: Edge, remaining: Callable[[], float]) -> None:
        """`remaining`: seconds until Lambda ends the invocation."""
        assert edge.settings.claims is not None
        self._edge = edge
        self._claims = edge.settings.claims
        self._remaining = remaining
        self._remaining_for_tries: Callable[[], float] = lambda: remaining() - LAST_SECONDS
        self._completed = CompletedClaims(edge.dynamodb, self._claims.table_name, edge.clock)

    def run(self, claim: Claim | None, request_id: str, call: Call) -> Executed:
        """The answer to a request with this key; None: it has none, and `request_id` tells it from all others.

        With a key every 2xx is in the table before it is given. Raises IdempotencyKeyReused for another payload,
        RunningElsewhere while another attempt is at work, Contended when DynamoDB has no time for this, AnswerNotKept,
        what the function raises, ClientError and BotoCoreError: then the same request may be made again.
        """
        if self._edge.settings.returns_effects:
            return self._with_effects(claim, request_id, call)
        if claim is not None:
            return self._with_lease(claim, call)
        return Executed(Answer.of(call(self._claim_of(request_id), 1)), replayed=False)

    def known(self, claim: Claim) -> Executed | None:
        """What was answered to this key, without claiming it; None too when the table cannot say.

        Raises IdempotencyKeyReused and AnswerNotKept.
        """
        try:
            found = self._completed.find(claim)
        except (BotoCoreError, ClientError):
            return None
        if found is None:
            return None
        found.judge(claim)
        return _replay(found)

    def _claim_of(self, request_id: str) -> Claim:
        """For a request without a key: the SDK may repeat what it asks for, and no other request is it."""
        digest = hashlib.sha256(f"request {request_id}".encode()).hexdigest()
        return Claim(self._claims.namespace, digest, digest)

    # Effects: one transaction. Concurrent requests with one key may all compute; one commits, and its answer counts.

    def _with_effects(self, key: Claim | None, request_id: str, call: Call) -> Executed:
        claim = key or self._claim_of(request_id)
        try:
            effects, answer, kept = _computed(claim, call, keep=key is not None)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return self._answer_of_completed(key, error)
        try:
            found = self._commits().commit_with_answer(claim, effects, kept, self._remaining_for_tries)
        except (IdempotencyKeyReused, RunningElsewhere, Contended, ClientError, BotoCoreError):
            raise
        except Exception as error:
            return self._answer_of_completed(key, error)
        return Executed(answer, replayed=False) if found is None else _replay(found)

    def _commits(self) -> Commits:
        edge = self._edge
        return Commits(
            dynamodb=edge.dynamodb,
            table_name=self._claims.table_name,
            retention_seconds=self._claims.retention_seconds,
            tables=edge.settings.tables,
            clock=edge.clock,
            sleep=edge.sleep,
            random=edge.random,
        )

    def _answer_of_completed(self, key: Claim | None, error: BaseException) -> Executed:
        """A function that finds its own work done may well refuse to do it again: then what was answered counts."""
        if key is None:
            raise error
        try:
            found = self._completed.find(key)
        except (BotoCoreError, ClientError) as failure:
            if isinstance(error, PermanentError):
                raise failure from error  # a refusal would be final, and it may be wrong
            raise error from None
        if found is None:
            raise error
        found.judge(key)
        return _replay(found)

    # Anything else: a lease while it runs, then its answer.

    def _with_lease(self, claim: Claim, call: Call) -> Executed:
        lease = self._lease(claim)
        held = lease.take(math.ceil(self._edge.clock() + self._remaining()) + CLOCK_SKEW_SECONDS)
        if held.done:
            return _replay(held)
        try:
            result = call(claim, held.attempt)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            found = self._give_back(lease, held, forget=_is_refusal(error))
            if found is None:
                raise error
            return _replay(found)
        return self._record(lease, held, result)

    def _record(self, lease: Lease, held: Holder, result: Any) -> Executed:
        try:
            answer = Answer.of(result)
            kept = kept_text(answer)
        except UnusableResult:
            lease.complete(None, self._remaining_for_tries)  # what the function did is done all the same
            raise
        failed = answer.status >= FAILED
        if failed:
            found = self._give_back(lease, held, forget=False)
        else:
            found = lease.complete(kept, self._remaining_for_tries)
        return Executed(answer, replayed=False) if found is None else _replay(found)

    def _lease(self, claim: Claim) -> Lease:
        edge = self._edge
        return Lease(
            dynamodb=edge.dynamodb,
            table_name=self._claims.table_name,
            retention_seconds=self._claims.retention_seconds,
            clock=edge.clock,
            sleep=edge.sleep,
            random=edge.random,
            claim=claim,
            owner=f"{edge.random.getrandbits(128):032x}",
        )

    def _give_back(self, lease: Lease, held: Holder, *, forget: bool) -> Holder | None:
        """None, or whose answer counts, because this attempt took so long that another has finished."""
        try:
            return lease.give_back(held, forget=forget)
        except (BotoCoreError, ClientError) as failure:
            text = "a claim could not be given back: it holds until its deadline"
            self._edge.logger.warning(text, extra=describe(failure, with_message=False))
            return None


def _is_refusal(error: BaseException) -> bool:
    """Whether the function says that it has done nothing. After any other error, a timeout say, nobody knows."""
    return isinstance(error, PermanentError) and status_of(error) < FAILED


def _computed(claim: Claim, call: Call, *, keep: bool) -> tuple[Effects, Answer, str | None]:
    """What to commit, what to answer, and the answer as it is kept."""
    effects: Effects = call(claim, 1)
    answer = answer_of_effects(effects)
    return effects, answer, kept_text(answer) if keep else None


def _replay(found: Holder) -> Executed:
    if found.answer is None:
        raise AnswerNotKept
    try:
        answer = Answer.from_json(found.answer)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise AnswerNotKept from None  # written by a version that said it otherwise
    return Executed(answer, replayed=True)
