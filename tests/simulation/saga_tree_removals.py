"""The safeguards that branches, choices and waits need, each with a way to take it out; see `saga_removals`."""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from serverless_patterns_runtime.claims.tombstone import Left, Tombstone
from serverless_patterns_runtime.saga_state_machine import contract
from serverless_patterns_runtime.saga_state_machine.compensation import Compensation

from .saga_definition import Plan
from .saga_trees import Beside, Pick, Rest, Tree, on_tree

__all__ = ["TREE_REMOVALS", "TreeRemoval"]

Patch = pytest.MonkeyPatch
States = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class TreeRemoval:
    """One safeguard less, and a saga that needs it."""

    name: str
    violates: str
    """A regular expression: what the violation must be about."""
    tree: Tree
    take_out: Callable[[Patch], None] = lambda _: None
    defines: Callable[[Tree], Mapping[str, Any]] = on_tree


TREE_REMOVALS: list[TreeRemoval] = []


def removal(name: str, violates: str, tree: Tree) -> Callable[[Callable[[Patch], None]], None]:
    def register(take_out: Callable[[Patch], None]) -> None:
        TREE_REMOVALS.append(TreeRemoval(name, violates, tree, take_out))

    return register


def without(name: str, violates: str, tree: Tree) -> Callable[[Callable[[States], None]], None]:
    """A change of the definition; `change` is given the states of the whole, then those of each branch."""

    def register(change: Callable[[States], None]) -> None:
        def defines(tree: Tree) -> Mapping[str, Any]:
            made = copy.deepcopy(dict(on_tree(tree)))
            for machine in _machines(made):
                change(machine["States"])
            return _reachable(made)

        TREE_REMOVALS.append(TreeRemoval(name, violates, tree, defines=defines))

    return register


