"""Random sagas with branches, choices and waits that die or are parked: all or nothing, or parked."""

import copy
import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Template

from serverless_patterns import SagaStateMachine
from serverless_patterns_runtime.saga_state_machine import contract

from .faults import NoFaults
from .recovery_definition import LEDGER
from .recovery_trees import INVARIANTS, RecoveringTree, recovery_on_tree, simulate_recovering_tree
from .recovery_world import Death
from .saga_definition import NAMESPACE, Plan
from .saga_invariants import end_of, parked
from .saga_synthesized import on_the_account
from .saga_tree_invariants import check_tree
from .saga_trees import Beside, Pick, Rest, Tree, described, trees

SCHEDULES = 120
"""Unless `--schedules` says otherwise."""


def test_no_schedule_breaks_an_invariant(seed: int | None, schedules: int | None) -> None:
    for each in [seed] if seed is not None else range(schedules or SCHEDULES):
        simulate_recovering_tree(each)


@pytest.mark.parametrize("seed", [3, 8, 64])
def test_the_synthesized_recovery_is_the_one_that_is_driven(seed: int) -> None:
    tree = trees(random.Random(f"synthesized {seed}"))
    stack = Stack(App(context={"aws:cdk:disable-asset-staging": True}, analytics_reporting=False), "Shop")
    SagaStateMachine(stack, NAMESPACE, steps=described(tree))
    assert on_the_account(Template.from_stack(stack).to_json(), LEDGER) == recovery_on_tree(tree)


def step(name: str, **fields: Any) -> Plan:
    return Plan(name=name, **fields)


BACKWARD = [step("A"), Beside("Fork", [[step("B"), step("C")], [step("D", effects=False)]]), step("E")]
PICKED = [step("A"), Pick("Pick", [(1, [step("B"), Beside("Fork", [[step("C")], [step("D")]])])], [step("E")])]
FORWARD = [
    step("A", pivot=True),
    Beside("Fork", [[step("B"), Rest("Rest", until=True)], [step("C", effects=False)]]),
    Pick("Pick", [("B", [step("D")])]),
]
STUCK = [step("A", pivot=True), Beside("Fork", [[step(name, does="is refused")] for name in "BCD"]), step("E")]
TREES: Mapping[str, Tree] = {"backward": BACKWARD, "picked": PICKED, "forward": FORWARD}
MOST_POINTS = 200


def recovered(
    tree: Tree,
    death: Death | None,
    resumes: int = 0,
    *,
    mended: bool = True,
    recovers: Callable[[Tree], Mapping[str, Any]] = recovery_on_tree,
) -> RecoveringTree:
    world = RecoveringTree(
        tree, 7, NoFaults(), death=death, resumes=resumes, mended=mended, recovers=lambda _: recovers(tree)
    )
    try:
        world.run()
        check_tree(world, INVARIANTS)
    except AssertionError as failure:
        raise AssertionError(f"{death}: {failure}") from failure
    finally:
        world.close()
    return world


@pytest.mark.parametrize("which", TREES)
def test_a_healthy_tree_is_all_or_nothing_wherever_it_dies(which: str) -> None:
    ends = set[str]()
    for at in range(MOST_POINTS):
        world = recovered(TREES[which], Death(at, events=at % 2))
        ends.add(end_of(world))
        if world.happened < at:
            break
    else:
        pytest.fail("it never came to its end")
    assert ends == {contract.SUCCEEDED, contract.COMPENSATED}


def test_what_several_branches_have_parked_is_resumed_and_the_rest_is_done_then() -> None:
    world = recovered(STUCK, None, resumes=1)
    assert (end_of(world), world.ever_parked) == (contract.SUCCEEDED, {"B", "C", "D"})
    assert set(world.books.net.values()) == {1}


def test_resumed_in_vain_it_stays_parked_all_of_it() -> None:
    world = recovered(STUCK, None, resumes=2, mended=False)
    assert (end_of(world), parked(world)) == (contract.FORWARD_PARKED, {"B", "C", "D"})


def without(change: Callable[[dict[str, Any]], None]) -> Callable[[Tree], Mapping[str, Any]]:
    def made(tree: Tree) -> Mapping[str, Any]:
        definition = copy.deepcopy(dict(recovery_on_tree(tree)))
        change(definition["States"])
        return definition

    return made


def undoes_one_branch(states: dict[str, Any]) -> None:
    del states["Undo D"], states["Park D"]
    for state in states.values():
        for way in (state, *state.get("Catch", ()), *state.get("Choices", ())):
            for name in ("Next", "Default"):
                if way.get(name) == "Undo D":
                    way[name] = "Undo C"


def forgets_the_name(states: dict[str, Any]) -> None:
    del states["Fork"]["ResultSelector"]["execution.$"]


def forgets_what_is_parked(states: dict[str, Any]) -> None:
    states["Fork"]["Next"] = states.pop("Fork joined")["Default"]


@pytest.mark.parametrize(
    ("tree", "change", "violates"),
    [
        (BACKWARD, undoes_one_branch, "was done 1 times"),
        (FORWARD, forgets_the_name, "died of"),
        (STUCK, forgets_what_is_parked, "E was done 1 times"),
    ],
)
def test_without_it_a_death_breaks_an_invariant(
    tree: Tree, change: Callable[[dict[str, Any]], None], violates: str
) -> None:
    for at in range(1, MOST_POINTS):
        try:
            recovered(tree, Death(at), recovers=without(change))
        except AssertionError as violation:
            assert violates in str(violation).split("\n", 1)[0]  # noqa: PT017
            return
    pytest.fail("nothing missed it")
