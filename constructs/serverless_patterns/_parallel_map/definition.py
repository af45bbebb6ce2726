"""The two definitions: the map with its gathering and completion; and the same two for an execution that died."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from serverless_patterns_runtime.parallel_map import contract

from .._checks import seconds
from .._saga_state_machine.attempts import LEASE_ATTEMPTS, Backoff
from .._saga_state_machine.states import catch_all, retrier
from ..s3_items import S3Items
from .plan import GATHER_SECONDS, Plan, function_seconds, lease_seconds

CHECK, REFUSED, ITEMS, PROCESS, BURY, LEFT = "CheckItems", "Refused", "Items", "Process", "Bury", "Left"
GATHER, COMPLETE, OUTCOME, DONE, FAILED = "Gather", "OnComplete", "Outcome", "Done", "ItemsFailed"
TOLD, EVENT = "Told", "Event"

LABEL = "Items"
"""Of a distributed map: part of the ARNs of its children, which permissions name."""

_STEADY = Backoff(again=15, base=2, longest=3600)  # hours: whatever keeps a function from what it needs
_CONTINUATIONS = 200

State = Mapping[str, Any]


class Resources(NamedTuple):
    """What the definitions name. ARNs and names may be tokens."""

    partition: str
    process: str
    gather: str
    complete: str
    bucket: str
    """Of items in S3; else empty."""


def definition(plan: Plan, resources: Resources) -> Mapping[str, Any]:
    """Of the map."""
    asked: State = {"task": "gather", "arn.$": "$$.Execution.Id", "status": "RUNNING", "error.$": "$"}
    in_s3 = isinstance(plan.items, S3Items)
    states: dict[str, State] = {} if in_s3 else _checked(plan)
    states |= {
        ITEMS: _map(plan, resources),
        GATHER: _gather(plan, resources, asked, COMPLETE),
        COMPLETE: {**_complete(plan, resources, "$$.Execution.Id", "$"), "Next": OUTCOME},
        OUTCOME: {
            "Type": "Choice",
            "Choices": [{"Variable": "$.outcome", "StringEquals": contract.SUCCEEDED, "Next": DONE}],
            "Default": FAILED,
        },
        DONE: {"Type": "Succeed"},
        FAILED: {"Type": "Fail", "Error": contract.ITEMS_FAILED, "CausePath": "$.reason"},
    }
    return {
        "StartAt": ITEMS if in_s3 else CHECK,
        "TimeoutSeconds": seconds(plan.timeout),
        "States": states,
    }


def completing(plan: Plan, resources: Resources) -> Mapping[str, Any]:
    """Of what completes an execution that ended before it was complete; its input is `{"arn", "status"}`.

    Or EventBridge's own event, as its dead-letter queue may have it, so that its message starts this by hand.
    """
    asked: State = {"task": "gather", "arn.$": "$.arn", "status.$": "$.status"}
    arn, status = "$.detail.executionArn", "$.detail.status"
    states: dict[str, State] = {
        TOLD: {"Type": "Choice", "Choices": [{"Variable": arn, "IsPresent": True, "Next": EVENT}], "Default": GATHER},
        EVENT: {"Type": "Pass", "Parameters": {"arn.$": arn, "status.$": status}, "Next": GATHER},
        GATHER: {**_gather(plan, resources, asked, COMPLETE), "ResultPath": "$.told"},
        COMPLETE: {**_complete(plan, resources, "$.arn", "$.told"), "End": True},
    }
    return {"StartAt": TOLD, "States": states}


def _checked(plan: Plan) -> dict[str, State]:
    """Whether there is a list, neither empty nor too long. What else it may be, gathering says."""
    first, beyond = ({"Variable": f"{plan.path}[{at}]", "IsPresent": present} for at, present in _bounds(plan))
    return {
        CHECK: {"Type": "Choice", "Choices": [{"And": [first, beyond], "Next": ITEMS}], "Default": REFUSED},
        REFUSED: {"Type": "Pass", "Result": {"Error": contract.ITEMS_REFUSED, "Cause": ""}, "Next": GATHER},
    }


def _bounds(plan: Plan) -> tuple[tuple[int, bool], tuple[int, bool]]:
    return (0, True), (plan.max_items, False)


def _map(plan: Plan, resources: Resources) -> State:
    distributed = plan.mode == "distributed"
    inline = {"ProcessorConfig": {"Mode": "INLINE"}}
    children = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    of_distributed: State = {"Label": LABEL, "ToleratedFailurePercentage": 100} if distributed else {}
    return {
        "Type": "Map",
        **_source(plan, resources),
        "ItemSelector": {
            "item.$": "$$.Map.Item.Value",
            "index.$": "$$.Map.Item.Index",
            "execution.$": "$$.Execution.Name",
        },
        "MaxConcurrency": plan.max_concurrency,
        **of_distributed,
        "ItemProcessor": {
            **(children if distributed else inline),
            "StartAt": PROCESS,
            "States": {
                PROCESS: _process(plan, resources),
                BURY: _bury(plan, resources),
                LEFT: {"Type": "Pass", "Result": {}, "End": True},
            },
        },
        "ResultSelector": {"Error": "", "Cause": ""},
        "Catch": catch_all("$", GATHER),
        "Next": GATHER,
    }


def _source(plan: Plan, resources: Resources) -> State:
    items = plan.items
    if not isinstance(items, S3Items):
        return {"ItemsPath": items}
    reader = {
        "Resource": f"arn:{resources.partition}:states:::s3:getObject",
        "ReaderConfig": {"InputType": items.format.upper(), "MaxItems": plan.max_items},
        "Parameters": {"Bucket": resources.bucket, "Key.$": items.key},
    }
    return {"ItemReader": reader}


def _process(plan: Plan, resources: Resources) -> State:
    event = {"execution.$": "$.execution", "index.$": "$.index", "item.$": "$.item", "retries.$": "$$.State.RetryCount"}
    again = [retrier(plan.backoff)] if plan.backoff.again else []
    return {
        **_task(resources.process, event, plan.item_seconds),
        "Retry": [_never(), _after_leases(lease_seconds(plan.handler)), *again],
        "Catch": catch_all("$.error", BURY),
        "End": True,
    }


def _bury(plan: Plan, resources: Resources) -> State:
    """What it cannot bury, the gathering will."""
    paths = {name: f"$.{name}" for name in ("execution", "index", "item", "error")}
    event = {"task": "bury", "attempts": plan.retry.attempts, **{f"{name}.$": path for name, path in paths.items()}}
    return {
        **_task(resources.gather, event, GATHER_SECONDS + contract.STARTING_SECONDS),
        "Retry": [_never(), _after_leases(lease_seconds(plan.handler)), retrier(Backoff(5, 2, 60))],
        "Catch": catch_all("$", LEFT),
        "End": True,
    }


def _gather(plan: Plan, resources: Resources, event: State, following: str) -> State:
    again = {"IntervalSeconds": 1, "BackoffRate": 1.0, "MaxAttempts": _CONTINUATIONS}
    return {
        **_task(resources.gather, event, GATHER_SECONDS + contract.STARTING_SECONDS),
        "Retry": [
            _never(),
            _after_leases(lease_seconds(plan.handler)),
            {"ErrorEquals": [contract.STILL_GATHERING], **again},
            retrier(_STEADY),
        ],
        "Next": following,
    }


def _complete(plan: Plan, resources: Resources, arn: str, told: str) -> State:
    event = {"arn.$": arn, "told.$": told, "retries.$": "$$.State.RetryCount"}
    handler = plan.on_complete
    return {
        **_task(resources.complete, event, function_seconds(handler) + contract.STARTING_SECONDS),
        "ResultSelector": {"completed": True},
        "ResultPath": "$.completion",
        "Retry": [_never(), _after_leases(lease_seconds(handler)), retrier(_STEADY)],
    }


def _task(function: str, event: State, timeout: int) -> State:
    return {"Type": "Task", "Resource": function, "Parameters": event, "TimeoutSeconds": timeout}


def _never() -> State:
    return {"ErrorEquals": [contract.PERMANENT_ERROR], "MaxAttempts": 0}


def _after_leases(interval: int) -> State:
    wait = {"IntervalSeconds": interval, "BackoffRate": 1.0, "MaxAttempts": LEASE_ATTEMPTS}
    return {"ErrorEquals": [contract.RUNNING_ELSEWHERE], **wait}