def _machines(definition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield definition
    for state in list(definition["States"].values()):
        for branch in state.get("Branches", ()):
            yield from _machines(branch)


def _reachable(made: dict[str, Any]) -> dict[str, Any]:
    states, known, open_ = made["States"], set[str](), [made["StartAt"]]
    while open_:
        name = open_.pop()
        if name not in known:
            known.add(name)
            state = states[name]
            open_ += [state[part] for part in ("Next", "Default") if part in state]
            open_ += [each["Next"] for part in ("Catch", "Choices") for each in state.get(part, ())]
    for state in states.values():
        if "Branches" in state:
            state["Branches"] = [_reachable(branch) for branch in state["Branches"]]
    return {**made, "States": {name: state for name, state in states.items() if name in known}}


def step(name: str, **fields: Any) -> Plan:
    return Plan(name=name, **fields)


SLOW_SIBLING = [Beside("Fork", [[step("Slow", seconds=4.0)], [step("Bad", does="is refused")]])]
LATE_SIBLING = [
    Beside("Fork", [[step("First"), step("Slow", seconds=4.0)], [step("Bad", does="is refused", seconds=1.0)]])
]
BEHIND = [Beside("Fork", [[step("A"), step("B")], [step("C")]]), step("Bad", does="is refused")]
STUBBORN = [Beside("Fork", [[step("A", undo="is refused")], [step("B")]]), step("Bad", does="is refused")]
NESTED = [
    Beside("Fork", [[Beside("Inner", [[step("A", undo="is refused")], [step("B")]])], [step("C")]]),
    step("Bad", does="is refused"),
]
FORWARD = [
    step("P", pivot=True),
    Beside("Fork", [[step("Bad", does="is refused"), step("Next")], [step("Slow", seconds=4.0)]]),
    step("Last"),
]
WELL = [step("P", pivot=True), Beside("Fork", [[step("A")], [step("Slow")]])]
PICKED = [step("A"), Pick("Pick", [(1, [step("B")]), ("A", [step("C")])]), step("Bad", does="is refused")]
PICKED_BESIDE = [
    step("A"),
    Beside("Fork", [[Pick("Pick", [(1, [step("B")]), ("A", [step("C")])], [step("D")])], [step("E")]]),
    step("Bad", does="is refused"),
]
BEGINS = [Beside("Fork", [[Pick("Pick", [(1, [step("A")])])], [step("B")]]), step("C")]
READS = [Beside("Fork", [[step("A")], [step("B")], [step("C")]]), step("D")]
WAITS = [step("A"), Rest("Rest", until=True), step("B")]


# What runs beside what fails.


@removal("a tombstone on a sibling that is at work", "was done 1 times|while the saga was undone", SLOW_SIBLING)
def _(patch: Patch) -> None:
    def look(self: Tombstone) -> Left:
        item = self.dynamodb.get_item(
            TableName=self.table_name, Key={"claim": {"S": self.claim.id}}, ConsistentRead=True
        ).get("Item", {})
        done = "done" in item and item["done"]["BOOL"]
        return Left(done, "attempt" in item, item["answer"]["S"] if "answer" in item else None)

    patch.setattr(Tombstone, "lay", look)


@removal("what has not begun is not undone", "was done -1 times|has not begun", LATE_SIBLING)
def _(patch: Patch) -> None:
    patch.setattr(Compensation, "_may_have_happened", lambda *_: True)


@without("a parallel that fails is undone", "died of", SLOW_SIBLING)
def _(states: States) -> None:
    for state in states.values():
        if state["Type"] == "Parallel":
            state.pop("Catch")


@without("every branch is undone", "was done 1 times", BEHIND)
def _(states: States) -> None:
    for name, state in states.items():
        if name.startswith("Undo ") and "Branches" in state:
            state["Branches"] = state["Branches"][:1]
            state["ResultSelector"] = {"parked.$": "$[0]"}


@without("a branch is undone from its end", "was done 1 times", BEHIND)
def _(states: States) -> None:
    for name, state in states.items():
        if name.startswith("Undo ") and "Branches" in state:
            for branch in state["Branches"]:
                branch["StartAt"] = next(iter(branch["States"]))


@without("what a branch could not undo is told at the end", "COMPENSATED, parked", STUBBORN)
def _(states: States) -> None:
    _only_the_main_rule(states, lambda path: path.startswith("$.saga.undone."))


@without("nor is it lost in a branch of a branch", "COMPENSATED, parked", NESTED)
def _(states: States) -> None:
    _only_the_main_rule(states, lambda path: ".Inner.parked." in path)


@without("branches join what they have parked", "COMPENSATED, parked", STUBBORN)
def _(states: States) -> None:
    for name, state in states.items():
        if name.startswith("Undo ") and "Branches" in state:
            state["ResultSelector"] = {"parked.$": "$[1]"}


@without("branches join their results", "was given the results of|results of", READS)
def _(states: States) -> None:
    state = states.get("Fork", {})
    if "Branches" in state:
        state["ResultSelector"]["results.$"] = "States.JsonMerge($[0].results, $[1].results, false)"


@without("a branch gives its saga away, not the input", "States.Runtime", READS)
def _(states: States) -> None:
    for state in states.values():
        if state.get("Resource", "").startswith("action ") and "End" in state:
            state.pop("OutputPath")


@without("a compensation in a branch has the saga's document", "was done 1 times", BEHIND)
def _(states: States) -> None:
    for state in states.values():
        if state.get("Parameters", {}).get("state.$") == "$.state":
            state["Parameters"]["state.$"] = "$"


# Behind the pivot.


@without("behind the pivot a branch that fails leaves the others alone", "was done 0 times", FORWARD)
def _(states: States) -> None:
    if "Bad" in states:
        states["Bad"].pop("Catch")


@without("behind the pivot nothing follows a branch that is parked", "SUCCEEDED|succeeded without", FORWARD)
def _(states: States) -> None:
    if "Fork joined" in states:
        states["Fork"]["Next"] = states["Fork joined"]["Default"]


@without("a branch that is parked goes no further", "went on|was done 1 times|another result|results", FORWARD)
def _(states: States) -> None:
    if "Park Bad" in states:
        for way in (states["Park Bad"], *states["Park Bad"]["Catch"]):
            way["Next"] = "Next"


# Choices and waits.


@without("the way back goes through what was chosen", "was done 1 times", PICKED)
def _(states: States) -> None:
    if "Undo Pick" in states:
        states["Undo Pick"]["Choices"] = [{"Variable": "$.nowhere", "IsPresent": True, "Next": "Undo A"}]


@without("it is chosen once more as it was, first come first", "was done 1 times", PICKED)
def _(states: States) -> None:
    if "Undo Pick" in states:
        states["Undo Pick"]["Choices"].reverse()


@without("conditions look at the saga's document in a branch too", "was done 1 times", PICKED_BESIDE)
def _(states: States) -> None:
    if "Undo Pick" in states:
        states["Undo Pick"]["Choices"] = _moved(states["Undo Pick"]["Choices"])


def _moved(value: Any) -> Any:
    match value:
        case dict():
            return {key: _moved(part) for key, part in value.items()}
        case list():
            return [_moved(part) for part in value]
        case str():
            return value.replace("$.state.", "$.")
        case _:
            return value


@without("a condition looks first whether there is something", "died of States.Runtime", PICKED)
def _(states: States) -> None:
    for name in ("Pick", "Undo Pick"):
        for rule in states.get(name, {}).get("Choices", ()):
            if "And" in rule:
                rule |= rule.pop("And")[-1]


@without("a saga whose first step is uncertain begins by itself", "died of States.Runtime", BEGINS)
def _(states: States) -> None:
    if "Check input" in states:
        states["Check input"]["Default"] = "Fork"


@without("a wait looks first whether there is a time", "died of States.Runtime", WAITS)
def _(states: States) -> None:
    if "Rest" in states:
        states["Rest"]["Default"] = "Rest begun"


def _only_the_main_rule(states: States, which: Callable[[str], bool]) -> None:
    if "Undone" in states:
        rules = states["Undone"]["Choices"]
        states["Undone"]["Choices"] = [rule for rule in rules if not which(rule["Variable"])]


# Its own names in a document.


@removal("what is parked beside is told under a name that no step has", "nothing is parked|could have been done", WELL)
def _(patch: Patch) -> None:
    patch.setattr(contract, "PARKED_BESIDE", "Slow")


def names(removals: Sequence[TreeRemoval] = TREE_REMOVALS) -> list[str]:
    return [each.name for each in removals]
