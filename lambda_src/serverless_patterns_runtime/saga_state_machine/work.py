"""What an action and a compensation have in common: a business function that runs once under a claim."""

import math
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from serverless_patterns_runtime.business_function.result import Executed
from serverless_patterns_runtime.claims.claim import Claim, Holder, RunningElsewhere
from serverless_patterns_runtime.claims.leases import CLOCK_SKEW_SECONDS
from serverless_patterns_runtime.claims.once import Call, Once
from serverless_patterns_runtime.errors import CircuitOpen, PermanentError, Unsettled
from serverless_patterns_runtime.invocation import Invocation
from serverless_patterns_runtime.saga_state_machine.edge import Edge
from serverless_patterns_runtime.saga_state_machine.failures import Ambiguous, StillUnsettled, WithoutEffect
from serverless_patterns_runtime.saga_state_machine.task import StepClaim, Task
from serverless_patterns_runtime.step_input import StepInput

if TYPE_CHECKING:
    from serverless_patterns_runtime.circuit_breaker.permit import Permit
    from serverless_patterns_runtime.claims.lease import Lease

__all__ = ["StepWork"]


class StepWork(Once[str]):
    """Answers are JSON texts."""

    def __init__(self, edge: Edge, task: Task, context: Any) -> None:
        super().__init__(edge.claims(), lambda: context.get_remaining_time_in_millis() / 1000, edge.logger)
        self._edge = edge
        self._task = task
        self._begun_at: int | None = None
        """When the first attempt took the lease; known once this one has it, and only where a key depends on it."""

    @property
    def _action(self) -> StepClaim:
        return self._task.action(self._edge.settings.claims_namespace)

    def _run(self, claim: StepClaim, step: StepInput) -> Executed[str]:
        """Raises as `Once`, CircuitOpen before anything is claimed, StillUnsettled, and Ambiguous."""
        permit = self._permit()

        def call(claim: Claim, attempt: int) -> Any:
            invocation = Invocation(
                claim=claim,
                correlation_id=self._task.event["execution"],
                attempt=max(attempt, self._task.attempt),
                remaining=self._remaining,
                logger=self._edge.logger,
                resources=self._edge.resources,
            )
            given = self._with_external_key(step, claim)
            if permit is None:
                return self._edge.business_function(given, invocation)
            return permit.run(lambda: self._edge.business_function(given, invocation))

        with permit or nullcontext():
            try:
                return self._once(claim, call)
            except Unsettled as error:
                raise self._unsettled(error) from None
            except _KNOWN:
                raise
            except Exception as error:
                refusal = None if permit is None else permit.refusal or self._suspicion(permit)
                if refusal is None:
                    raise
                raise refusal from error  # it was a probe's, or the one by which the breaker opened: no attempt

    def _once(self, claim: StepClaim, call: Call) -> Executed[str]:
        if self._edge.settings.returns_effects:
            return self._with_effects(claim, call)
        return self._with_lease(claim, call)

    # The breaker.

    def _permit(self) -> "Permit | None":
        breaker = self._edge.breakers.get(self._task.event.get("circuit_breaker", ""))
        if breaker is None:
            return None
        try:
            return breaker.permit(self._remaining)
        except CircuitOpen:
            breaker.refused(1)
            raise

    def _suspicion(self, permit: "Permit") -> CircuitOpen | None:
        """Instead of giving up: failures may have been too few, or too far apart, to open the breaker."""
        is_last = self._task.event["retries"] >= self._task.event.get("tries", math.inf)
        return permit.suspect() if is_last else None

    # A provider outside.

    def _take(self, lease: "Lease", until: int) -> Holder:
        held = lease.take(until, dated="external_key" in self._task.event)
        self._begun_at = held.begun_at
        return held

    def _with_external_key(self, step: StepInput, claim: Claim) -> StepInput:
        """Only if the key outlives this invocation: whatever the function sends, the provider still knows it."""
        settings = self._task.event.get("external_key")
        if settings is None:
            return step
        dead_at = self._edge.clock() + self._remaining() + CLOCK_SKEW_SECONDS
        if self._begun_at is None or dead_at > self._begun_at + settings["lifetime"]:
            return replace(step, key=None, key_expired=True)
        return replace(step, key=self._task.external_key(claim))

    def _unsettled(self, error: Unsettled) -> Exception:
        if "settles_within" not in self._task.event:
            return error
        interval = self._task.wait_for_outcome(self._edge.clock(), error.retry_after)
        return Ambiguous(error) if interval is None else StillUnsettled(interval)

    def _kept(self, answer: str) -> str:
        return answer

    def _read(self, kept: str) -> str:
        return kept


_KNOWN = (PermanentError, WithoutEffect, Ambiguous, RunningElsewhere)
"""What they say holds, whatever the breaker makes of it."""
