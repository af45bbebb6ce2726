"""The states of an approval: ask and wait, remind and wait, and close when nobody has decided.

A decision is a write to the table, and so is closing: whichever comes first. So it does not matter when a token dies,
and a reminder that fails ends nothing: a Wait has the time that is left, and closing finds what was decided meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from serverless_patterns_runtime.saga_state_machine import approval_contract as contract
from serverless_patterns_runtime.saga_state_machine.contract import PERMANENT_ERROR

from .attempts import Attempts
from .conditions import guarded
from .states import DISCARD, ERROR, RESULTS, SAGA, Place, Resources, State, States, catch_all, retrier

if TYPE_CHECKING:
    from .plan import PlannedApproval

_ANSWERING_SECONDS = 60  # the time-out of a task that gives up by its heartbeat


def approval(node: PlannedApproval, resources: Resources, place: Place, *, back: str, following: str | None) -> States:
    """The states of one.

    Args:
        node: The approval.
        resources: What the definition names.
        place: Where it finds its document.
        back: The state that follows when it is not approved.
        following: The state that follows when it is; None: the saga ends.
    """
    moves: State = {"OutputPath": SAGA, "End": True} if following is None else {"Next": following}
    asked, reminded, unreminded, closed = _names(node)
    states: States = {}
    if node.condition is not None:
        rule = {**guarded(node.condition, place.document), "Next": asked}
        states[node.name] = {"Type": "Choice", "Choices": [rule], "Default": following or f"{node.name} left out"}
        if following is None:
            states[f"{node.name} left out"] = {"Type": "Pass", **moves}
    late = closed if reminded is None else reminded
    first, rest = node.waits
    unasked = catch_all(f"{RESULTS}.{node.name}", closed)  # why stands where the decision will be
    states[asked] = _wait(node, "ask", first, late, unasked, resources, place, back, moves)
    if reminded is not None:
        decided: State = {"ErrorEquals": [contract.DECIDED], "ResultPath": DISCARD, "Next": closed}
        failed = [decided, *catch_all(DISCARD, unreminded)]
        states[reminded] = _wait(node, "remind", rest, closed, failed, resources, place, back, moves)
        states[unreminded] = {"Type": "Wait", "Seconds": rest, "Next": closed}
    states[closed] = _close(node, node.closing, resources, place, back, moves)
    return states


def _names(node: PlannedApproval) -> tuple[str, str | None, str, str]:
    asked = node.name if node.condition is None else f"{node.name} asked"
    reminded = f"{node.name} reminded" if node.waits[1] else None
    return asked, reminded, f"{node.name} not reminded", f"Close {node.name}"


def _wait(
    node: PlannedApproval,
    kind: str,
    seconds: int,
    late: str,
    failed: Sequence[State],
    resources: Resources,
    place: Place,
    back: str,
    moves: State,
) -> State:
    event = {**_event(node, kind, place), "token.$": "$$.Task.Token", "seconds": node.seconds}
    return {
        "Type": "Task",
        "Resource": f"arn:{resources.partition}:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {"FunctionName": resources.actions[node.name], "Payload": event},
        "ResultPath": f"{RESULTS}.{node.name}",
        "HeartbeatSeconds": seconds,
        "TimeoutSeconds": seconds + _ANSWERING_SECONDS,
        "Retry": [
            {
                "ErrorEquals": [
                    *contract.TIMEOUTS,
                    PERMANENT_ERROR,
                    contract.REJECTED,
                    contract.DECIDED,
                ],
                "MaxAttempts": 0,
            },
            retrier(node.asking.backoff),
        ],
        "Catch": [
            {"ErrorEquals": [contract.REJECTED], "ResultPath": ERROR, "Next": back},
            # What ends well has no error in its output.
            {"ErrorEquals": [*contract.TIMEOUTS], "ResultPath": DISCARD, "Next": late},
            *failed,
        ],
        **moves,
    }


def _close(
    node: PlannedApproval, attempts: Attempts, resources: Resources, place: Place, back: str, moves: State
) -> State:
    return {
        "Type": "Task",
        "Resource": resources.actions[node.name],
        "Parameters": _event(node, "close", place),
        "ResultPath": f"{RESULTS}.{node.name}",
        "TimeoutSeconds": attempts.timeout,
        "Retry": [
            {"ErrorEquals": [PERMANENT_ERROR, *contract.UNAPPROVED], "MaxAttempts": 0},
            retrier(attempts.backoff),
        ],
        "Catch": catch_all(ERROR, back),
        **moves,
    }


def _event(node: PlannedApproval, kind: str, place: Place) -> dict[str, Any]:
    return {
        "step": node.name,
        "kind": kind,
        "execution.$": place.execution,
        "started.$": "$$.Execution.StartTime",
        "retries.$": "$$.State.RetryCount",
        "state.$": place.document,
    }
