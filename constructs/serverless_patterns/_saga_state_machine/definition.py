"""The definition in Amazon States Language: forward through the actions, back through what undoes them.

The document is the execution's input with one more key, `saga`: see the contract. No state is there for it alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from serverless_patterns_runtime.saga_state_machine import contract

from .backward import backward
from .forward import Way, forward
from .plan import Node
from .states import COMPENSATED, COMPENSATION_PARKED, ERROR, FORWARD_PARKED, MAIN, UNDONE, Place, Resources, States


def definition(plan: Sequence[Node], resources: Resources) -> Mapping[str, Any]:
    """Of a checked plan."""
    states: States = {}
    for at in range(len(plan)):
        states |= forward(plan, at, Way(resources))
        states |= backward(plan, at, resources, MAIN)
    if not plan[-1].backward:
        states |= forward_end()
    return {"StartAt": plan[0].name, "States": states | backward_ends(MAIN)}


def forward_end() -> States:
    """Where a saga ends that can go neither forward nor back."""
    return {FORWARD_PARKED: {"Type": "Fail", "Error": contract.FORWARD_PARKED}}


def backward_ends(place: Place) -> States:
    """Where a saga ends that was undone, `UNDONE` first: it tells whether all of it was."""
    parked = {"Variable": place.parked, "IsPresent": True, "Next": COMPENSATION_PARKED}
    told = {"status": contract.COMPENSATED, "error.$": ERROR}
    return {
        UNDONE: {"Type": "Choice", "Choices": [parked], "Default": COMPENSATED},
        COMPENSATION_PARKED: {"Type": "Fail", "Error": contract.COMPENSATION_PARKED},
        COMPENSATED: {"Type": "Pass", "Parameters": told, "End": True},
    }
