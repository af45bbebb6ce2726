"""The way forward: each node's states, where they go on, and where they lead when they fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from serverless_patterns_runtime.saga_state_machine import contract

from .approvals import approval
from .assembly import joined, machine
from .backward import back_from
from .conditions import guarded, is_timestamp, moved_to
from .estimates import most_results
from .native_paths import looked_up, nothing_there
from .plan import Node, Planned, PlannedApproval, PlannedChoice, PlannedParallel, PlannedWait, begins
from .states import (
    ERROR,
    FORWARD_PARKED,
    MAIN,
    SAGA,
    UNDONE,
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
    before: str | None = UNDONE
    """What follows when all of the chain is undone. None in a branch: there an error ends the whole parallel."""
    after: str | None = None
    """What follows the chain. None: it ends, with `saga` as its output."""
    end: str = "Saga done"
    """A state that does nothing but end it so, where there must be one."""
    beside: int = 0
    """Results that other branches may have."""
    stuck: str = FORWARD_PARKED
    """What follows when a step behind the pivot is parked."""


def forward(chain: Sequence[Node], at: int, way: Way) -> States:
    """The states of the node at this index of its chain; with its parking, when it is behind the pivot."""
    node = chain[at]
    match node:
        case Planned():
            return _step(chain, at, node, way)
        case PlannedParallel():
            return _parallel(chain, at, node, way)
        case PlannedChoice():
            return _choice(chain, at, node, way)
        case PlannedWait():
            return _wait(chain, at, node, way)
        case PlannedApproval():
            assert way.before is not None  # checked: it is in no branch
            back = back_from(chain, at - 1, way.before)
            return approval(node, way.resources, way.place, back=back, following=_next(chain, at, way))


def whole_way_forward(chain: Sequence[Node], way: Way) -> States:
    """The states of a chain, which may lead to its `end_of`; the name of its first node is the first of them."""
    states: States = {}
    for at in range(len(chain)):
        states |= forward(chain, at, way)
    return states


def end_of(way: Way) -> States:
    """The state that ends a chain, where there must be one."""
    return {way.end: {"Type": "Succeed", "OutputPath": SAGA}}


def _step(chain: Sequence[Node], at: int, node: Planned, way: Way) -> States:
    task = action_task(node, way.resources, way.place, first=not _has_begun(chain, at, way), beside=way.beside)
    catch = _catch(chain, at, way)
    declared = list(node.step.no_effect_errors)
    if declared and way.before is not None:
        catch = [{"ErrorEquals": declared, "ResultPath": ERROR, "Next": back_from(chain, at - 1, way.before)}, *catch]
    task = {**task, **({"Catch": catch} if catch else {}), **_moves(chain, at, way)}
    missing = _refused(chain, at, way, nothing_there(node))
    return looked_up(node.name, node.step.action, task, way.place, missing) | _park(node, way)


def _parallel(chain: Sequence[Node], at: int, node: PlannedParallel, way: Way) -> States:
    begun = _has_begun(chain, at, way)
    place = way.place if node.backward else way.place.forward_beside()
    branches: list[dict[str, Any]] = []
    results = [most_results(branch)[0] for branch in node.branches]
    for number, branch in enumerate(node.branches, 1):
        end, beside = f"{node.name} {number} done", way.beside + sum(results) - results[number - 1]
        within = replace(way, place=place, begun=begun, before=None, after=None, end=end, stuck=end, beside=beside)
        branches.append(machine(branch[0].name, whole_way_forward(branch, within) | end_of(within)))
    told = [f"$[{at}].{contract.RESULTS}" for at in range(len(branches))]
    selector: dict[str, Any] = {"status": contract.SUCCEEDED, f"{contract.RESULTS}.$": joined(told)}
    if way.place.execution.startswith(f"{SAGA}."):  # what replaces `saga` keeps it
        name = way.place.execution.removeprefix(f"{SAGA}.")
        selector[f"{name}.$"] = f"$[0].{name}"
    catch = _catch(chain, at, way)
    state: State = {
        "Type": "Parallel",
        "Branches": branches,
        "ResultSelector": selector,
        "ResultPath": SAGA,
        **({"Catch": catch} if catch else {}),
    }
    if node.backward:
        return {node.name: {**state, **_moves(chain, at, way)}}
    join = f"{node.name} joined"
    parked = {"Variable": place.parked, "IsPresent": True, "Next": way.stuck}
    return {
        node.name: {**state, "Next": join},
        join: {"Type": "Choice", "Choices": [parked], "Default": _next(chain, at, way) or way.end},
        **_park(node, way),
    }


def _choice(chain: Sequence[Node], at: int, node: PlannedChoice, way: Way) -> States:
    following = _next(chain, at, way)
    before = None if way.before is None else back_from(chain, at - 1, way.before)
    within = replace(way, begun=_has_begun(chain, at, way), before=before, after=following)
    firsts = [inner[0].name if inner else following or way.end for inner in node.ways]
    rules = [
        {**guarded(condition, way.place.document), "Next": first}
        for condition, first in zip(node.conditions, firsts, strict=False)
    ]
    states: States = {node.name: {"Type": "Choice", "Choices": rules, "Default": firsts[-1]}}
    for inner in node.ways:
        for each in range(len(inner)):
            states |= forward(inner, each, within)
    return states


def _wait(chain: Sequence[Node], at: int, node: PlannedWait, way: Way) -> States:
    moves = _moves(chain, at, way)
    if node.until is None:
        return {node.name: {"Type": "Wait", "Seconds": node.longest, **moves}}
    path = moved_to(way.place.document, node.until)
    waits, refused = f"{node.name} begun", f"{node.name} refused"
    told = {"Error": contract.PERMANENT_ERROR, "Cause": f"{node.name}: there is no timestamp at {node.until}"}
    rule = {**is_timestamp(path), "Next": waits}
    return {
        node.name: {"Type": "Choice", "Choices": [rule], "Default": refused},
        waits: {"Type": "Wait", "TimestampPath": path, **moves},
        refused: _refused(chain, at, way, told),
        **_park(node, way),
    }


def _refused(chain: Sequence[Node], at: int, way: Way, told: State) -> State:
    """What happens instead of a node that cannot begin: an error without an effect."""
    node = chain[at]
    if not node.backward:
        return {"Type": "Pass", "Result": told, "ResultPath": ERROR, "Next": park_name(node)}
    if way.before is None:
        return {"Type": "Fail", **told}
    return {"Type": "Pass", "Result": told, "ResultPath": ERROR, "Next": back_from(chain, at - 1, way.before)}


def _catch(chain: Sequence[Node], at: int, way: Way) -> list[State]:
    node = chain[at]
    if not node.backward:
        return catch_all(ERROR, park_name(node))
    return [] if way.before is None else catch_all(ERROR, back_from(chain, at, way.before))


def _park(node: Node, way: Way) -> States:
    if node.backward:
        return {}
    return {park_name(node): parking(node.name, way.stuck, ERROR, way.resources, way.place)}


def _has_begun(chain: Sequence[Node], at: int, way: Way) -> bool:
    return way.begun or begins(chain[:at])


def _next(chain: Sequence[Node], at: int, way: Way) -> str | None:
    return chain[at + 1].name if at + 1 < len(chain) else way.after


def _moves(chain: Sequence[Node], at: int, way: Way) -> State:
    following = _next(chain, at, way)
    return {"OutputPath": SAGA, "End": True} if following is None else {"Next": following}
