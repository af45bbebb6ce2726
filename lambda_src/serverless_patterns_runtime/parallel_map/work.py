"""What an item and the completion have in common: a business function that runs once under a claim."""

from typing import Any

from serverless_patterns_runtime.business_function.result import Executed
from serverless_patterns_runtime.claims.claim import Claim
from serverless_patterns_runtime.claims.once import Once
from serverless_patterns_runtime.invocation import Invocation
from serverless_patterns_runtime.parallel_map.edge import Works

__all__ = ["Work"]


class Work(Once[str]):
    """Answers are JSON texts."""

    def __init__(self, works: Works, context: Any) -> None:
        super().__init__(works.edge.claims(), lambda: context.get_remaining_time_in_millis() / 1000, works.edge.logger)
        self._works = works

    def run(self, claim: Claim, payload: Any, *, execution: str, retries: int) -> Executed[str]:
        """Raises as `Once`."""

        def call(claim: Claim, attempt: int) -> Any:
            invocation = Invocation(
                claim=claim,
                correlation_id=execution,
                attempt=max(attempt, retries + 1),
                remaining=self._remaining,
                logger=self._works.edge.logger,
                resources=self._works.resources,
            )
            return self._works.business_function(payload, invocation)

        if self._works.business_function.returns_effects:
            return self._with_effects(claim, call)
        return self._with_lease(claim, call)

    def _kept(self, answer: str) -> str:
        return answer

    def _read(self, kept: str) -> str:
        return kept
