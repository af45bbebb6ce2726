"""The way back: what undoes each node, from the last one that may have happened to the first."""

from __future__ import annotations

from collections.abc import Sequence

from .plan import Node
from .states import UNDONE, Place, Resources, States, catch_all, compensation_task, park_name, parking, undo_name


def back_from(chain: Sequence[Node], at: int, before: str = UNDONE) -> str:
    """Where undoing goes on: the nearest node, from this one back, that has something to undo; else what is before.

    Args:
        chain: Nodes in the order in which they are done.
        at: Index of a node; -1 when nothing of the chain was begun.
        before: The state that follows when the whole chain is undone.
    """
    return next((undo_name(node) for node in reversed(chain[: at + 1]) if _can_be_undone(node)), before)


def backward(chain: Sequence[Node], at: int, resources: Resources, place: Place, before: str = UNDONE) -> States:
    """The states that undo the node at this index of its chain; none when it has nothing to undo."""
    node = chain[at]
    attempts = node.compensation
    if attempts is None:
        return {}
    following = back_from(chain, at - 1, before)
    task = compensation_task(node, attempts, resources, place)
    return {
        undo_name(node): {**task, "Catch": catch_all(place.failure, park_name(node)), "Next": following},
        park_name(node): parking(node.name, following, place.failure, resources, place),
    }


def whole_way_back(chain: Sequence[Node], resources: Resources, place: Place, before: str = UNDONE) -> States:
    """The states that undo a chain; `back_from(chain, len(chain) - 1, before)` is the first of them."""
    states: States = {}
    for at in range(len(chain)):
        states |= backward(chain, at, resources, place, before)
    return states


def _can_be_undone(node: Node) -> bool:
    return node.undo is not None
