"""The definition of the recovery: what is left of an execution is done, or undone, from what the claims remember.

The document is that of the execution which is recovered, with its name in `$.saga.execution`: steps keep their claims.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aws_cdk import aws_stepfunctions as sfn

from serverless_patterns_runtime.saga_recovery.contract import EXECUTION, FORWARD, RECOVERY_FAILED
from serverless_patterns_runtime.saga_state_machine import contract

from .attempts import LEASE_ATTEMPTS, Backoff
from .backward import back_from, whole_way_back
from .definition import backward_ends, forward_end
from .forward import Way, whole_way_forward
from .plan import Node, Planned, all_steps
from .states import (
    FORWARD_PARKED,
    RESULTS,
    SAGA,
    UNDONE,
    Place,
    Resources,
    State,
    States,
    catch_all,
    retrier,
)

# None can be a step's: these hold a space.
RECALL, WHICH_WAY, FAILED = "Recall the ledger", "Which way", "Recovery failed"
SETTLE_DONE, SETTLE_UNDONE, DONE, SUCCEEDED = "Settle what is done", "Settle what is undone", "Is all done", "All done"

RECOVERY = Place(execution=f"{SAGA}.{EXECUTION}")
_FAILURE = RECOVERY.failure

LEDGER_SECONDS = 60
_STARTING = contract.STARTING_SECONDS
_BACKOFF = Backoff(again=15, base=2, longest=3600)  # hours: whatever keeps the ledger from its table


def recovery(plan: Sequence[Node], resources: Resources, ledger: str) -> Mapping[str, Any]:
    """Of a checked plan. `ledger`: ARN of the function that knows the claims."""
    steps = all_steps(plan)
    behind = [node for node in plan if not node.backward]
    pivot = next((step for step in steps if step.step.pivot), None)
    back = back_from(steps, len(steps) - 1, SETTLE_UNDONE)
    states: States = {RECALL: _recall(steps, pivot, ledger, back if pivot is None else WHICH_WAY)}
    if pivot is not None:
        onward = behind[0].name if behind else SETTLE_DONE
        goes_on = {"Variable": f"{SAGA}.{FORWARD}", "IsPresent": True, "Next": onward}
        states[WHICH_WAY] = {"Type": "Choice", "Choices": [goes_on], "Default": back}
        states |= _settled_afterwards(whole_way_forward(behind, Way(resources, RECOVERY, begun=True)))
        states |= _forward_ends(steps, ledger, parked=bool(behind))
    states |= whole_way_back(steps, resources, RECOVERY, SETTLE_UNDONE)
    states[SETTLE_UNDONE] = _settle(steps, ledger, UNDONE)
    states |= backward_ends(RECOVERY)
    states[FAILED] = {"Type": "Fail", "Error": RECOVERY_FAILED, "CausePath": f"{_FAILURE}.Cause"}
    return {"StartAt": RECALL, "States": states}


def _recall(steps: Sequence[Planned], pivot: Planned | None, ledger: str, following: str) -> State:
    asked = {
        "task": "recall",
        "execution.$": RECOVERY.execution,
        "steps": [step.name for step in steps],
        "backward": [step.name for step in steps if step.backward],
        **({} if pivot is None else {"pivot": pivot.name}),
    }
    at_work = [] if pivot is None else [_after_a_lease(pivot)]
    return {**_ask(ledger, asked, at_work), "Next": following}


def _settle(steps: Sequence[Planned], ledger: str, following: str) -> State:
    asked = {
        "task": "settle",
        "recovery.$": "$$.Execution.Name",
        "execution.$": RECOVERY.execution,
        "steps": [step.name for step in steps],
        "saga.$": SAGA,
    }
    # A plain None is left out of CDK's JSON, and would mean "$".
    return {**_ask(ledger, asked, []), "ResultPath": sfn.JsonPath.DISCARD, "Next": following}


def _ask(ledger: str, asked: Mapping[str, Any], at_work: Sequence[State]) -> State:
    return {
        "Type": "Task",
        "Resource": ledger,
        "Parameters": asked,
        "TimeoutSeconds": LEDGER_SECONDS + _STARTING,
        "Retry": [
            {"ErrorEquals": [contract.PERMANENT_ERROR], "MaxAttempts": 0},
            *at_work,
            retrier(_BACKOFF),
        ],
        "Catch": catch_all(_FAILURE, FAILED),
    }


def _after_a_lease(pivot: Planned) -> State:
    return {
        "ErrorEquals": [contract.RUNNING_ELSEWHERE],
        "IntervalSeconds": pivot.action.after_a_lease,
        "BackoffRate": 1.0,
        "MaxAttempts": LEASE_ATTEMPTS,
    }


def _forward_ends(steps: Sequence[Planned], ledger: str, *, parked: bool) -> States:
    told = {"status": contract.SUCCEEDED, f"{contract.RESULTS}.$": RESULTS}
    succeeded: State = {"Type": "Pass", "Parameters": told, "End": True}
    if not parked:
        return {SETTLE_DONE: _settle(steps, ledger, SUCCEEDED), SUCCEEDED: succeeded}
    is_parked = {"Variable": RECOVERY.parked, "IsPresent": True, "Next": FORWARD_PARKED}
    return {
        SETTLE_DONE: _settle(steps, ledger, DONE),
        DONE: {"Type": "Choice", "Choices": [is_parked], "Default": SUCCEEDED},
        SUCCEEDED: succeeded,
        **forward_end(),
    }


def _settled_afterwards(states: States) -> States:
    """Wherever the way forward ends, well or parked, it goes on to the settling."""
    return {name: _redirected(state) for name, state in states.items()}


def _redirected(state: State) -> State:
    if "End" in state:
        state = {key: value for key, value in state.items() if key not in ("End", "OutputPath")}
        return {**_led(state), "Next": SETTLE_DONE}
    return _led(state)


def _led(state: State) -> State:
    """With every way to the end that is parked leading to the settling instead."""
    found = dict(state)
    for key in ("Next", "Default"):
        if found.get(key) == FORWARD_PARKED:
            found[key] = SETTLE_DONE
    for key in ("Catch", "Choices"):
        if key in found:
            found[key] = [_led(each) for each in found[key]]
    return found
