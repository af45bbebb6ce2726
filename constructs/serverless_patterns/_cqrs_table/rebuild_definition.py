"""The state machine that fills a view's next generation, drops one that nobody reads, or tries parked changes again.

Its input says which: `{"task": "rebuild" | "drop", "view", "generation", "segments", "numbers"}`, or
`{"task": "replay", "batches": [[name of a parked object, ...], ...]}`. The control function starts it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from serverless_patterns_runtime.cqrs_views import contract

__all__ = ["FUNCTION_SECONDS", "LABELS", "rebuild_definition"]

FUNCTION_SECONDS = 900
"""Time-out of the tasks' function, Lambda's longest: the longer it works at once, the fewer transitions."""

_STARTING_SECONDS = 15
_DAYS = 14
_KIND, _DONE, _FAIL, _FAILED = "Kind", "Done", "Fail", "Failed"
_WORDS = {"scan": "Scan", "verify": "Verify", "drop": "Drop"}

LABELS = tuple(f"{word}s" for word in _WORDS.values())
"""Of the distributed maps: part of the ARNs of their children."""

State = Mapping[str, Any]
States = dict[str, State]


def rebuild_definition(function: str, projector: str) -> Mapping[str, Any]:
    """ARNs of the functions whose handlers are REBUILD_HANDLER and PROJECTOR_HANDLER."""
    states: States = {
        _KIND: {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$.task", "StringEquals": "drop", "Next": _chosen("drop")},
                {"Variable": "$.task", "StringEquals": "replay", "Next": "Replay"},
            ],
            "Default": "Start",
        },
        "Start": {
            **_step(function, "start", following=_chosen("scan"), **_asked("by", "tolerant")),
            "Retry": _retry_to_start(),
        },
        **_segments(function, "scan", following=_chosen("verify"), failing=_FAIL),
        **_segments(function, "verify", following="Flip", failing=_FAIL),
        "Flip": _step(function, "flip", following=_DONE),
        _FAIL: {
            **_task(function, "fail", **_of_view(), **_asked("error")),
            "ResultPath": "$.told",
            "Retry": _retry(),
            "Next": _FAILED,
        },
        _FAILED: {"Type": "Fail", "Error": "RebuildFailed", "CausePath": "$.told.reason"},
        **_segments(function, "drop", following="Finish", failing=None),
        "Finish": {**_task(function, "finish", **_of_view()), "ResultPath": "$.told", "Retry": _retry(), "Next": _DONE},
        "Replay": _replay(projector),
        _DONE: {"Type": "Succeed"},
    }
    return {"StartAt": _KIND, "TimeoutSeconds": _DAYS * 24 * 3600, "States": states}


def _segments(function: str, task: str, *, following: str, failing: str | None) -> States:
    """One map for few segments, and one whose every segment has an execution of its own: histories are limited."""
    word = _WORDS[task]
    many = {"Variable": "$.segments", "NumericGreaterThan": contract.INLINE_SEGMENTS, "Next": f"{word}Many"}
    chosen: State = {"Type": "Choice", "Choices": [many], "Default": word}
    maps = {
        name: _map(function, task, name, distributed=distributed, following=following, failing=failing)
        for name, distributed in ((word, False), (f"{word}Many", True))
    }
    return {_chosen(task): chosen, **maps}


def _map(function: str, task: str, name: str, *, distributed: bool, following: str, failing: str | None) -> State:
    inline: State = {"ProcessorConfig": {"Mode": "INLINE"}}
    children: State = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    one, told, over = f"{name}Segment", f"{name}Told", f"{name}Over"
    states: States = {
        one: {
            **_task(function, task, **{f"{part}.$": f"$.{part}" for part in _SEGMENT}),
            "ResultPath": "$.told",
            "Retry": _retry(),
            "Next": told,
        },
        told: _choice("$.told.done", over, one),
        over: {"Type": "Pass", "Result": {}, "End": True},
    }
    return {
        "Type": "Map",
        "ItemsPath": "$.numbers",
        "ItemSelector": {"segment.$": "$$.Map.Item.Value", **_of_view(), "segments.$": "$.segments"},
        "MaxConcurrency": contract.INLINE_SEGMENTS,
        **({"Label": f"{_WORDS[task]}s", "ToleratedFailurePercentage": 0} if distributed else {}),
        "ItemProcessor": {**(children if distributed else inline), "StartAt": one, "States": states},
        "ResultSelector": {"over": True},
        "ResultPath": "$.told",
        **({} if failing is None else {"Catch": _catch(failing)}),
        "Next": following,
    }


_SEGMENT = ("view", "generation", "execution", "segment", "segments")


def _replay(projector: str) -> State:
    """Of a batch that cannot be tried now nothing is lost: the next replay has it."""
    batch: State = {
        "Type": "Task",
        "Resource": projector,
        "Parameters": {"retry.$": "$.batch"},
        "TimeoutSeconds": FUNCTION_SECONDS + _STARTING_SECONDS,
        "Retry": [{**_retry()[-1], "MaxAttempts": 2}],
        "Catch": _catch("Left"),
        "End": True,
    }
    left: State = {"Type": "Pass", "Result": {}, "End": True}
    return {
        "Type": "Map",
        "ItemsPath": "$.batches",
        "ItemSelector": {"batch.$": "$$.Map.Item.Value"},
        "MaxConcurrency": 1,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "INLINE"},
            "StartAt": "ReplayBatch",
            "States": {"ReplayBatch": batch, "Left": left},
        },
        "ResultPath": "$.told",
        "Next": _DONE,
    }


def _step(function: str, task: str, *, following: str, **event: Any) -> State:
    return {
        **_task(function, task, **{**_of_view(), "segments.$": "$.segments", **event}),
        "ResultPath": "$.told",
        "Retry": _retry(),
        "Catch": _catch(_FAIL),
        "Next": following,
    }


def _of_view() -> dict[str, Any]:
    return {"view.$": "$.view", "generation.$": "$.generation", "execution.$": "$$.Execution.Id"}


def _asked(*names: str) -> dict[str, Any]:
    return {f"{name}.$": f"$.{name}" for name in names}


def _task(function: str, task: str, **event: Any) -> State:
    timeout = FUNCTION_SECONDS + _STARTING_SECONDS
    return {
        "Type": "Task",
        "Resource": function,
        "Parameters": {"task": task, **event},
        "TimeoutSeconds": timeout,
    }


def _choice(variable: str, done: str, otherwise: str) -> State:
    return {
        "Type": "Choice",
        "Choices": [{"Variable": variable, "BooleanEquals": True, "Next": done}],
        "Default": otherwise,
    }


def _chosen(task: str) -> str:
    return f"HowTo{_WORDS[task]}"


def _retry() -> Sequence[State]:
    """For hours, with growing pauses: whatever keeps the function from its tables."""
    return [
        {"ErrorEquals": [contract.NO_RETRY], "MaxAttempts": 0},
        {
            "ErrorEquals": ["States.ALL"],
            "IntervalSeconds": 2,
            "BackoffRate": 2.0,
            "MaxAttempts": 15,
            "MaxDelaySeconds": 900,
            "JitterStrategy": "FULL",
        },
    ]


def _retry_to_start() -> Sequence[State]:
    """A store that takes nothing is asked for some minutes: then somebody reads why."""
    never, whatever = _retry()
    return [never, {**whatever, "ErrorEquals": [contract.SINK_UNAVAILABLE], "MaxAttempts": 7}, whatever]


def _catch(following: str) -> Sequence[State]:
    """`States.ALL` is not all."""
    errors = ("States.DataLimitExceeded", "States.ALL")
    return [{"ErrorEquals": [error], "ResultPath": "$.error", "Next": following} for error in errors]
