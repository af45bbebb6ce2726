"""A step's action: done once, whatever is retried; and known to have no effect only when that is certain."""

import json
from typing import Any

from serverless_patterns_runtime.business_function.business_function import UnusableResult
from serverless_patterns_runtime.business_function.json_text import json_text
from serverless_patterns_runtime.business_function.result import Executed
from serverless_patterns_runtime.claims.claim import Claim, Holder
from serverless_patterns_runtime.claims.lease import Lease
from serverless_patterns_runtime.saga_state_machine import contract
from serverless_patterns_runtime.saga_state_machine.failures import Ambiguous, WithoutEffect
from serverless_patterns_runtime.saga_state_machine.work import StepWork
from serverless_patterns_runtime.step_input import StepInput

__all__ = ["Action"]


class Action(StepWork):
    def run(self) -> Executed[str]:
        """The result as JSON. Raises as `Once`, WithoutEffect and Ambiguous for a declared error."""
        task, claim = self._task, self._action
        return self._run(claim, StepInput(input=task.input, results=task.results, action_key=claim.key))

    def _answer_of(self, result: Any) -> str:
        text = json_text(result)
        size = _bytes(json.loads(text))
        self._check(size, self._edge.settings.max_result_bytes, "a step's result holds")
        beside = self._task.event.get("beside", 0) * self._edge.settings.max_result_bytes
        self._check(
            size + beside + _bytes(self._task.event["state"]),
            _MOST_TOGETHER,
            "an execution's input and the results of all steps hold",
        )
        return text

    def _check(self, size: int, most: int, who: str) -> None:
        if size > most:
            instead = "keep it in a table of yours, and return its key"
            raise UnusableResult(f"{who} at most {most:,} bytes as JSON, got {size:,}: {instead}")

    # A declared error is the end of the step, and nobody will look back at it. So nothing of it may still come: not
    # from an earlier attempt, not from a second invocation, not from a request that DynamoDB carries out late.

    def _after_error(self, claim: Claim, error: BaseException, *, keep: bool) -> Executed[str]:
        name = self._declared(error)
        if name is None:
            return super()._after_error(claim, error, keep=keep)
        found = self._table.tombstone(claim).give_up(None)
        if found is None:
            raise WithoutEffect(name, error) from None
        return self._replay(found)

    def _let_go(self, lease: Lease, held: Holder, error: BaseException | None) -> Holder | None:
        name = self._declared(error)
        if name is None or error is None:
            return super()._let_go(lease, held, error)
        if held.attempt > 1:
            super()._let_go(lease, held, error)
            raise Ambiguous(error) from None
        found = self._table.tombstone(self._action).give_up(lease.owner)
        if found is None:
            raise WithoutEffect(name, error) from None
        return found

    def _declared(self, error: BaseException | None) -> str | None:
        declared = self._task.event.get("no_effect_errors", ())
        return next((kind.__name__ for kind in type(error).__mro__ if kind.__name__ in declared), None)


_MOST_TOGETHER = contract.MAX_STATE_BYTES - contract.RESERVED_BYTES


def _bytes(value: Any) -> int:
    """As JSON, at most: who passes it on may escape what is not ASCII."""
    return len(json.dumps(value, separators=(",", ":")))
