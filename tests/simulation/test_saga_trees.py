"""Sagas with branches, choices and waits: random ones under random faults, single faults, no safeguard less."""

import random
from collections.abc import Iterator
from functools import partial
from itertools import count

import pytest
from aws_cdk import App, Stack
from aws_cdk.assertions import Template
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serverless_patterns import SagaStateMachine
from serverless_patterns_runtime.saga_state_machine import contract

from .faults import ANYWHERE, TASKS, Chosen, Faults, OneFault
from .saga_definition import NAMESPACE, Plan, definition
from .saga_invariants import end_of
from .saga_ledger import DECLINED
from .saga_schedules import FAULTS, plans_of
from .saga_synthesized import on_the_account
from .saga_tree_invariants import TreeWorld, check_tree
from .saga_tree_removals import READS, TREE_REMOVALS, WAITS, TreeRemoval, names
from .saga_tree_schedules import judged_tree, simulate_tree
from .saga_trees import Beside, Pick, Tree, described, on_tree, replaced, trees
from .searching import others_found

SCHEDULES = 150
"""Unless `--schedules` says otherwise."""
SEEDS = 40
"""Schedules within which the violation must show."""


def test_no_schedule_breaks_an_invariant(seed: int | None, schedules: int | None) -> None:
    for each in [seed] if seed is not None else range(schedules or SCHEDULES):
        simulate_tree(each)


@st.composite
def random_trees(draw: st.DrawFn) -> Tree:
    return trees(random.Random(draw(st.integers(0, 2**32))))


ROUGH = settings(max_examples=60, derandomize=True, suppress_health_check=list(HealthCheck))


@ROUGH
@given(
    tree=random_trees(),
    seed=st.integers(0, 2**16),
    way=st.integers(0, 2),
    number=st.integers(0, 60),
    kind=st.sampled_from([*ANYWHERE, *TASKS]),
)
def test_any_tree_is_all_or_nothing_whatever_happens_once(
    tree: Tree, seed: int, way: int, number: int, kind: str
) -> None:
    judged_tree(TreeWorld(tree, seed, OneFault(number, kind), way=way), f"{kind} at call {number}")


@ROUGH
@given(tree=random_trees(), seed=st.integers(0, 2**16), way=st.integers(0, 2), budget=st.integers(0, 20))
def test_any_tree_is_all_or_nothing_however_rough_it_gets(tree: Tree, seed: int, way: int, budget: int) -> None:
    judged_tree(TreeWorld(tree, seed, Chosen(random.Random(seed), 0.2, budget, FAULTS), way=way), f"budget {budget}")


@pytest.mark.parametrize("removal", TREE_REMOVALS, ids=lambda removal: removal.name)
def test_without_it_a_schedule_breaks_an_invariant(removal: TreeRemoval, monkeypatch: pytest.MonkeyPatch) -> None:
    removal.take_out(monkeypatch)
    schedules = (partial(simulate_tree, seed, tree=removal.tree, defines=removal.defines) for seed in range(SEEDS))
    others = others_found(removal.violates, schedules)
    assert others is None, f"{SEEDS} schedules did not miss it; they found {others or 'nothing'}"


@pytest.mark.parametrize("removal", TREE_REMOVALS, ids=lambda removal: removal.name)
def test_with_it_none_does(removal: TreeRemoval) -> None:
    for seed in range(5):
        simulate_tree(seed, tree=removal.tree)


def test_no_two_removals_have_one_name() -> None:
    assert len(set(names())) == len(names()) >= 20


# Every single fault at every position: inside of branches and choices, before them, behind them.


def step(name: str, *, pivot: bool = False, backward: bool = True, **fields: object) -> Plan:
    return Plan(name=name, pivot=pivot, declares=(DECLINED,) if backward else (), **fields)  # pyright: ignore[reportArgumentType]


FORKED = [
    step("A"),
    Beside("Fork", [[step("B", seconds=1.0), step("C")], [step("D")]]),
    step("E", pivot=True),
    Beside("Later", [[step("F", backward=False)], [step("G", backward=False)]]),
]
PICKED = [
    step("A"),
    Pick("Pick", [(1, [step("B"), Beside("Fork", [[step("C")], [step("D", effects=False)]])])], [step("E")]),
    step("F", pivot=True),
    Pick("Late", [("B", [step("G", backward=False)])]),
]
TREES = {"forked": FORKED, "picked": PICKED}
WHERE = [("forked", name) for name in "ABCDEFG"] + [("picked", name) for name in "ABCDFG"]


