"""The states of an approval, written down once more by the tests, from the design."""

from collections.abc import Mapping, Sequence
from typing import Any

from .saga_definition import TASK_SECONDS, Plan, definition

__all__ = ["APPROVAL", "SECONDS", "with_approval"]

APPROVAL = "Manager"
SECONDS = 600
"""That deciding may take; after half of them there is a reminder."""

TIMEOUTS = ["States.HeartbeatTimeout", "States.Timeout"]
UNAPPROVED = ["Rejected", "NotDecided", "NotAsked"]
NOTIFY = f"notify {APPROVAL}"


def with_approval(plans: Sequence[Plan]) -> Mapping[str, Any]:
    """Between the first step and the second."""
    made = dict(definition(plans))
    states = {name: dict(state) for name, state in made["States"].items()}
    first, second = (plan.name for plan in plans[:2])
    back = f"Undo {first}"
    states[first]["Next"] = APPROVAL
    close, unreminded = f"Close {APPROVAL}", f"{APPROVAL} not reminded"
    unasked = _catch_all(f"$.saga.results.{APPROVAL}", close)
    failed = [{"ErrorEquals": ["AlreadyDecided"], "ResultPath": None, "Next": close}, *_catch_all(None, unreminded)]
    states[APPROVAL] = _wait("ask", f"{APPROVAL} reminded", unasked, back, second)
    states[f"{APPROVAL} reminded"] = _wait("remind", close, failed, back, second)
    states[unreminded] = {"Type": "Wait", "Seconds": SECONDS // 2, "Next": close}
    states[f"Close {APPROVAL}"] = _close(back, second)
    return {**made, "States": states}


def _wait(kind: str, late: str, failed: Sequence[Mapping[str, Any]], back: str, following: str) -> Mapping[str, Any]:
    payload = {**_event(kind), "token.$": "$$.Task.Token", "seconds": SECONDS}
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {"FunctionName": NOTIFY, "Payload": payload},
        "ResultPath": f"$.saga.results.{APPROVAL}",
        "HeartbeatSeconds": SECONDS // 2,
        "TimeoutSeconds": SECONDS // 2 + 60,
        "Retry": [
            {"ErrorEquals": [*TIMEOUTS, "PermanentError", "Rejected", "AlreadyDecided"], "MaxAttempts": 0},
            _backoff(5, 60),
        ],
        "Catch": [
            {"ErrorEquals": ["Rejected"], "ResultPath": "$.saga.error", "Next": back},
            {"ErrorEquals": TIMEOUTS, "ResultPath": None, "Next": late},
            *failed,
        ],
        "Next": following,
    }


def _close(back: str, following: str) -> Mapping[str, Any]:
    return {
        "Type": "Task",
        "Resource": NOTIFY,
        "Parameters": _event("close"),
        "ResultPath": f"$.saga.results.{APPROVAL}",
        "TimeoutSeconds": TASK_SECONDS,
        "Retry": [{"ErrorEquals": ["PermanentError", *UNAPPROVED], "MaxAttempts": 0}, _backoff(12, 3600)],
        "Catch": _catch_all("$.saga.error", back),
        "Next": following,
    }


def _event(kind: str) -> dict[str, Any]:
    return {
        "step": APPROVAL,
        "kind": kind,
        "execution.$": "$$.Execution.Name",
        "started.$": "$$.Execution.StartTime",
        "retries.$": "$$.State.RetryCount",
        "state.$": "$",
    }


def _backoff(attempts: int, longest: int) -> Mapping[str, Any]:
    return {
        "ErrorEquals": ["States.ALL"],
        "IntervalSeconds": 2,
        "BackoffRate": 2.0,
        "MaxAttempts": attempts,
        "MaxDelaySeconds": longest,
        "JitterStrategy": "FULL",
    }


def _catch_all(path: str | None, following: str) -> list[Mapping[str, Any]]:
    return [
        {"ErrorEquals": [name], "ResultPath": path, "Next": following}
        for name in ("States.DataLimitExceeded", "States.ALL")
    ]
