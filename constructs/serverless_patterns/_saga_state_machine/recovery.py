"""The definition of the recovery: what is left of an execution is done, or undone, from what the claims remember.

The document is that of the execution which is recovered, with its name in `$.saga.execution`: steps keep their claims.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from serverless_patterns_runtime.saga_recovery.contract import EXECUTION, FORWARD, RECOVERY_FAILED
from serverless_patterns_runtime.saga_state_machine import contract

from .assembly import machine
from .attempts import LEDGER_BACKOFF, LEDGER_TASK_SECONDS
from .backward import back_from, whole_way_back
from .definition import backward_ends, forward_end
from .forward import Way, whole_way_forward
from .plan import (
    Node,
    Plan,
    Planned,
    PlannedApproval,
    PlannedChoice,
    PlannedParallel,
    PlannedWait,
    all_approvals,
    all_steps,
)
from .states import (
    DISCARD,
    FORWARD_PARKED,
    RESULTS,
    SAGA,
    UNDONE,
    Place,
    Resources,
    State,
    States,
    catch_all,
    lays_claim,
    retrier,
)

# None can be a step's: these hold a space.
RECALL, WHICH_WAY, FAILED = "Recall the ledger", "Which way", "Recovery failed"
SETTLE_DONE, SETTLE_UNDONE, DONE, SUCCEEDED = "Settle what is done", "Settle what is undone", "Is all done", "All done"

RECOVERY = Place(execution=f"{SAGA}.{EXECUTION}")
_FAILURE = RECOVERY.failure


def recovery(
    plan: Plan, former: Sequence[Planned], resources: Resources, ledger: str, asked: Sequence[str] = ()
) -> Mapping[str, Any]:
    """Of a checked plan.

    Args:
        plan: The saga's.
        former: Steps that it has no more, and executions under way may have done: they are undone before all others.
        resources: With what undoes those.
        ledger: ARN of the function that knows the claims.
        asked: Names of approvals that it has no more.
    """
    steps = [*all_steps(plan), *former]
    behind = [node for node in plan if not node.backward]
    pivot = next((step for step in steps if step.step.pivot), None)
    back = back_from(steps, len(steps) - 1, SETTLE_UNDONE)
    names = [step.name for step in steps] + [node.name for node in _others(plan)]
    decided = [*(node.name for node in all_approvals(plan)), *asked]
    recalls = _recall(steps, names, pivot, decided, ledger, back if pivot is None else WHICH_WAY)
    states: States = {RECALL: recalls}
    if pivot is not None:
        onward = behind[0].name if behind else SETTLE_DONE
        goes_on = {"Variable": f"{SAGA}.{FORWARD}", "IsPresent": True, "Next": onward}
        states[WHICH_WAY] = {"Type": "Choice", "Choices": [goes_on], "Default": back}
        way = Way(resources, RECOVERY, begun=True, after=SETTLE_DONE, stuck=SETTLE_DONE)
        states |= whole_way_forward(behind, way) | _forward_ends(names, ledger)
    states |= whole_way_back(steps, resources, RECOVERY, SETTLE_UNDONE)
    states[SETTLE_UNDONE] = _settle(names, ledger, UNDONE)
    states |= backward_ends(steps, RECOVERY)
    states[FAILED] = {"Type": "Fail", "Error": RECOVERY_FAILED, "CausePath": f"{_FAILURE}.Cause"}
    return machine(RECALL, states)


def _others(plan: Sequence[Node]) -> Iterator[Node]:
    """What may be parked and is no step."""
    for node in plan:
        match node:
            case PlannedParallel():
                yield node
                yield from (each for branch in node.branches for each in _others(branch))
            case PlannedChoice():
                yield from (each for way in node.ways for each in _others(way))
            case PlannedWait():
                yield node
            case Planned() | PlannedApproval():
                pass


def _recall(
    steps: Sequence[Planned],
    names: Sequence[str],
    pivot: Planned | None,
    decided: Sequence[str],
    ledger: str,
    following: str,
) -> State:
    asked: dict[str, Any] = {
        "task": "recall",
        "recovery.$": "$$.Execution.Name",
        "execution.$": RECOVERY.execution,
        "steps": names,
        "backward": [step.name for step in steps if step.backward],
        "behind": [step.name for step in steps if not step.backward],
    }
    if pivot is not None:
        asked["pivot"] = pivot.name
    unclaimed = [step.name for step in steps if step.undo is not None and not lays_claim(step)]
    if unclaimed:
        asked["unclaimed"] = unclaimed
    if decided:
        asked["approvals"] = decided
    return {**_ask(ledger, asked, [] if pivot is None else pivot.action.after_leases), "Next": following}


def _settle(names: Sequence[str], ledger: str, following: str) -> State:
    asked = {
        "task": "settle",
        "recovery.$": "$$.Execution.Name",
        "execution.$": RECOVERY.execution,
        "steps": names,
    }
    # A plain None is left out of CDK's JSON, and would mean "$".
    return {**_ask(ledger, asked, []), "ResultPath": DISCARD, "Next": following}


def _ask(ledger: str, asked: Mapping[str, Any], at_work: Sequence[State]) -> State:
    return {
        "Type": "Task",
        "Resource": ledger,
        "Parameters": asked,
        "TimeoutSeconds": LEDGER_TASK_SECONDS,
        "Retry": [
            {"ErrorEquals": [contract.PERMANENT_ERROR], "MaxAttempts": 0},
            *at_work,
            retrier(LEDGER_BACKOFF),
        ],
        "Catch": catch_all(_FAILURE, FAILED),
    }


def _forward_ends(names: Sequence[str], ledger: str) -> States:
    told = {"status": contract.SUCCEEDED, f"{contract.RESULTS}.$": RESULTS}
    parked = (RECOVERY.parked, RECOVERY.forward_beside().parked)
    return {
        SETTLE_DONE: _settle(names, ledger, DONE),
        DONE: {
            "Type": "Choice",
            "Choices": [{"Variable": path, "IsPresent": True, "Next": FORWARD_PARKED} for path in parked],
            "Default": SUCCEEDED,
        },
        SUCCEEDED: {"Type": "Pass", "Parameters": told, "End": True},
        **forward_end(),
    }
