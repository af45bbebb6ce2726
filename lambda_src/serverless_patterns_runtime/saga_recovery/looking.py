"""What a person wants to know: which executions need him, and how far one of them has come."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.saga_recovery import contract
from serverless_patterns_runtime.saga_recovery.edge import GuardianEdge
from serverless_patterns_runtime.saga_recovery.guarding import LAST_SECONDS, Guarding
from serverless_patterns_runtime.saga_recovery.ledger import Entry, document_of, parked_error, read
from serverless_patterns_runtime.saga_recovery.marks import Mark
from serverless_patterns_runtime.saga_recovery.recoveries import recoveries_of
from serverless_patterns_runtime.saga_state_machine import contract as saga
from serverless_patterns_runtime.saga_state_machine.execution import Execution
from serverless_patterns_runtime.saga_state_machine.task import error_of

__all__ = ["listed", "shown"]

MOST_WORDS = 1_000
"""Characters of an error."""


def listed(guarding: Guarding, remaining: Callable[[], float], *, settled: bool) -> contract.ListAnswer:
    """Executions that ended badly, the latest first; `settled`: those too that were recovered."""
    found: list[contract.Listed] = []
    complete = True
    for one in guarding.bad_ends():
        if remaining() < LAST_SECONDS:
            complete = False
            break
        execution = guarding.executions.find(one.name)
        if execution is not None and execution.has_ended_badly:
            line = _line(guarding, execution)
            if settled or line["outcome"] not in contract.SETTLED_OUTCOMES:
                found.append(line)
    return {"executions": sorted(found, key=lambda line: -line["started"]), "complete": complete}


def shown(event: contract.Show, guarding: Guarding, edge: GuardianEdge) -> contract.ShowAnswer:
    """Raises PermanentError for an execution that is not there."""
    execution = guarding.executions.find(event["execution"])
    if execution is None:
        raise PermanentError(f"there is no execution {event['execution']!r}, or it is forgotten")
    steps = guarding.executions.steps_of(execution.name).actions
    entries = read(edge.outside, document_of(execution.input), execution.name, steps)
    mark = guarding.marks.of(execution) or Mark(0, ())
    recoveries = [*recoveries_of(execution, guarding.recoveries.find)]
    *_, latest = execution, *recoveries
    return {
        "execution": execution.name,
        "outcome": latest.outcome,
        "started": execution.started,
        "stopped": latest.stopped,
        "error": _error(latest),
        "undone_for": _undone_for([execution, *recoveries], entries),
        "steps": [_step(entry) for entry in entries],
        "recoveries": [
            {"name": it.name, "outcome": it.outcome, "started": it.started, "stopped": it.stopped} for it in recoveries
        ],
        "audit": [{"at": it.at, "by": it.by, "reason": it.reason, "recovery": it.recovery} for it in mark.audit],
    }


def _line(guarding: Guarding, execution: Execution) -> contract.Listed:
    *_, latest = execution, *recoveries_of(execution, guarding.recoveries.find)
    return {
        "execution": execution.name,
        "outcome": latest.outcome,
        "recovery": None if latest is execution else latest.name,
        "started": execution.started,
        "stopped": latest.stopped,
        "error": _error(latest),
    }


def _undone_for(executions: Sequence[Execution], entries: Sequence[Entry]) -> str | None:
    """As the latest says that has come to its end; else as is parked with what could not be undone."""
    told = next((one.undone_for for one in reversed(executions) if one.is_compensated), None)
    if told is None and any(one.outcome == saga.COMPENSATION_PARKED for one in executions):
        told = parked_error(entries)
    return None if told is None else _words(told)


def _step(entry: Entry) -> contract.ShownStep:
    if entry.parked is not None and entry.is_parked:
        return {"step": entry.step, "status": "PARKED", "error": _words(entry.parked.error)}
    return {"step": entry.step, "status": _status(entry), "error": None}


def _status(entry: Entry) -> str:
    if entry.action is None:
        return "NOT_BEGUN"
    if entry.action.undone:
        unfinished = entry.action.done and (entry.compensation is None or not entry.compensation.done)
        if entry.compensation is None and not (entry.action.done or entry.action.began):
            return "NOT_BEGUN"  # it is only forbidden to
        return "UNDOING" if unfinished else "UNDONE"
    return "DONE" if entry.action.done else "AT_WORK"


def _error(execution: Execution) -> str | None:
    told = _words({"Error": execution.error or "", "Cause": execution.cause or ""})
    return told if told != execution.outcome else None


def _words(caught: Mapping[str, Any]) -> str | None:
    error = error_of(caught)
    return ": ".join(filter(None, (error.name, error.message)))[:MOST_WORDS] or None
