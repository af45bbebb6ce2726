"""What a recovery begins with: which way it goes, decided once and for ever, and the document as far as it is known."""

import json
from collections.abc import Mapping
from typing import Any

from serverless_patterns_runtime.attribute_values import deserialize_item
from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.saga_recovery import contract
from serverless_patterns_runtime.saga_recovery.edge import LedgerEdge
from serverless_patterns_runtime.saga_recovery.executions import MachineExecutions, Steps
from serverless_patterns_runtime.saga_recovery.ledger import Entry, document_of, parked_error, read, task_of
from serverless_patterns_runtime.saga_recovery.settle import resumed
from serverless_patterns_runtime.saga_state_machine import approval_contract as approvals
from serverless_patterns_runtime.saga_state_machine import contract as saga
from serverless_patterns_runtime.saga_state_machine.approvals import decision_of
from serverless_patterns_runtime.saga_state_machine.execution import Execution

__all__ = ["MOST_CAUSE_CHARACTERS", "StillRunning", "recall"]

MOST_CAUSE_CHARACTERS = 1_000
"""Of a cause: it becomes part of the document."""


class StillRunning(Exception):
    """Nobody recovers what runs; and Step Functions may not know yet that it has ended."""


def recall(event: contract.Recall, edge: LedgerEdge) -> dict[str, Any]:
    """The document, with what is known of the steps.

    Raises PermanentError for an execution that cannot be recovered, StillRunning, RunningElsewhere while the pivot's
    action may be at work, and what the clients raise: then the same may be asked for again, and says the same.
    """
    executions = MachineExecutions(edge.outside.stepfunctions, edge.state_machine_arn)
    name = event["execution"]
    execution = _checked(executions.find(name), name, edge)
    document = document_of(execution.input)
    its = executions.steps_of(name)
    _check_known(event, edge, document, its)
    forward = _goes_forward(edge, event, document)
    if forward:
        _check_ahead(event, edge, document, its)
    # After the decision, so that the pivot's result is among them; what comes later is met by tombstones.
    entries = read(edge.outside, document, name, event["steps"])
    if not forward:
        _check_behind(event, entries)
    for step in event["steps"]:
        resumed(event, edge, step)
    if _bytes(document) > _MOST_INPUT:
        document = {}  # so large that no function could be given it: no step has a claim with it
    told: dict[str, Any] = {
        contract.EXECUTION: name,
        saga.ERROR: _error(execution, entries),
        # What is behind the pivot is told again by its own claims, one after the other.
        saga.RESULTS: {it.step: it.result for it in entries if it.is_done and it.step in event["backward"]}
        | _decisions(event, edge, execution),
    }
    if forward:
        told[contract.FORWARD] = True
    return {**document, saga.SAGA: told}


def _checked(execution: Execution | None, name: str, edge: LedgerEdge) -> Execution:
    if execution is None:
        raise PermanentError(f"there is no execution {name}, or it is forgotten")
    if execution.status == "RUNNING":
        raise StillRunning
    if not execution.has_ended_badly:
        raise PermanentError(f"execution {name} has ended well: {execution.status}")
    if edge.outside.clock() + edge.longest_seconds > execution.started + edge.outside.claims_retention_seconds:
        raise PermanentError(f"execution {name} began too long ago: its claims may be forgotten")
    return execution


def _check_known(event: contract.Recall, edge: LedgerEdge, document: Mapping[str, Any], its: Steps) -> None:
    """A step that this version does not know, or knows by other means, cannot be undone by it."""
    unclaimed = {*event.get("unclaimed", ())}
    # Whether one of these has begun nobody knows.
    missing = {*its.unclaimed} - unclaimed
    others = {*its.actions} - ({*event["steps"]} - unclaimed) - {*its.unclaimed}
    begun = {
        entry.step for entry in read(edge.outside, document, event["execution"], sorted(others)) if entry.has_begun
    }
    if missing | begun:
        told = " and no ".join(sorted(missing | begun))
        raise PermanentError(f"this version has no {told} as it was: deploy one that has, and resume")


def _goes_forward(edge: LedgerEdge, event: contract.Recall, document: Mapping[str, Any]) -> bool:
    """The pivot decides: done, or never to be done. Unless somebody has already begun to go back."""
    pivot, name, backward = event.get("pivot"), event["execution"], event["backward"]
    if pivot is None or any(entry.is_undone for entry in read(edge.outside, document, name, backward)):
        return False
    action = task_of(document, name, pivot).action(edge.outside.claims_namespace)
    return not edge.outside.claims().tombstone(action).forestall()


def _check_ahead(event: contract.Recall, edge: LedgerEdge, document: Mapping[str, Any], its: Steps) -> None:
    """What the execution has still to do, and this version has not behind its pivot, would be taken for done; and what
    it has done under another name would be done again."""
    gone, new = sorted({*its.behind} - {*event["behind"]}), sorted({*event["behind"]} - {*its.behind})
    lost = [entry.step for entry in read(edge.outside, document, event["execution"], gone) if not entry.is_done]
    if lost:
        told = f"{' and '.join(lost)} behind the pivot, though this execution has not done it"
        raise PermanentError(f"this version has no {told}: deploy one that has, and resume")
    if gone and new:
        told = (
            f"{' and '.join(new)} behind the pivot, and this execution has done {' and '.join(gone)}, perhaps the same"
        )
        raise PermanentError(f"this version has {told}: deploy the version that it began with, and resume")


def _check_behind(event: contract.Recall, entries: list[Entry]) -> None:
    """What is behind the pivot cannot be undone: it began behind another pivot, of the execution's own definition."""
    begun = [entry.step for entry in entries if entry.has_begun and entry.step not in event["backward"]]
    if begun:
        told = f"{' and '.join(begun)} began, though {event.get('pivot')} is not done"
        raise PermanentError(f"{told}: deploy the version whose pivot is done, and resume")


def _decisions(event: contract.Recall, edge: LedgerEdge, execution: Execution) -> dict[str, Any]:
    """What was approved: the results of approvals."""
    found: dict[str, Any] = {}
    namespace = edge.outside.claims_namespace
    for step in event.get("approvals", ()):
        locator = approvals.approval_locator(namespace, execution.name, execution.started, step)
        item = edge.outside.item(approvals.approval_key(namespace, locator))
        if item is not None and "decision" in item:
            decision = decision_of(deserialize_item(item))
            if decision.approve:
                found[step] = decision.told
    return found


def _error(execution: Execution, entries: list[Entry]) -> dict[str, str]:
    """Why the saga is undone: what was caught, where something is parked with it; else how the execution ended."""
    caught = parked_error(entries)
    if caught is not None:
        return caught
    return {"Error": execution.error or execution.status, "Cause": (execution.cause or "")[:MOST_CAUSE_CHARACTERS]}


_LEAST_EVENT = 64
"""Bytes that the smallest event of a step has around the document."""

_MOST_INPUT = saga.MAX_STATE_BYTES - _LEAST_EVENT


def _bytes(value: Any) -> int:
    """As Step Functions counts."""
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode(errors="surrogatepass"))
