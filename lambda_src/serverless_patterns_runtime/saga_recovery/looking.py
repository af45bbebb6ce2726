"""What a person wants to know: which executions need him, and how far one of them has come."""

from collections.abc import Callable, Mapping
from typing import Any

from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.saga_recovery import contract
from serverless_patterns_runtime.saga_recovery.edge import GuardianEdge
from serverless_patterns_runtime.saga_recovery.executions import Execution
from serverless_patterns_runtime.saga_recovery.guarding import LAST_SECONDS, Guarding
from serverless_patterns_runtime.saga_recovery.ledger import Entry, document_of, read
from serverless_patterns_runtime.saga_recovery.marks import Mark
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
        if execution is not None and execution.status in contract.DEAD_STATUSES:
            line = _line(guarding, execution)
            if settled or line["outcome"] != "SUCCEEDED":
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
    names = [contract.recovery_name(execution.name, number) for number in range(1, mark.attempt + 1)]
    recoveries = [found for found in map(guarding.recoveries.find, names) if found is not None]
    return {
        "execution": execution.name,
        "outcome": execution.outcome,
        "started": execution.started,
        "stopped": execution.stopped,
        "error": _error(execution),
        "steps": [_step(entry) for entry in entries],
        "recoveries": [
            {"name": it.name, "outcome": it.outcome, "started": it.started, "stopped": it.stopped} for it in recoveries
        ],
        "audit": [{"at": it.at, "by": it.by, "reason": it.reason, "recovery": it.recovery} for it in mark.audit],
    }


def _line(guarding: Guarding, execution: Execution) -> contract.Listed:
    mark = guarding.marks.of(execution)
    attempt = 0 if mark is None else mark.attempt
    recovery = guarding.recoveries.find(contract.recovery_name(execution.name, attempt)) if attempt else None
    latest = recovery or execution
    return {
        "execution": execution.name,
        "outcome": latest.outcome,
        "recovery": None if recovery is None else recovery.name,
        "started": execution.started,
        "stopped": latest.stopped,
        "error": _error(latest),
    }


def _step(entry: Entry) -> contract.ShownStep:
    if entry.parked is not None and entry.is_parked:
        return {"step": entry.step, "status": "PARKED", "error": _words(entry.parked.error)}
    return {"step": entry.step, "status": _status(entry), "error": None}


def _status(entry: Entry) -> str:
    if entry.action is None:
        return "NOT_BEGUN"
    if entry.action.undone:
        unfinished = entry.action.done and (entry.compensation is None or not entry.compensation.done)
        return "UNDOING" if unfinished else "UNDONE"
    return "DONE" if entry.action.done else "AT_WORK"


def _error(execution: Execution) -> str | None:
    told = _words({"Error": execution.error or "", "Cause": execution.cause or ""})
    return told if told != execution.outcome else None


def _words(caught: Mapping[str, Any]) -> str | None:
    error = error_of(caught)
    return ": ".join(filter(None, (error.name, error.message)))[:MOST_WORDS] or None
