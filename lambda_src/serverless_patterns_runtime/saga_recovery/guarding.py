"""Executions that died are recovered: each once, whoever hears of it first, and however often."""

from collections.abc import Callable, Iterator

from serverless_patterns_runtime.saga_recovery import contract
from serverless_patterns_runtime.saga_recovery.edge import GuardianEdge
from serverless_patterns_runtime.saga_recovery.executions import Listed, MachineExecutions
from serverless_patterns_runtime.saga_recovery.marks import Marks
from serverless_patterns_runtime.saga_state_machine.execution import Execution

__all__ = ["Guarding", "RecoveryNameTaken"]

LAST_SECONDS = 5.0
"""Kept free at the end of a sweep: the next one goes on."""


class RecoveryNameTaken(Exception):
    """The recovery's name belongs to one of an earlier execution, whose name was used again."""


class Guarding:
    def __init__(self, edge: GuardianEdge) -> None:
        outside = edge.outside
        self._edge = edge
        self.executions = MachineExecutions(outside.stepfunctions, edge.state_machine_arn)
        self.recoveries = MachineExecutions(outside.stepfunctions, edge.recovery_state_machine_arn)
        self.marks = Marks(outside)

    def guard(self, name: str) -> bool:
        """Whether this has started the recovery of an execution: it is dead, and nobody else has."""
        execution = self.executions.find(name)
        if execution is None or not execution.has_ended_badly:
            return False
        if self.marks.of(execution) is not None:
            self._remember(execution)
            return False
        started = execution.is_dead and self.recover(execution, 1)
        self.marks.note(execution, 1 if execution.is_dead else 0)
        self._remember(execution)
        return started

    def recover(self, execution: Execution, attempt: int) -> bool:
        """Start this recovery, unless it was. Same name, same input: whoever does it, it is one.

        Raises RecoveryNameTaken.
        """
        name = contract.recovery_name(execution.name, attempt)
        if self.recoveries.start(name, {"saga": {contract.EXECUTION: execution.name}}):
            return True
        found = self.recoveries.find(name)
        if found is not None and not found.recovers(execution):
            raise RecoveryNameTaken(name)
        return False

    def sweep(self, remaining: Callable[[], float]) -> tuple[int, int]:
        """Look at all that ended badly, as long as there is time. Numbers of those looked at, and of those started.

        One that cannot be guarded keeps none of the others from it: the first error is raised at the end.
        """
        looked, started, failed = 0, 0, None
        for listed in self.bad_ends():
            if remaining() < LAST_SECONDS:
                break
            if listed in self._edge.seen:
                continue
            looked += 1
            try:
                started += self.guard(listed.name)
            except Exception as error:
                failed = failed or error
        if failed is not None:
            raise failed
        return looked, started

    def bad_ends(self) -> Iterator[Listed]:
        """Executions whose claims are still there, the latest first of each status."""
        since = self._edge.outside.clock() - self._edge.outside.claims_retention_seconds
        for status in contract.DEAD_STATUSES:
            yield from self.executions.ended(status, since)

    def _remember(self, execution: Execution) -> None:
        self._edge.seen.add(Listed(execution.name, execution.started))
