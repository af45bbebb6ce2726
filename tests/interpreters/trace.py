"""What happened in an execution, told so that several interpreters of the same definition can be compared."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

__all__ = ["Step", "trace_of"]

ENTERED = "StateEntered"
ATTEMPTS = ("LambdaFunction", "Task")
OUTCOMES = ("Succeeded", "Failed", "TimedOut")
SUCCEEDED = "succeeded"


class Step(NamedTuple):
    """One stay in a state; the last one of a trace is the execution itself, with no name."""

    name: str
    kind: str
    """`Task`, `Choice` and so on."""
    outcomes: tuple[str, ...] = ()
    """Of each attempt of a task, `succeeded` or the error's name; of the execution its status, and its error."""


def trace_of(history: Sequence[Mapping[str, Any]]) -> list[Step]:
    """From GetExecutionHistory, whole. States are in the order in which they were entered."""
    led_to = {event["id"]: event for event in history}
    stays: dict[int, Step] = {}
    for event in history:
        kind: str = event["type"]
        if kind.endswith(ENTERED):
            stays[event["id"]] = Step(_details(event)["name"], kind.removesuffix(ENTERED))
        elif kind.startswith("Execution") and kind != "ExecutionStarted":
            error = _details(event).get("error")
            outcomes = (kind.removeprefix("Execution").upper(), *([error] if error else []))
            stays[event["id"]] = Step("", "Execution", outcomes)
        elif kind.startswith(ATTEMPTS) and kind.endswith(OUTCOMES):
            at = _state_of(event, led_to)
            outcome = SUCCEEDED if kind.endswith("Succeeded") else _details(event)["error"]
            stays[at] = stays[at]._replace(outcomes=(*stays[at].outcomes, outcome))
    return list(stays.values())


def _state_of(event: Mapping[str, Any], led_to: Mapping[int, Mapping[str, Any]]) -> int:
    """Id of the event with which the event's state was entered. Branches are told apart by what led to what."""
    while not event["type"].endswith(ENTERED):
        event = led_to[event["previousEventId"]]
    return event["id"]


def _details(event: Mapping[str, Any]) -> Mapping[str, Any]:
    return next((value for name, value in event.items() if name.endswith("EventDetails")), {})
