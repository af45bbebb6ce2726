"""Histories of executions as AWS writes them: functions by their own events, what led to what, states of branches."""

import json
from contextvars import ContextVar
from threading import Lock
from typing import Any

HOOKS = {
    "ministack.services.stepfunctions": (
        "_add_event",
        "_apply_parameters",
        "_execute_choice",
        "_execute_map",
        "_execute_parallel",
        "_execute_pass",
        "_execute_task",
        "_execute_wait",
        "_executions",
        "_run_execution",
        "_run_parallel_branches",
        "_run_sub_machine",
    )
}
BRANCH_OF: ContextVar[dict[str, Any] | None] = ContextVar("BRANCH_OF", default=None)
"""The execution, in a branch of it."""

LAST: ContextVar[int] = ContextVar("LAST", default=0)
"""Id of the event before, in this branch."""

TASK: ContextVar[tuple[dict[str, Any], Any] | None] = ContextVar("TASK", default=None)
"""The state, and what its task is asked."""

TIMEOUTS = ("States.Timeout", "States.HeartbeatTimeout")
STATES = ("pass", "task", "choice", "wait", "parallel", "map")
ADDING = Lock()


def tell_as_aws(states: Any) -> None:
    """Write `LambdaFunction...` for a function's ARN, and `Task...` with type and action for a service."""
    add, fill, run = states._add_event, states._apply_parameters, states._run_execution

    def fill_noting(state: dict[str, Any], document: Any, *context: Any) -> Any:
        given = fill(state, document, *context)
        TASK.set((state, given))
        return given

    def add_led_to(execution: dict[str, Any], kind: str, details: dict[str, Any] | None = None) -> None:
        written = [(kind, details)]
        if kind.startswith("Task") and details and not kind.startswith("TaskState"):
            written = _of_task(kind, next(iter(details.values())))
        with ADDING:
            for name, more in written:
                event = add(execution, name, more)
                event["previousEventId"] = LAST.get()
                LAST.set(event["id"])

    def run_from_start(arn: str) -> None:
        LAST.set(0)
        BRANCH_OF.set(None)
        states._executions[arn]["events"][0]["previousEventId"] = 0
        run(arn)

    states._add_event, states._apply_parameters, states._run_execution = add_led_to, fill_noting, run_from_start


def _of_task(kind: str, told: dict[str, Any]) -> list[tuple[str, dict[str, Any] | None]]:
    """Events in place of one of the emulator's."""
    state, given = TASK.get() or ({}, None)
    resource, ended = told["resource"], kind.removeprefix("Task")
    if ended == "Failed" and told["error"] in TIMEOUTS:
        ended = "TimedOut"
    limits = {
        name: state[field]
        for field, name in (("TimeoutSeconds", "timeoutInSeconds"), ("HeartbeatSeconds", "heartbeatInSeconds"))
        if field in state
    }
    outcome = {name: told[name] for name in ("output", "error", "cause") if name in told}
    if ":function:" in resource:
        scheduled = {"resource": resource, "input": json.dumps(given), **limits}
        return _begun("LambdaFunction", ended, {}, scheduled, outcome)
    service, _, action = resource.removeprefix("arn:aws:states:::").rpartition(":")
    named = {"resourceType": service, "resource": action}
    return _begun("Task", ended, named, {"region": "us-east-1", "parameters": json.dumps(given), **limits}, outcome)


def _begun(
    who: str, ended: str, named: dict[str, Any], scheduled: dict[str, Any], outcome: dict[str, Any]
) -> list[tuple[str, dict[str, Any] | None]]:
    details = f"{who[0].lower()}{who[1:]}"
    if ended != "Scheduled":
        return [(f"{who}{ended}", {f"{details}{ended}EventDetails": {**named, **outcome}})]
    started = {f"{details}StartedEventDetails": named} if named else None
    return [
        (f"{who}Scheduled", {f"{details}ScheduledEventDetails": {**named, **scheduled}}),
        (f"{who}Started", started),
    ]


def tell_of_branches(states: Any) -> None:
    """Write which states branches enter and leave; not of Succeed and Fail, which the emulator ends a branch with."""
    branch, parallel = states._run_sub_machine, states._run_parallel_branches

    def run_branch(*arguments: Any) -> Any:
        *_, execution, _ = arguments
        before = BRANCH_OF.set(execution)
        try:
            return branch(*arguments)
        finally:
            BRANCH_OF.reset(before)

    def run_parallel(state: Any, given: Any, execution: dict[str, Any], context: Any) -> Any:
        states._add_event(execution, "ParallelStateStarted")
        try:
            result = parallel(state, given, execution, context)
        except states._ExecutionError:
            states._add_event(execution, "ParallelStateFailed")
            raise
        states._add_event(execution, "ParallelStateSucceeded")
        return result

    states._run_sub_machine, states._run_parallel_branches = run_branch, run_parallel
    for kind in STATES:
        setattr(states, f"_execute_{kind}", _told(states, kind.title(), getattr(states, f"_execute_{kind}")))


def _told(states: Any, kind: str, as_shipped: Any) -> Any:
    def execute(state: dict[str, Any], document: Any, *more: Any) -> Any:
        execution = BRANCH_OF.get()
        if execution is None:  # then the emulator tells it
            return as_shipped(state, document, *more)
        *_, context = more
        name = context["State"]["Name"]
        states._add_event(execution, f"{kind}StateEntered", _details("Entered", name, "input", document))
        made, following = as_shipped(state, document, *more)
        states._add_event(execution, f"{kind}StateExited", _details("Exited", name, "output", made))
        return made, following

    return execute


def _details(moved: str, name: str, what: str, document: Any) -> dict[str, Any]:
    return {f"state{moved}EventDetails": {"name": name, what: json.dumps(document)}}
