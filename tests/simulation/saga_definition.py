"""The definition that a linear saga needs, written down once more by the tests, from the design."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from serverless_patterns_runtime.saga_state_machine import contract

__all__ = ["LONGEST_FUNCTION_SECONDS", "NAMESPACE", "Plan", "definition"]

NAMESPACE = "Checkout"
LONGEST_FUNCTION_SECONDS = 6
TASK_SECONDS = LONGEST_FUNCTION_SECONDS + contract.STARTING_SECONDS
AFTER_A_LEASE = LONGEST_FUNCTION_SECONDS + contract.LEASE_MARGIN_SECONDS


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One step, and what its functions do when they are asked."""

    name: str
    effects: bool = True
    does: str = "ok"
    seconds: float = 0.1
    """How long the action works on it, before it has its effect."""
    undo: str = "clean"
    retries: int = 5
    """Of the action, after errors that a retry may mend."""
    undo_retries: int = 12
    pivot: bool = False
    declares: Sequence[str] = ()


def definition(plans: Sequence[Plan]) -> Mapping[str, Any]:
    pivot = next((at for at, plan in enumerate(plans) if plan.pivot), len(plans) - 1)
    states: dict[str, Any] = {}
    for at, plan in enumerate(plans):
        backward = at <= pivot
        states[plan.name] = _action(plans, at, backward=backward)
        if backward:
            states[_undo(plan)] = _compensation(plans, at)
            states[_park(plan)] = _parking(plan.name, _before(plans, at), "$.saga.failure")
        else:
            states[_park(plan)] = _parking(plan.name, "ForwardParked", "$.saga.error")
    if pivot + 1 < len(plans):
        states["ForwardParked"] = {"Type": "Fail", "Error": contract.FORWARD_PARKED}
    states["Undone"] = {
        "Type": "Choice",
        "Choices": [{"Variable": "$.saga.parked", "IsPresent": True, "Next": "CompensationParked"}],
        "Default": "Compensated",
    }
    states["CompensationParked"] = {"Type": "Fail", "Error": contract.COMPENSATION_PARKED}
    told = {"status": contract.COMPENSATED, "error.$": "$.saga.error"}
    states["Compensated"] = {"Type": "Pass", "Parameters": told, "End": True}
    return {"StartAt": plans[0].name, "States": states}


def _action(plans: Sequence[Plan], at: int, *, backward: bool) -> Mapping[str, Any]:
    plan, first = plans[at], at == 0
    event = _event(plan, "action")
    if first:
        event["first"] = True
    if plan.declares and backward:
        event["no_effect_errors"] = list(plan.declares)
    # The first result makes `$.saga`, so that its outcome is there when the last result leaves as the output.
    begun = {"status": contract.SUCCEEDED, "results": {f"{plan.name}.$": "$"}}
    shape = (
        {"ResultSelector": begun, "ResultPath": "$.saga"} if first else {"ResultPath": f"$.saga.results.{plan.name}"}
    )
    declined = {"ErrorEquals": list(plan.declares), "ResultPath": "$.saga.error", "Next": _before(plans, at)}
    otherwise = _undo(plan) if backward else _park(plan)
    return {
        "Type": "Task",
        **({} if backward else {"Comment": f"{contract.BEHIND_THE_PIVOT}{plan.name}"}),
        "Resource": f"action {plan.name}",
        "Parameters": event,
        **shape,
        "TimeoutSeconds": TASK_SECONDS,
        "Retry": [
            {"ErrorEquals": [contract.PERMANENT_ERROR, *plan.declares], "MaxAttempts": 0},
            *([_after_a_lease(), _backoff(attempts=plan.retries, longest=60)] if plan.retries else []),
        ],
        "Catch": [
            *([declined] if plan.declares and backward else []),
            *_catch_all("$.saga.error", otherwise),
        ],
        **({"Next": plans[at + 1].name} if at + 1 < len(plans) else {"OutputPath": "$.saga", "End": True}),
    }


def _compensation(plans: Sequence[Plan], at: int) -> Mapping[str, Any]:
    plan = plans[at]
    event = _event(plan, "compensation")
    return {
        "Type": "Task",
        "Resource": f"compensation {plan.name}",
        "Parameters": event,
        "ResultPath": None,
        "TimeoutSeconds": TASK_SECONDS,
        "Retry": [
            {"ErrorEquals": [contract.PERMANENT_ERROR], "MaxAttempts": 0},
            _after_a_lease(),
            _backoff(attempts=plan.undo_retries, longest=3600),
        ],
        "Catch": _catch_all("$.saga.failure", _park(plan)),
        "Next": _before(plans, at),
    }


def _parking(step: str, following: str, error: str) -> Mapping[str, Any]:
    key = contract.parked_key(NAMESPACE, "{}", step)
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::dynamodb:putItem",
        "Parameters": {
            "TableName": "claims",
            "Item": {
                "claim": {"S.$": f"States.Format('{key}', $$.Execution.Name)"},
                "step": {"S": step},
                "state": {"S.$": "States.JsonToString($)"},
                "error": {"S.$": f"States.JsonToString({error})"},
            },
        },
        "ResultSelector": {"step": step},
        "ResultPath": f"$.saga.parked.{step}",
        "TimeoutSeconds": 60,
        "Retry": [_backoff(attempts=20, longest=300)],
        # Then nothing but the history knows of it: the others are undone all the same, and the end says "parked".
        "Catch": _catch_all(f"$.saga.parked.{step}", following),
        "Next": following,
    }


def _event(plan: Plan, kind: str) -> dict[str, Any]:
    return {
        "step": plan.name,
        "kind": kind,
        "execution.$": "$$.Execution.Name",
        "retries.$": "$$.State.RetryCount",
        "state.$": "$",
    }


def _after_a_lease() -> Mapping[str, Any]:
    return {
        "ErrorEquals": [contract.RUNNING_ELSEWHERE],
        "IntervalSeconds": AFTER_A_LEASE,
        "BackoffRate": 1.0,
        "MaxAttempts": 5,
    }


def _backoff(*, attempts: int, longest: int) -> Mapping[str, Any]:
    return {
        "ErrorEquals": ["States.ALL"],
        "IntervalSeconds": 2,
        "BackoffRate": 2.0,
        "MaxAttempts": attempts,
        "MaxDelaySeconds": longest,
        "JitterStrategy": "FULL",
    }


def _catch_all(path: str, following: str) -> Sequence[Mapping[str, Any]]:
    return [
        {"ErrorEquals": ["States.DataLimitExceeded"], "ResultPath": path, "Next": following},
        {"ErrorEquals": ["States.ALL"], "ResultPath": path, "Next": following},
    ]


def _before(plans: Sequence[Plan], at: int) -> str:
    return _undo(plans[at - 1]) if at else "Undone"


def _undo(plan: Plan) -> str:
    return f"Undo {plan.name}"


def _park(plan: Plan) -> str:
    return f"Park {plan.name}"
