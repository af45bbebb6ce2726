"""The definition in Amazon States Language: forward through the actions, back through what undoes them.

The document is the execution's input with one more key, `saga`: see the contract. No state is there for it alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from aws_cdk import aws_stepfunctions as sfn

from serverless_patterns_runtime.claims.contract import PARTITION_KEY
from serverless_patterns_runtime.saga_state_machine import contract

from .plan import LEASE_ATTEMPTS, PARK_BACKOFF, PARK_TIMEOUT_SECONDS, Attempts, Backoff, Planned

FORWARD_PARKED = "ForwardParked"
UNDONE = "Undone"
COMPENSATION_PARKED = "CompensationParked"
COMPENSATED = "Compensated"
STATES = (FORWARD_PARKED, UNDONE, COMPENSATION_PARKED, COMPENSATED)
"""Names that no step may have."""

_SAGA, _ERROR, _FAILURE = f"$.{contract.SAGA}", f"$.{contract.SAGA}.{contract.ERROR}", f"$.{contract.SAGA}.failure"
_PARKED = f"$.{contract.SAGA}.{contract.PARKED}"

State = Mapping[str, Any]


class Resources(NamedTuple):
    """What the definition names. ARNs and names may be tokens."""

    partition: str
    table_name: str
    namespace: str
    actions: Mapping[str, str]
    """By step."""
    compensations: Mapping[str, str]


def definition(plan: Sequence[Planned], resources: Resources) -> Mapping[str, Any]:
    """Of a checked plan."""
    states: dict[str, State] = {}
    for at, one in enumerate(plan):
        states[one.name] = _action(plan, at, resources)
        compensation = one.compensation
        if compensation is not None:
            states[_undo(one)] = _compensation(plan, at, compensation, resources)
            states[_park(one)] = _parking(one.name, _before(plan, at), _FAILURE, resources)
        elif not one.backward:
            states[_park(one)] = _parking(one.name, FORWARD_PARKED, _ERROR, resources)
    if not plan[-1].backward:
        states[FORWARD_PARKED] = {"Type": "Fail", "Error": contract.FORWARD_PARKED}
    parked = {"Variable": _PARKED, "IsPresent": True, "Next": COMPENSATION_PARKED}
    states[UNDONE] = {"Type": "Choice", "Choices": [parked], "Default": COMPENSATED}
    states[COMPENSATION_PARKED] = {"Type": "Fail", "Error": contract.COMPENSATION_PARKED}
    told = {"status": contract.COMPENSATED, "error.$": _ERROR}
    states[COMPENSATED] = {"Type": "Pass", "Parameters": told, "End": True}
    return {"StartAt": plan[0].name, "States": states}


def _action(plan: Sequence[Planned], at: int, resources: Resources) -> State:
    one, attempts = plan[at], plan[at].action
    declared = list(one.step.no_effect_errors)
    event = _event(one.name, "action")
    if at == 0:
        event["first"] = True
    if declared:
        event["no_effect_errors"] = declared
    results = f"{_SAGA}.{contract.RESULTS}"
    # The first result makes `$.saga`, with the status that leaves with the last one as the output: no state for that.
    begun = {"status": contract.SUCCEEDED, contract.RESULTS: {f"{one.name}.$": "$"}}
    shape: State = (
        {"ResultSelector": begun, "ResultPath": _SAGA} if at == 0 else {"ResultPath": f"{results}.{one.name}"}
    )
    declined = [{"ErrorEquals": declared, "ResultPath": _ERROR, "Next": _before(plan, at)}] if declared else []
    otherwise = _back_from(plan, at) if one.backward else _park(one)
    again = [_after_a_lease(attempts), _retrier(attempts.backoff)] if attempts.backoff.again else []
    return {
        "Type": "Task",
        "Resource": resources.actions[one.name],
        "Parameters": event,
        **shape,
        "TimeoutSeconds": attempts.timeout,
        "Retry": [{"ErrorEquals": [contract.PERMANENT_ERROR, *declared], "MaxAttempts": 0}, *again],
        "Catch": [*declined, *_catch_all(_ERROR, otherwise)],
        **({"Next": plan[at + 1].name} if at + 1 < len(plan) else {"OutputPath": _SAGA, "End": True}),
    }


def _compensation(plan: Sequence[Planned], at: int, attempts: Attempts, resources: Resources) -> State:
    one = plan[at]
    event = _event(one.name, "compensation")
    if one.step.action.returns_effects:
        event["action_returns_effects"] = True
    return {
        "Type": "Task",
        "Resource": resources.compensations[one.name],
        "Parameters": event,
        "ResultPath": sfn.JsonPath.DISCARD,  # a plain None is left out of CDK's JSON, and would mean "$"
        "TimeoutSeconds": attempts.timeout,
        "Retry": [
            {"ErrorEquals": [contract.PERMANENT_ERROR], "MaxAttempts": 0},
            _after_a_lease(attempts),
            _retrier(attempts.backoff),
        ],
        "Catch": _catch_all(_FAILURE, _park(one)),
        "Next": _before(plan, at),
    }


def _parking(step: str, following: str, error: str, resources: Resources) -> State:
    key = contract.parked_key(resources.namespace, "{}", step)
    return {
        "Type": "Task",
        "Resource": f"arn:{resources.partition}:states:::dynamodb:putItem",
        "Parameters": {
            "TableName": resources.table_name,
            "Item": {
                PARTITION_KEY: {"S.$": f"States.Format('{key}', $$.Execution.Name)"},
                "step": {"S": step},
                "state": {"S.$": "States.JsonToString($)"},
                "error": {"S.$": f"States.JsonToString({error})"},
            },
        },
        "ResultSelector": {"step": step},
        "ResultPath": f"{_PARKED}.{step}",
        "TimeoutSeconds": PARK_TIMEOUT_SECONDS,
        "Retry": [_retrier(PARK_BACKOFF)],
        # Then nothing but the history knows of it: the others are undone all the same, and the end says "parked".
        "Catch": _catch_all(f"{_PARKED}.{step}", following),
        "Next": following,
    }


def _event(step: str, kind: contract.Kind) -> dict[str, Any]:
    return {
        "step": step,
        "kind": kind,
        "execution.$": "$$.Execution.Name",
        "retries.$": "$$.State.RetryCount",
        "state.$": "$",
    }


def _after_a_lease(attempts: Attempts) -> State:
    return {
        "ErrorEquals": [contract.RUNNING_ELSEWHERE],
        "IntervalSeconds": attempts.after_a_lease,
        "BackoffRate": 1.0,
        "MaxAttempts": LEASE_ATTEMPTS,
    }


def _retrier(backoff: Backoff) -> State:
    return {
        "ErrorEquals": ["States.ALL"],
        "IntervalSeconds": backoff.base,
        "BackoffRate": 2.0,
        "MaxAttempts": backoff.again,
        "MaxDelaySeconds": backoff.longest,
        "JitterStrategy": "FULL",
    }


def _catch_all(path: str, following: str) -> list[State]:
    """`States.ALL` is not all."""
    return [
        {"ErrorEquals": ["States.DataLimitExceeded"], "ResultPath": path, "Next": following},
        {"ErrorEquals": ["States.ALL"], "ResultPath": path, "Next": following},
    ]


def _before(plan: Sequence[Planned], at: int) -> str:
    return _back_from(plan, at - 1)


def _back_from(plan: Sequence[Planned], at: int) -> str:
    """Where undoing goes on: the nearest step, from this one back, that has something to undo."""
    return next((_undo(one) for one in reversed(plan[: at + 1]) if one.undo is not None), UNDONE)


def _undo(one: Planned) -> str:
    return f"Undo {one.name}"


def _park(one: Planned) -> str:
    return f"Park {one.name}"
