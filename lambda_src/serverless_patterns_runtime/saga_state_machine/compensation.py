"""Undoing a step: first nothing of its action may come any more, then what may have happened is undone, once."""

import json
from typing import Any

from serverless_patterns_runtime.business_function.result import Executed
from serverless_patterns_runtime.claims.tombstone import Left
from serverless_patterns_runtime.saga_state_machine.work import StepWork
from serverless_patterns_runtime.step_input import StepInput

__all__ = ["Compensation"]


class Compensation(StepWork):
    def run(self) -> Executed[str] | None:
        """None: there is nothing to undo, and there never will be. Raises as `Once` and `Tombstone.lay`."""
        task, action = self._task, self._action
        left = self._table.tombstone(action).lay()
        if not self._may_have_happened(left):
            return None
        return self._run(
            task.compensation(self._edge.settings.claims_namespace),
            StepInput(
                input=task.input,
                results=task.results,
                result=self._result(left),
                error=task.error,
                action_key=action.key,
            ),
        )

    def _may_have_happened(self, left: Left) -> bool:
        """Effects are there together with their claim, and before anything else an action takes a lease: what left
        no trace has not begun, and behind the tombstone it never will. What is no Handler leaves none."""
        if self._task.event.get("action_unclaimed"):
            return True
        return left.done or left.began or self._task.step in self._task.results

    def _result(self, left: Left) -> Any:
        return self._task.results.get(self._task.step) if left.answer is None else json.loads(left.answer)

    def _answer_of(self, result: Any) -> str:  # noqa: ARG002
        """Nobody reads what a compensation returns."""
        return "null"
