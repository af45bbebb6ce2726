"""Scripted sagas with branches, choices and waits. What runs beside what is told without its order.

No branch fails before the pivot: moto's threads race with the one that stops them, and now and then lose.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from serverless_patterns_runtime.saga_state_machine import contract
from tests.interpreters.saga_cases import BROKEN, DONE, NOT_DONE, Case, Told
from tests.simulation.saga_definition import Plan
from tests.simulation.saga_ledger import DECLINED
from tests.simulation.saga_synthesized import PARK
from tests.simulation.saga_trees import Beside, Pick, Rest, Tree, on_tree
from tests.simulation.world import CLAIMS

__all__ = ["TREE_CASES", "TreeCase", "without_order"]


def step(name: str, *, pivot: bool = False, backward: bool = True) -> Plan:
    return Plan(name=name, retries=1, undo_retries=1, pivot=pivot, declares=(DECLINED,) if backward else ())


@dataclass(frozen=True)
class TreeCase(Case):
    tree: Tree = field(default_factory=list[Any])
    given: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def document(self) -> Mapping[str, Any]:
        return {**super().document, **self.given}

    def definition(self, function: str | None = None, table: str = CLAIMS) -> Any:
        made = json.loads(json.dumps(on_tree(self.tree)))
        for state in _states(made):
            if state["Type"] == "Task" and state["Resource"] == PARK:
                state["Parameters"]["TableName"] = table
            elif state["Type"] == "Task" and function is not None:
                state["Resource"] = function
        return made


def _states(definition: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for state in definition["States"].values():
        yield state
        for branch in state.get("Branches", ()):
            yield from _states(branch)


FORKED: Sequence[Any] = [
    step("A"),
    Beside("Fork", [[step("B"), step("C")], [step("D")], [Beside("Inner", [[step("E")], [step("F")]])]]),
    step("G"),
]
FIRST: Sequence[Any] = [Beside("Fork", [[step("A")], [step("B")]]), step("C")]
PICKED: Sequence[Any] = [
    step("A"),
    Pick("Pick", [(1, [step("B")]), ("A", [Rest("Rest", 3), step("C")])]),
    Beside("Fork", [[Pick("Inner", [(2, [step("D")])], [step("E")])], [step("F")]]),
    step("G"),
]
FORWARD: Sequence[Any] = [
    step("P", pivot=True),
    Beside("Fork", [[step("A", backward=False), step("B", backward=False)], [step("C", backward=False)]]),
    step("D", backward=False),
]
BEGUN: Sequence[Any] = [Pick("Pick", [(1, [step("A")])]), step("B")]
UNTIL: Sequence[Any] = [step("A"), Rest("Rest", until=True), step("B")]
PARKED = contract.COMPENSATION_PARKED

TREE_CASES = [
    TreeCase("all is well in branches", {}, DONE, tree=FORKED),
    TreeCase("branches come first", {}, DONE, tree=FIRST),
    TreeCase("what follows fails", {"action G": BROKEN}, DONE, tree=FORKED),
    TreeCase("what follows fails, the branches are first", {"action C": ["PermanentError"]}, DONE, tree=FIRST),
    TreeCase(
        "a compensation in a branch is parked",
        {"action G": BROKEN, "compensation B": BROKEN},
        NOT_DONE,
        PARKED,
        tree=FORKED,
    ),
    TreeCase(
        "one in a branch of a branch is parked",
        {"action G": BROKEN, "compensation F": ["PermanentError"]},
        NOT_DONE,
        PARKED,
        tree=FORKED,
    ),
    TreeCase("a choice", {}, DONE, tree=PICKED, given={"way": 1}),
    TreeCase("another choice", {}, DONE, tree=PICKED, given={"way": 2}),
    TreeCase("a choice without what it asks for", {}, DONE, tree=PICKED),
    TreeCase("a choice is undone", {"action G": BROKEN}, DONE, tree=PICKED, given={"way": 1}),
    TreeCase("another choice is undone", {"action G": BROKEN}, DONE, tree=PICKED, given={"way": 2}),
    TreeCase("a choice is undone without what it asks for", {"action G": BROKEN}, DONE, tree=PICKED),
    TreeCase("behind the pivot", {}, DONE, tree=FORWARD),
    TreeCase(
        "behind the pivot a branch is parked", {"action A": BROKEN}, NOT_DONE, contract.FORWARD_PARKED, tree=FORWARD
    ),
    TreeCase("it begins with a choice", {}, DONE, tree=BEGUN, given={"way": 1}),
    TreeCase("it begins with a choice of nothing", {}, DONE, tree=BEGUN),
    TreeCase("an input has our key", {}, DONE, tree=BEGUN, given={"saga": {}}),
    TreeCase("a wait until a time", {}, DONE, tree=UNTIL, given={"at": "2001-01-01T00:00:00Z"}),
    TreeCase("a wait until nobody knows when", {}, DONE, tree=UNTIL, given={"at": "soon"}),
    TreeCase("a wait until nothing", {}, DONE, tree=UNTIL),
]


def without_order(told: Told) -> Told:
    """Nor is it told which attempt of several at once was whose; or that a branch was over, of which the emulator's
    history says nothing."""
    left = (step for step in told.trace if step.kind != "Succeed")
    trace = sorted(step._replace(outcomes=()) if step.name else step for step in left)
    return told._replace(
        trace=trace, asked=sorted(told.asked, key=lambda event: (event["step"], event["kind"], event["retries"]))
    )
