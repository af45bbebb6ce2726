"""The recoveries of an execution: what the guardian shows to people, and a status to callers, is the latest's."""

import itertools
from collections.abc import Callable, Iterator

from serverless_patterns_runtime.saga_recovery import contract
from serverless_patterns_runtime.saga_state_machine.execution import Execution

__all__ = ["recoveries_of"]


def recoveries_of(execution: Execution, find: Callable[[str], Execution | None]) -> Iterator[Execution]:
    """In their order. None is begun before the one with the number below has ended, so who counts misses none.

    Args:
        execution: That ended badly.
        find: By its name, an execution of the recovery state machine. What it raises is raised.
    """
    for attempt in itertools.count(1):
        found = find(contract.recovery_name(execution.name, attempt))
        if found is None:
            return
        if found.recovers(execution):
            yield found
