"""The way back: what undoes each node, from the last one that may have happened to the first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from .assembly import joined, machine
from .conditions import guarded
from .native_paths import looked_up, nothing_there
from .plan import Node, Planned, PlannedApproval, PlannedChoice, PlannedParallel, PlannedWait, has_undo
from .states import (
    UNDONE,
    Place,
    Resources,
    States,
    catch_all,
    compensation_task,
    park_name,
    parking,
    undo_name,
)


def back_from(chain: Sequence[Node], at: int, before: str = UNDONE) -> str:
    """Where undoing goes on: the nearest node, from this one back, that has something to undo; else what is before.

    Args:
        chain: Nodes in the order in which they are done.
        at: Index of a node; -1 when nothing of the chain was begun.
        before: The state that follows when the whole chain is undone.
    """
    return next((undo_name(node) for node in reversed(chain[: at + 1]) if has_undo(node)), before)


def backward(chain: Sequence[Node], at: int, resources: Resources, place: Place, before: str = UNDONE) -> States:
    """The states that undo the node at this index of its chain; none when it has nothing to undo."""
    node = chain[at]
    if not has_undo(node):
        return {}
    following = back_from(chain, at - 1, before)
    match node:
        case Planned():
            return _step(node, following, resources, place)
        case PlannedParallel():
            return {undo_name(node): _parallel(node, following, resources, place)}
        case PlannedChoice():
            return _choice(node, following, resources, place)
        case PlannedWait() | PlannedApproval():
            return {}


def whole_way_back(chain: Sequence[Node], resources: Resources, place: Place, before: str = UNDONE) -> States:
    """The states that undo a chain; `back_from(chain, len(chain) - 1, before)` is the first of them."""
    states: States = {}
    for at in range(len(chain)):
        states |= backward(chain, at, resources, place, before)
    return states


def parked_paths(plan: Sequence[Node], place: Place) -> Iterator[str]:
    """Where it is seen at the end that a compensation was parked: in a branch, and in none."""
    yield place.parked
    for node in plan:
        yield from _parked_in(node, place.undone)


def _step(node: Planned, following: str, resources: Resources, place: Place) -> States:
    attempts = node.compensation
    assert attempts is not None
    task = compensation_task(node, attempts, resources, place)
    task = {**task, "Catch": catch_all(place.failure, park_name(node)), "Next": following}
    told = nothing_there(node)
    missing = {"Type": "Pass", "Result": told, "ResultPath": place.failure, "Next": park_name(node)}
    parks = {park_name(node): parking(node.name, following, place.failure, resources, place)}
    return looked_up(undo_name(node), node.undo, task, place, missing) | parks


def _parallel(node: PlannedParallel, following: str, resources: Resources, place: Place) -> dict[str, Any]:
    within = place.undoing()
    branches = [branch for branch in node.branches if any(map(has_undo, branch))]
    made: list[dict[str, Any]] = []
    for number, branch in enumerate(branches, 1):
        end = f"{node.name} {number} undone"
        states = whole_way_back(branch, resources, within, end)
        states[end] = {"Type": "Succeed", "OutputPath": within.parked}
        made.append(machine(back_from(branch, len(branch) - 1, end), states))
    return {
        "Type": "Parallel",
        "Parameters": {"state.$": place.document, "parked": {}},
        "Branches": made,
        "ResultSelector": {"parked.$": joined([f"$[{at}]" for at in range(len(made))])},
        "ResultPath": f"{place.undone}.{node.name}",
        # Every compensation in it is caught. Whatever this is, what is before is undone all the same.
        "Catch": catch_all(f"{place.parked}.{node.name}", following),
        "Next": following,
    }


def _choice(node: PlannedChoice, following: str, resources: Resources, place: Place) -> States:
    """The same conditions on the same paths: results are only ever added, so they hold as they held."""
    firsts = [back_from(way, len(way) - 1, following) for way in node.ways]
    rules = [
        {**guarded(condition, place.document), "Next": first}
        for condition, first in zip(node.conditions, firsts, strict=False)
    ]
    states: States = {undo_name(node): {"Type": "Choice", "Choices": rules, "Default": firsts[-1]}}
    for way in node.ways:
        states |= whole_way_back(way, resources, place, following)
    return states


def _parked_in(node: Node, undone: str) -> Iterator[str]:
    """In what its branches have said, which is at this path by the parallel's name; a parallel in one by its own."""
    match node:
        case PlannedParallel():
            inside = f"{undone}.{node.name}.parked"
            for each in (each for branch in node.branches for each in branch):
                yield from _told_in(each, inside)
        case PlannedChoice():
            for each in (each for way in node.ways for each in way):
                yield from _parked_in(each, undone)
        case Planned() | PlannedWait() | PlannedApproval():
            return


def _told_in(node: Node, inside: str) -> Iterator[str]:
    match node:
        case Planned():
            if has_undo(node):
                yield f"{inside}.{node.name}"
        case PlannedParallel():
            if has_undo(node):
                yield f"{inside}.{node.name}.Error"
                yield from _parked_in(node, inside)
        case PlannedChoice():
            for each in (each for way in node.ways for each in way):
                yield from _told_in(each, inside)
        case PlannedWait() | PlannedApproval():
            return