def run(tree: Tree, faults: Faults) -> TreeWorld:
    world = TreeWorld(tree, 7, faults)
    try:
        world.run()
        check_tree(world)
    finally:
        world.close()
    return world


def single_faults(tree: Tree, odd: int) -> Iterator[tuple[OneFault, TreeWorld]]:
    """At every call every other kind: with `odd` 0 the one half, with 1 the other."""
    observer = OneFault(-1, "")
    run(tree, observer)
    for number, call in enumerate(observer.calls):
        for kind in call.possible[(number + odd) % 2 :: 2]:
            fault = OneFault(number, kind)
            try:
                world = run(tree, fault)
            except AssertionError as failure:
                raise AssertionError(f"{kind} at call {number}: {failure}") from failure
            assert fault.fired
            yield fault, world


@pytest.mark.parametrize("odd", [0, 1])
@pytest.mark.parametrize("which", TREES)
def test_no_single_fault_keeps_a_healthy_saga_from_its_end(which: str, odd: int) -> None:
    ends = [(fault, end_of(world)) for fault, world in single_faults(TREES[which], odd)]
    assert len(ends) >= 30
    assert [fault for fault, end in ends if end != contract.SUCCEEDED] == []


@pytest.mark.parametrize(("number", "which", "failing"), [(*pair,) for pair in zip(count(), *zip(*WHERE, strict=True))])
def test_no_single_fault_leaves_a_failing_saga_half_done(number: int, which: str, failing: str) -> None:
    does = ("is refused", "fails after", "is declined")[number % 3]
    declares = (DECLINED,) if failing < "F" else ()
    fields = {"does": does, "retries": 1, "effects": number % 2 == 0, "declares": declares}
    tree = list(replaced(TREES[which], failing, fields))
    ends = {end_of(world) for _, world in single_faults(tree, number % 2)}
    assert contract.SUCCEEDED not in ends


@pytest.mark.parametrize(("undo", "odd"), [("fails always", 0), ("is refused", 1)])
def test_no_single_fault_hides_a_compensation_in_a_branch_that_was_given_up(undo: str, odd: int) -> None:
    tree = list(replaced(FORKED, "C", {"undo": undo, "undo_retries": 2}))
    tree = list(replaced(tree, "E", {"does": "is refused"}))
    assert {end_of(world) for _, world in single_faults(tree, odd)} == {contract.COMPENSATION_PARKED}


# What the simulation drives is what is deployed.


@pytest.mark.parametrize("seed", range(6))
def test_the_synthesized_definition_of_a_tree_is_the_one_that_was_driven(seed: int) -> None:
    tree = trees(random.Random(f"synthesized {seed}"))
    stack = Stack(App(context={"aws:cdk:disable-asset-staging": True}, analytics_reporting=False), "Shop")
    SagaStateMachine(stack, NAMESPACE, steps=described(tree))
    assert on_the_account(Template.from_stack(stack).to_json()) == on_tree(tree)


def test_a_tree_without_branches_is_the_linear_saga() -> None:
    plans = plans_of(random.Random("linear"), {}, None)
    assert on_tree(plans) == definition(plans)


# How it goes when all goes well.


def test_branches_cost_one_transition_and_a_choice_one() -> None:
    world = run(READS, OneFault(-1, ""))
    assert world.execution.transitions == 5
    assert end_of(world) == contract.SUCCEEDED


def test_branches_run_at_the_same_time() -> None:
    slow = [Beside("Fork", [[step(f"Step{at}", seconds=4.0)] for at in range(5)])]
    world = run(slow, OneFault(-1, ""))
    at = [run.at for run in world.books.runs]
    assert max(at) - min(at) < 4


def test_a_wait_until_a_time_waits_until_then() -> None:
    world = run(WAITS, OneFault(-1, ""))
    first, second = (run.at for run in world.books.runs)
    assert second - first > 25


def test_an_input_with_our_key_is_refused_also_where_no_step_is_first() -> None:
    tree = [Pick("Pick", [(1, [step("A")])])]
    world = TreeWorld(tree, 7, OneFault(-1, ""), given={"order_id": "7", "way": 1, "saga": {"results": {"A": 1}}})
    try:
        ended = world.run()
    finally:
        world.close()
    assert ended.output["status"] == contract.COMPENSATED
    assert ended.output["error"]["Error"] == contract.PERMANENT_ERROR
    assert world.books.runs == []
