"""What an action and a compensation have in common: a business function that runs once under a claim."""

from typing import Any

from serverless_patterns_runtime.business_function.result import Executed
from serverless_patterns_runtime.claims.claim import Claim
from serverless_patterns_runtime.claims.once import Once
from serverless_patterns_runtime.invocation import Invocation
from serverless_patterns_runtime.saga_state_machine.edge import Edge
from serverless_patterns_runtime.saga_state_machine.task import StepClaim, Task
from serverless_patterns_runtime.step_input import StepInput

__all__ = ["StepWork"]


class StepWork(Once[str]):
    """Answers are JSON texts."""

    def __init__(self, edge: Edge, task: Task, context: Any) -> None:
        super().__init__(edge.claims(), lambda: context.get_remaining_time_in_millis() / 1000, edge.logger)
        self._edge = edge
        self._task = task

    @property
    def _action(self) -> StepClaim:
        return self._task.action(self._edge.settings.claims_namespace)

    def _run(self, claim: Claim, step: StepInput) -> Executed[str]:
        def call(claim: Claim, attempt: int) -> Any:
            invocation = Invocation(
                claim=claim,
                correlation_id=self._task.event["execution"],
                attempt=max(attempt, self._task.attempt),
                remaining=self._remaining,
                logger=self._edge.logger,
                resources=self._edge.resources,
            )
            return self._edge.business_function(step, invocation)

        if self._edge.settings.returns_effects:
            return self._with_effects(claim, call)
        return self._with_lease(claim, call)

    def _kept(self, answer: str) -> str:
        return answer

    def _read(self, kept: str) -> str:
        return kept
