"""The way forward: each node's states, where they go on, and where they lead when they fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .backward import back_from
from .plan import Node
from .states import (
    ERROR,
    FORWARD_PARKED,
    MAIN,
    SAGA,
    Place,
    Resources,
    State,
    States,
    action_task,
    catch_all,
    park_name,
    parking,
)


@dataclass(frozen=True)
class Way:
    """What the states of a chain have in common."""

    resources: Resources
    place: Place = MAIN
    begun: bool = False
    """Whether the document has its `saga` before the first node: always behind a step."""


def forward(chain: Sequence[Node], at: int, way: Way) -> States:
    """The states of the node at this index of its chain; with its parking, when it is behind the pivot."""
    node = chain[at]
    task = action_task(node, way.resources, way.place, first=at == 0 and not way.begun)
    declared = list(node.step.no_effect_errors)
    before = back_from(chain, at - 1)
    declined = [{"ErrorEquals": declared, "ResultPath": ERROR, "Next": before}] if declared else []
    otherwise = back_from(chain, at) if node.backward else park_name(node)
    states: States = {
        node.name: {**task, "Catch": [*declined, *catch_all(ERROR, otherwise)], **_moves(chain, at)},
    }
    if not node.backward:
        states[park_name(node)] = parking(node.name, FORWARD_PARKED, ERROR, way.resources, way.place)
    return states


def whole_way_forward(chain: Sequence[Node], way: Way) -> States:
    """The states of a chain; the name of its first node is the first of them."""
    states: States = {}
    for at in range(len(chain)):
        states |= forward(chain, at, way)
    return states


def _moves(chain: Sequence[Node], at: int) -> State:
    return {"Next": chain[at + 1].name} if at + 1 < len(chain) else {"OutputPath": SAGA, "End": True}
