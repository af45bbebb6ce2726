"""What states are built from: events, retriers, catchers, the parking; and how they are called.

Nothing here knows what comes before or after what.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from aws_cdk import aws_stepfunctions as sfn

from serverless_patterns_runtime.claims.contract import PARTITION_KEY
from serverless_patterns_runtime.saga_state_machine import contract

from ..handler import Handler
from .attempts import PARK_BACKOFF, PARK_TIMEOUT_SECONDS, Attempts, Backoff
from .calls import call
from .foreign import selected
from .plan import Node, Planned

FORWARD_PARKED = "ForwardParked"
UNDONE = "Undone"
COMPENSATION_PARKED = "CompensationParked"
COMPENSATED = "Compensated"
STATES = (FORWARD_PARKED, UNDONE, COMPENSATION_PARKED, COMPENSATED)
"""Names that no step may have."""

SAGA = f"$.{contract.SAGA}"
RESULTS = f"{SAGA}.{contract.RESULTS}"
ERROR = f"{SAGA}.{contract.ERROR}"
"""Where a Catch on the way forward writes."""
DISCARD = sfn.JsonPath.DISCARD
"""No result: a plain None is left out of CDK's JSON, and would mean "$". Read once: each reading asks node."""

State = Mapping[str, Any]
States = dict[str, State]


class Resources(NamedTuple):
    """What the definition names. ARNs and names may be tokens."""

    partition: str
    table_name: str
    namespace: str
    actions: Mapping[str, str]
    """By step."""
    compensations: Mapping[str, str]


@dataclass(frozen=True)
class Place:
    """Where a state finds what it needs, and leaves what it has to say. Paths; these are the main machine's."""

    execution: str = "$$.Execution.Name"
    """The name by which the claims know the execution."""
    document: str = "$"
    """The input with what is `saga`."""
    parked: str = f"{SAGA}.{contract.PARKED}"
    failure: str = f"{SAGA}.failure"
    """Of the compensation that is about to be parked."""
    undone: str = f"{SAGA}.undone"
    """What each parallel that was undone says of what it has parked."""

    def undoing(self) -> Place:
        """In a branch that undoes: its document holds ours, so that it ends with nothing but what it has parked."""
        execution = self.execution if self.execution.startswith("$$") else f"$.state{self.execution[1:]}"
        return Place(execution, "$.state", "$.parked", "$.failure", "$.parked")

    def forward_beside(self) -> Place:
        """In a branch behind the pivot: what it parks is told among the results, which are joined."""
        return replace(self, parked=f"{RESULTS}.{contract.PARKED_BESIDE}")


MAIN = Place()


def undo_name(node: Node) -> str:
    """Of the state that undoes it."""
    return f"Undo {node.name}"


def park_name(node: Node) -> str:
    """Of the state that parks it."""
    return f"Park {node.name}"


def lays_claim(one: Planned) -> bool:
    """Whether the claims know of its action."""
    return isinstance(one.step.action, Handler)


def action_task(one: Planned, resources: Resources, place: Place, *, first: bool, beside: int) -> State:
    """Without a Catch and without a way on.

    Args:
        one: The step.
        resources: What is called.
        place: Where things are.
        first: Whether the document has no `saga` yet, so that the result makes it.
        beside: How many results other branches may have, of which this one's document knows nothing.
    """
    declared = list(one.step.no_effect_errors)
    event = _event(one.name, "action", place)
    if first:
        event["first"] = True
    if beside:
        event["beside"] = beside
    if declared:
        event["no_effect_errors"] = declared
    # With the status that leaves with the last result as the output: no state for that.
    chosen = selected(one.step.action)
    result = {f"{one.name}.$": "$"} if chosen is None else {one.name: chosen}
    begun = {"status": contract.SUCCEEDED, contract.RESULTS: result}
    shape: State = {"ResultSelector": begun, "ResultPath": SAGA} if first else {"ResultPath": f"{RESULTS}.{one.name}"}
    if chosen is not None and not first:
        shape = {**shape, "ResultSelector": chosen}
    attempts = one.action
    again = attempts.after_leases if attempts.backoff.again else []
    last = [retrier(attempts.backoff)] if attempts.backoff.again else []
    comment = {} if one.backward else {"Comment": f"{contract.BEHIND_THE_PIVOT}{one.name}"}
    return {
        "Type": "Task",
        **comment,
        **call(one, "action", event, resources, place, attempts),
        **shape,
        "TimeoutSeconds": attempts.timeout,
        "Retry": [
            {"ErrorEquals": [contract.PERMANENT_ERROR, *declared], "MaxAttempts": 0},
            *again,
            *attempts.waiting.retriers,
            *last,
        ],
    }


def compensation_task(one: Planned, attempts: Attempts, resources: Resources, place: Place) -> State:
    """Without a Catch and without a way on. It leaves the document as it is."""
    event = _event(one.name, "compensation", place)
    comment: State = {}
    if not lays_claim(one):
        event["action_unclaimed"] = True
        comment = {"Comment": f"{contract.UNCLAIMED}{one.name}"}
    return {
        "Type": "Task",
        **comment,
        **call(one, "compensation", event, resources, place, attempts),
        "ResultPath": DISCARD,
        "TimeoutSeconds": attempts.timeout,
        "Retry": [
            {"ErrorEquals": [contract.PERMANENT_ERROR], "MaxAttempts": 0},
            *attempts.after_leases,
            *attempts.waiting.retriers,
            retrier(attempts.backoff),
        ],
    }


def parking(step: str, following: str, error: str, resources: Resources, place: Place) -> State:
    """Writes the step, the document and the error at `error` into the table, whose item nobody forgets."""
    key = contract.parked_key(resources.namespace, "{}", step)
    path = f"{place.parked}.{step}"
    return {
        "Type": "Task",
        "Resource": f"arn:{resources.partition}:states:::dynamodb:putItem",
        "Parameters": {
            "TableName": resources.table_name,
            "Item": {
                PARTITION_KEY: {"S.$": f"States.Format('{key}', {place.execution})"},
                "step": {"S": step},
                "state": {"S.$": f"States.JsonToString({place.document})"},
                "error": {"S.$": f"States.JsonToString({error})"},
            },
        },
        "ResultSelector": {"step": step},
        "ResultPath": path,
        "TimeoutSeconds": PARK_TIMEOUT_SECONDS,
        "Retry": [retrier(PARK_BACKOFF)],
        # Then nothing but the history knows of it: the others are undone all the same, and the end says "parked".
        "Catch": catch_all(path, following),
        "Next": following,
    }


def retrier(backoff: Backoff) -> State:
    """After any error."""
    return {
        "ErrorEquals": ["States.ALL"],
        "IntervalSeconds": backoff.base,
        "BackoffRate": 2.0,
        "MaxAttempts": backoff.again,
        "MaxDelaySeconds": backoff.longest,
        "JitterStrategy": "FULL",
    }


def catch_all(path: str, following: str) -> list[State]:
    """`States.ALL` is not all."""
    return [
        {"ErrorEquals": ["States.DataLimitExceeded"], "ResultPath": path, "Next": following},
        {"ErrorEquals": ["States.ALL"], "ResultPath": path, "Next": following},
    ]


def _event(step: str, kind: contract.Kind, place: Place) -> dict[str, Any]:
    return {
        "step": step,
        "kind": kind,
        "execution.$": place.execution,
        "retries.$": "$$.State.RetryCount",
        "state.$": place.document,
    }
