"""From a seed to a whole schedule of a saga with branches: its tree, what its steps do, what goes wrong."""

import random
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from .faults import Chosen
from .saga_schedules import FAULTS, report
from .saga_tree_invariants import ON_TIME, TREE_INVARIANTS, TreeInvariant, TreeWorld, check_tree
from .saga_trees import Node, Tree, trees
from .schedules import Violation

__all__ = ["judged_tree", "simulate_tree"]


def simulate_tree(
    seed: int,
    *,
    kinds: Sequence[str] = (),
    operations: Sequence[str] = (),
    step: Mapping[str, Any] = MappingProxyType({}),
    effects: bool | None = None,
    invariants: Sequence[TreeInvariant] = TREE_INVARIANTS,
    tree: Sequence[Node] | None = None,
    **deployed: Any,
) -> TreeWorld:
    """One schedule, run to its end and judged. Raises Violation."""
    chance = random.Random(f"tree {seed}")
    made: Tree = trees(chance, step, effects) if tree is None else tree
    kinds = kinds or chance.sample(FAULTS, chance.randint(2, len(FAULTS)))
    budget = chance.choice((0, 1, 2, 3, 12))
    faults = Chosen(chance, chance.choice((0.05, 0.1, 0.3)), budget, kinds, operations)
    at = chance.choice((ON_TIME, ON_TIME, ON_TIME, "soon"))
    world = TreeWorld(made, chance.getrandbits(64), faults, way=chance.randint(0, 2), at=at, **deployed)
    return judged_tree(world, f"see it again: simulate_tree({seed})", invariants)


def judged_tree(world: TreeWorld, where: str, invariants: Sequence[TreeInvariant] = TREE_INVARIANTS) -> TreeWorld:
    try:
        world.run()
        check_tree(world, invariants)
    except AssertionError as failure:
        raise Violation(report(world, where, failure)) from failure
    finally:
        world.close()
    return world
