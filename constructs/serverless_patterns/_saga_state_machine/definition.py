"""The definition in Amazon States Language: forward through the actions, back through what undoes them.

The document is the execution's input with one more key, `saga`: see the contract. A saga that begins with a step, or
with branches that do, needs no state for it: its first result makes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from serverless_patterns_runtime.saga_state_machine import contract

from .assembly import machine
from .backward import backward, parked_paths
from .forward import Way, end_of, forward
from .plan import Node, begins
from .states import (
    COMPENSATED,
    COMPENSATION_PARKED,
    ERROR,
    FORWARD_PARKED,
    MAIN,
    SAGA,
    UNDONE,
    Place,
    Resources,
    States,
)

_CHECK, _BEGIN, _REFUSE = "Check input", "Begin saga", "Refuse input"


def definition(plan: Sequence[Node], resources: Resources) -> Mapping[str, Any]:
    """Of a checked plan."""
    begun = begins(plan)
    way = Way(resources, begun=not begun)
    states: States = {} if begun else _beginning(plan[0].name)
    for at in range(len(plan)):
        states |= forward(plan, at, way)
        states |= backward(plan, at, resources, MAIN)
    return machine(next(iter(states)), states | end_of(way) | forward_end() | backward_ends(plan, MAIN))


def forward_end() -> States:
    """Where a saga ends that can go neither forward nor back."""
    return {FORWARD_PARKED: {"Type": "Fail", "Error": contract.FORWARD_PARKED}}


def backward_ends(plan: Sequence[Node], place: Place) -> States:
    """Where a saga ends that was undone, `UNDONE` first: it tells whether all of it was."""
    parked = [{"Variable": path, "IsPresent": True, "Next": COMPENSATION_PARKED} for path in parked_paths(plan, place)]
    told = {"status": contract.COMPENSATED, "error.$": ERROR}
    return {
        UNDONE: {"Type": "Choice", "Choices": parked, "Default": COMPENSATED},
        COMPENSATION_PARKED: {"Type": "Fail", "Error": contract.COMPENSATION_PARKED},
        COMPENSATED: {"Type": "Pass", "Parameters": told, "End": True},
    }


def _beginning(first: str) -> States:
    """What the first step does elsewhere: it refuses an input that has our key, and its result makes `saga`."""
    cause = f"MalformedPayload: the input of an execution has no key {contract.SAGA!r}: it is the saga's own"
    refused = {"status": contract.COMPENSATED, "error": {"Error": contract.PERMANENT_ERROR, "Cause": cause}}
    taken = {"Variable": SAGA, "IsPresent": True, "Next": _REFUSE}
    begun: dict[str, Any] = {"status": contract.SUCCEEDED, contract.RESULTS: {}}
    return {
        _CHECK: {"Type": "Choice", "Choices": [taken], "Default": _BEGIN},
        _BEGIN: {"Type": "Pass", "Result": begun, "ResultPath": SAGA, "Next": first},
        _REFUSE: {"Type": "Pass", "Result": refused, "End": True},
    }
