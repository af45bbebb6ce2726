"""Sagas with branches, choices and waits that die, or are parked and resumed."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from serverless_patterns._saga_state_machine.plan import all_steps, planned
from serverless_patterns._saga_state_machine.recovery import recovery
from serverless_patterns._saga_state_machine.states import Resources
from serverless_patterns_runtime.saga_recovery.contract import SETTLED_AT

from . import saga_tree_invariants as trees_must
from .faults import Chosen
from .recovery_definition import LEDGER, without_tokens
from .recovery_invariants import (
    PARKED,
    every_death_is_recovered,
    in_time,
    one_recovery_at_a_time,
    who_asked_is_kept,
)
from .recovery_schedules import drawn_death
from .recovery_world import RecoveryWorld
from .saga_definition import NAMESPACE
from .saga_invariants import end_of, keys_are_a_step_s_own, never_twice, parked_is_kept, results_are_those_that_count
from .saga_schedules import FAULTS, report
from .saga_tree_invariants import ON_TIME, TreeWorld
from .saga_trees import Tree, described, trees
from .schedules import Violation
from .world import CLAIMS

__all__ = ["RecoveringTree", "recovery_on_tree", "simulate_recovering_tree"]


class RecoveringTree(TreeWorld, RecoveryWorld):
    """Both."""


def recovery_on_tree(tree: Tree) -> Mapping[str, Any]:
    plan = planned(described(tree))
    names = [step.name for step in all_steps(plan)]
    actions, compensations = ({name: f"{kind} {name}" for name in names} for kind in ("action", "compensation"))
    resources = Resources("aws", CLAIMS, NAMESPACE, actions, compensations)
    return without_tokens(recovery(plan, [], resources, LEDGER))


def undone_in_reverse(world: RecoveringTree) -> None:
    """But for what was parked: that comes later."""
    order = world.books.order
    world.books.order = [event for event in order if event[1] not in world.ever_parked]
    try:
        trees_must.undone_in_reverse(world)
    finally:
        world.books.order = order


def what_is_left_is_known(world: RecoveringTree) -> None:
    """Steps, and what holds them."""
    items = [item for (key,), item in world.claims().items() if key.startswith("parked#")]
    left = [item["step"]["S"] for item in items if SETTLED_AT not in item]
    end = end_of(world)
    assert bool(left) == (end in PARKED), f"{end}, and parked: {left}"


INVARIANTS: Sequence[Callable[[Any], None]] = [
    every_death_is_recovered,
    in_time,
    one_recovery_at_a_time,
    what_is_left_is_known,
    trees_must.all_or_nothing,
    trees_must.only_what_the_conditions_say,
    never_twice,
    undone_in_reverse,
    parked_is_kept,
    results_are_those_that_count,
    keys_are_a_step_s_own,
    who_asked_is_kept,
]


def simulate_recovering_tree(seed: int, *, tree: Tree | None = None, **deployed: Any) -> RecoveringTree:
    """One schedule, run to its end and judged. Raises Violation."""
    chance = random.Random(f"recovering tree {seed}")
    made = trees(chance) if tree is None else tree
    kinds = chance.sample(FAULTS, chance.randint(2, len(FAULTS)))
    faults = Chosen(chance, chance.choice((0.05, 0.1, 0.3)), chance.choice((0, 0, 1, 2, 6)), kinds)
    world = RecoveringTree(
        made,
        chance.getrandbits(64),
        faults,
        way=chance.randint(0, 2),
        at=chance.choice((ON_TIME, ON_TIME, ON_TIME, "soon")),
        death=drawn_death(chance),
        resumes=chance.choice((0, 1, 2)),
        recovers=lambda _: recovery_on_tree(made),
        **deployed,
    )
    try:
        world.run()
        trees_must.check_tree(world, INVARIANTS)
    except AssertionError as failure:
        raise Violation(report(world, f"recovering tree {seed}, {world.death}", failure)) from failure
    finally:
        world.close()
    return world
