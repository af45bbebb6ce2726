"""What can be wrong with an action or a compensation that is no `Handler`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from serverless_patterns_runtime.saga_state_machine import contract

from .._business_function import takes_request
from .._checks import Problems, is_token, seconds
from .._shapes import told
from ..handler import Handler
from ..saga_step import Retry, SagaStep
from .attempts import handler_timeout
from .conditions import leads_to_one_place
from .foreign import LATER, is_foreign_function, is_native, known_seconds, paths_in, state_of

_ERROR = re.compile(r"(?!States\.)[A-Za-z_][A-Za-z0-9_.]*")
_ONLY_OURS = ("external_key", "settles_within", "circuit_breaker")
_NOT_OURS = (
    "Next",
    "Catch",
    "Retry",
    "Assign",
    "InputPath",
    "OutputPath",
    "ResultPath",
    "TimeoutSecondsPath",
    "HeartbeatSecondsPath",
)
_ALWAYS_THERE = frozenset(
    {"$", "$$.Execution.Id", "$$.Execution.Name", "$$.Execution.StartTime", "$$.State.EnteredTime", "$$.State.Name"}
    | {"$$.State.RetryCount", "$$.StateMachine.Id", "$$.StateMachine.Name", "$$.Task.Token"}
)


def check_doing(problems: Problems, step: SagaStep) -> None:
    """Check what a step does, and what undoes it: what each is, and whether the two go together."""
    for argument in ("action", "compensation"):
        doing: Any = getattr(step, argument)
        label = f"{step.name!r} {argument}"
        if isinstance(doing, Handler):
            if takes_request(doing.code, doing.function):
                got = f"{doing.function}, which takes a Request"
                problems.add(label, "take a StepInput", got, "that is a function for a Route: write one for the step")
            if seconds(handler_timeout(doing)) is None:
                fix = "the task's time-out and the wait for a lease are reckoned from it"
                problems.add(f"{label} timeout", "be known at synth", "a token", fix)
        elif is_native(doing):
            _check_native(problems, label, step, doing)
        elif is_foreign_function(doing):
            if step.timeout is None and known_seconds(doing) is None:
                fix = "nobody sees how long an imported function may take: say it"
                problems.add(f"{step.name!r} timeout", f"be given for the {argument}", "None", fix)
        elif argument == "action" or doing is not None:
            fix = "wrap your Python function in a Handler, or pass a function or a native task"
            problems.add(label, "be a Handler, a lambda_.IFunction or an sfn.TaskStateBase", told(doing), fix)
    if isinstance(step.action, Handler):
        _check_compensation_of_ours(problems, step)
    else:
        _check_unclaimed(problems, step)


def check_shared(problems: Problems, steps: Sequence[SagaStep]) -> None:
    """Refuse one native task in two places: it is one state."""
    seen: dict[Any, str] = {}
    for step in steps:
        for argument in ("action", "compensation"):
            doing: Any = getattr(step, argument)
            if not is_native(doing):
                continue
            label = f"{step.name!r} {argument}"
            if doing in seen:
                problems.add(label, "be a task of its own", f"that of {seen[doing]}", "define a second one")
            seen.setdefault(doing, label)


def _check_compensation_of_ours(problems: Problems, step: SagaStep) -> None:
    other: Any = step.compensation
    if is_native(other) or is_foreign_function(other):
        fix = "only a Handler lays the tombstone that refuses an action which comes late: call it from one"
        problems.add(f"{step.name!r} compensation", "be a Handler where the action is one", "something else", fix)


def _check_unclaimed(problems: Problems, step: SagaStep) -> None:
    if step.pivot:
        fix = "nothing keeps whether another has happened, and the pivot decides the way: put a Handler behind it"
        problems.add(f"{step.name!r} action", "be a Handler at the pivot", "something else", fix)
    ours = isinstance(step.compensation, Handler)
    for argument in _ONLY_OURS:
        if getattr(step, argument) is not None and not (ours and argument == "settles_within"):
            fix = "only a Handler runs our code: call what is outside from one"
            problems.add(f"{step.name!r} {argument}", "be left out unless the action is a Handler", "a value", fix)
    retry: Any = step.retry
    if step.no_effect_errors and not (isinstance(retry, Retry) and retry.attempts == 1):
        fix = "of an action without claims nobody knows what the tries before have done: say retry=Retry(1), or leave "
        fix += "it out"
        must = "be left out where the action is no Handler and tried again"
        problems.add(f"{step.name!r} no_effect_errors", must, "a value", fix)


def is_error_of_others(step: SagaStep, name: str) -> bool:
    """Whether a name can be that of an error of a service, or of somebody's function."""
    return not isinstance(step.action, Handler) and _ERROR.fullmatch(name) is not None


def _check_native(problems: Problems, label: str, step: SagaStep, native: Any) -> None:
    given = state_of(native)
    if given.get("QueryLanguage", "JSONPath") != "JSONPath":
        problems.add(
            label, "be written in JSONPath", "JSONata", "leave .jsonata out: the saga's states are in JSONPath"
        )
        return
    for field in _NOT_OURS:
        if field in given:
            fix = "the saga says where it goes on, when it gives up and where the result goes: SagaStep(...)"
            if field == "Retry":
                fix = "it is tried as the step says: retry=Retry(...); a LambdaInvoke also with "
                fix += "retry_on_service_exceptions=False"
            problems.add(label, f"be left without {field}", repr(given[field]), fix)
    for path in paths_in(native):
        if path not in _ALWAYS_THERE and (path.startswith("$$") or not leads_to_one_place(path)):
            fix = (
                "such as $.order.id, $['order-id'] or $.items[0]: the saga looks whether there is something before it "
            )
            fix += "calls, and goes on for an execution that died; call what needs more from a Handler"
            problems.add(label, "read paths to one place in the document", path, fix)
    later = str(given["Resource"]).endswith(LATER)
    longest = given.get("TimeoutSeconds") if step.timeout is None else seconds(step.timeout)
    if longest is None and later:
        fix = "the answer comes from somebody else, or never: SagaStep(timeout=...)"
        problems.add(f"{step.name!r} timeout", f"be given for {label}", "None", fix)
    heartbeat = given.get("HeartbeatSeconds")
    if heartbeat is None and later:
        fix = "whoever has the token says that they are still there: heartbeat_timeout= of the task"
        problems.add(f"{label} heartbeat", "be given, below the time-out", "None", fix)
    if heartbeat is None or longest is None or is_token(heartbeat) or is_token(longest):
        return
    if heartbeat >= longest:
        fix = "a heartbeat that comes no earlier than the time-out is never missed"
        problems.add(f"{label} heartbeat", f"be below the time-out, {longest:,} seconds", f"{heartbeat:,}", fix)


def slowest_seconds(step: SagaStep) -> int:
    """Of the functions of a step, as far as they can be seen, and a cold start; 0 where there are none."""
    found: list[int] = []
    for doing in (step.action, step.compensation):
        if isinstance(doing, Handler):
            found.append(seconds(handler_timeout(doing)) or 0)
        elif is_foreign_function(doing):
            found.append(known_seconds(doing) or 0)
    return max(found) + contract.STARTING_SECONDS if any(found) else 0
