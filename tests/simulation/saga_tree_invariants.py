"""What must hold of a saga with branches, choices and waits, whatever went wrong."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from serverless_patterns_runtime.saga_state_machine import contract

from .saga_definition import Plan
from .saga_invariants import (
    MOST_GENTLE,
    end_of,
    keys_are_a_step_s_own,
    never_twice,
    parked,
    parked_is_kept,
    results_are_those_that_count,
    what_is_final_is_not_tried_again,
)
from .saga_trees import Rest, Tree, flat, largest, on_tree, precedes, taken
from .saga_world import INPUT, SagaWorld

__all__ = ["TREE_INVARIANTS", "TreeInvariant", "TreeWorld", "check_tree", "up_to_the_pivot"]


ON_TIME = "2023-11-14T22:13:50Z"
"""Half a minute after a simulation begins."""


class TreeWorld(SagaWorld):
    """`way`: what the choices look at, nothing of that name when it is 0; `at`: what the waits look at."""

    def __init__(
        self,
        tree: Tree,
        seed: int | str,
        faults: Any = None,
        *,
        way: int = 1,
        at: Any = ON_TIME,
        defines: Callable[[Tree], Mapping[str, Any]] = on_tree,
        **more: Any,
    ) -> None:
        super().__init__(
            flat(tree),
            seed,
            faults,
            defines=lambda _: defines(tree),
            max_result_bytes=largest(tree),
            **{"given": {**INPUT, "at": at, **({"way": way} if way else {})}, **more},
        )
        self.tree = tree
        self.way = taken(tree, way)
        """Without the choices: what this input leads through."""
        self.steps = {plan.name: plan for plan in flat(self.way)}
        self.before = precedes(self.way)
        self.backward = up_to_the_pivot(self.way)
        self.waits_for_nothing = at != ON_TIME and _waits_until(self.way)


def up_to_the_pivot(way: Tree) -> set[str]:
    pivot = next((at for at, node in enumerate(way) if isinstance(node, Plan) and node.pivot), len(way) - 1)
    return {plan.name for plan in flat(way[: pivot + 1])}


def _waits_until(way: Tree) -> bool:
    return any(
        (isinstance(node, Rest) and node.until) or any(_waits_until(branch) for branch in getattr(node, "branches", ()))
        for node in way
    )


def all_or_nothing(world: TreeWorld) -> None:
    net, given_up, end = world.books.net, parked(world), end_of(world)
    for name in world.steps:
        if name in given_up:
            continue
        if end == contract.FORWARD_PARKED:
            stuck = any((other, name) in world.before for other in given_up)
            if world.waits_for_nothing and name not in world.backward:
                continue
            expected = 0 if stuck else 1
        else:
            expected = 1 if end == contract.SUCCEEDED else 0
        assert net[name] == expected, f"{end}, and {name} was done {net[name]} times"


def only_what_the_conditions_say(world: TreeWorld) -> None:
    for run in world.books.runs:
        assert run.plan.name in world.steps, f"{run.kind} of {run.plan.name}, which no condition led to"


def what_has_not_begun_is_left_alone(world: TreeWorld) -> None:
    if world.faults.spent:
        return
    begun = set[str]()
    for run in world.books.runs:
        assert run.kind == "action" or run.plan.name in begun, f"{run.plan.name} is undone, and has not begun"
        begun.add(run.plan.name)


def undone_in_reverse(world: TreeWorld) -> None:
    order = world.books.order
    first_undo = {name: order.index(("undo", name)) for what, name in order if what == "undo"}
    for first, second in [*world.before, *((name, name) for name in world.steps)]:
        undone = [first_undo[name] for name in (first, second) if name in first_undo]
        late = [at for at, event in enumerate(order) if event in (("do", first), ("do", second))]
        assert not undone or not late or max(late) < min(undone), f"done while the saga was undone: {order}"
        done = [order.index(("do", name)) for name in (first, second) if ("do", name) in order]
        assert done == sorted(done), f"{second} was done before {first}: {order}"
        if first != second and first in first_undo and second in first_undo:
            assert first_undo[second] < first_undo[first], f"undone out of order: {order}"


def beside_each_other(world: TreeWorld) -> None:
    """An action has the results of exactly the steps before it, a compensation those of the steps before its branch."""
    for run in world.books.runs:
        name = run.plan.name
        before = {first for first, second in world.before if second == name}
        given = set(run.step.results)
        if run.kind == "action":
            assert given == before, f"{name} was given the results of {given}, and follows {before}"
        else:
            assert before - given <= _beside(world.way, name), f"{name} is undone without results of {before - given}"


def _beside(way: Tree, name: str) -> set[str]:
    """What is in one branch with it: a parallel that fails tells no results."""
    for node in way:
        for branch in getattr(node, "branches", ()):
            names = {plan.name for plan in flat(branch)}
            if name in names:
                return names
    return set()


def ends_as_it_must(world: TreeWorld) -> None:
    end, given_up = end_of(world), parked(world)
    healthy = {"ok", "fails once", "fails twice", "hangs once"}
    gentle = world.faults.spent <= MOST_GENTLE
    either_way = {"is declined first", "is declined again"}
    plans = list(world.steps.values())
    broken = [plan.name for plan in plans if plan.does not in healthy | either_way]
    if broken or world.waits_for_nothing:
        assert end != contract.SUCCEEDED, f"succeeded without {broken}"
    elif gentle and all(plan.does in healthy and plan.retries for plan in plans):
        assert end == contract.SUCCEEDED, f"{end}, and every step could have been done"
    stubborn = {plan.name for plan in plans if plan.undo in ("fails always", "is refused")}
    if end == contract.FORWARD_PARKED:
        assert given_up.isdisjoint(world.backward), f"parked: {given_up}"
        assert given_up or world.waits_for_nothing, "nothing is parked"
        assert not any(what == "undo" for what, _ in world.books.order), "undone behind the pivot"
        assert not any(pair in world.before for pair in ((a, b) for a in given_up for b in given_up)), "went on"
    else:
        assert bool(given_up) == (end == contract.COMPENSATION_PARKED), f"{end}, parked: {given_up}"
        if gentle:
            assert given_up <= stubborn, f"parked, and could have been undone: {given_up - stubborn}"


def results_are_told(world: TreeWorld) -> None:
    if end_of(world) != contract.SUCCEEDED:
        return
    ended = world.execution.ended
    assert ended is not None
    assert set(ended.output) == {"status", "results"}, f"output: {set(ended.output)}"
    assert set(ended.output["results"]) == set(world.steps), f"results of {set(ended.output['results'])}"


TreeInvariant = Callable[[TreeWorld], None]

TREE_INVARIANTS: list[TreeInvariant] = [
    all_or_nothing,
    only_what_the_conditions_say,
    never_twice,
    what_has_not_begun_is_left_alone,
    undone_in_reverse,
    beside_each_other,
    ends_as_it_must,
    results_are_told,
    parked_is_kept,
    results_are_those_that_count,
    keys_are_a_step_s_own,
    what_is_final_is_not_tried_again,
]


def check_tree(world: TreeWorld, invariants: Sequence[TreeInvariant] = TREE_INVARIANTS) -> None:
    for invariant in invariants:
        try:
            invariant(world)
        except AssertionError as failure:
            raise AssertionError(f"{invariant.__name__}: {failure}") from failure
