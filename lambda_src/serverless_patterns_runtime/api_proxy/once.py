"""One request, executed once: its effect, and the one answer that everybody gets who asks with the same key."""

import hashlib
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from serverless_patterns_runtime.api_proxy.answer import Answer
from serverless_patterns_runtime.api_proxy.edge import Edge
from serverless_patterns_runtime.api_proxy.keeping import FAILED, answer_of_effects, kept_text
from serverless_patterns_runtime.api_proxy.problems import status_of
from serverless_patterns_runtime.business_function.result import Executed
from serverless_patterns_runtime.claims.claim import AnswerNotKept, Claim
from serverless_patterns_runtime.claims.once import Call, Once
from serverless_patterns_runtime.claims.table import ClaimsTable
from serverless_patterns_runtime.effects import Effects
from serverless_patterns_runtime.errors import PermanentError

__all__ = ["Execution"]


class Execution(Once[Answer]):
    def __init__(self, edge: Edge, remaining: Callable[[], float]) -> None:
        """`remaining`: seconds until Lambda ends the invocation."""
        assert edge.settings.claims is not None
        self._claims = edge.settings.claims
        self._returns_effects = edge.settings.returns_effects
        table = ClaimsTable(
            dynamodb=edge.dynamodb,
            name=self._claims.table_name,
            retention_seconds=self._claims.retention_seconds,
            tables=edge.settings.tables,
            clock=edge.clock,
            sleep=edge.sleep,
            random=edge.random,
        )
        super().__init__(table, remaining, edge.logger)

    def run(self, claim: Claim | None, request_id: str, call: Call) -> Executed[Answer]:
        """The answer to a request with this key; None: it has none, and `request_id` tells it from all others.

        With a key every 2xx is in the table before it is given. Raises as `Once` says.
        """
        if self._returns_effects:
            return self._with_effects(claim or self._claim_of(request_id), call, keep=claim is not None)
        if claim is not None:
            return self._with_lease(claim, call)
        return Executed(Answer.of(call(self._claim_of(request_id), 1)), replayed=False)

    def known(self, claim: Claim) -> Executed[Answer] | None:
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
        return self._replay(found)

    def _claim_of(self, request_id: str) -> Claim:
        """For a request without a key: the SDK may repeat what it asks for, and no other request is it."""
        digest = hashlib.sha256(f"request {request_id}".encode()).hexdigest()
        return Claim(self._claims.namespace, digest, digest)

    def _answer_of(self, result: Any) -> Answer:
        return Answer.of(result)

    def _answer_of_effects(self, effects: Effects) -> Answer:
        return answer_of_effects(effects)

    def _kept(self, answer: Answer) -> str:
        return kept_text(answer)

    def _read(self, kept: str) -> Answer:
        try:
            return Answer.from_json(kept)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise AnswerNotKept from None  # written by a version that said it otherwise

    def _says_failed(self, answer: Answer) -> bool:
        return answer.status >= FAILED

    def _did_nothing(self, error: BaseException) -> bool:
        """A refusal says so. After any other error, a timeout say, nobody knows."""
        return isinstance(error, PermanentError) and status_of(error) < FAILED
