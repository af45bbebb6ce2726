"""From a seed to a whole schedule of a saga: its steps, what they do, what goes wrong. And its replay."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from .faults import ANYWHERE, REPEATED, TASKS, TRANSACTIONS, Chosen
from .saga_definition import Plan
from .saga_invariants import SAGA_INVARIANTS, Invariant, check_saga
from .saga_ledger import DECLINED
from .saga_world import SagaWorld
from .schedules import Violation

__all__ = ["ACTIONS", "COMPENSATIONS", "judged", "plans_of", "report", "simulate_saga"]

ACTIONS = {
    "ok": 20,
    "fails once": 2,
    "fails twice": 2,
    "hangs once": 1,
    "fails": 2,
    "fails after": 2,
    "hangs": 1,
    "is declined": 3,
    "is refused": 2,
    "fails once, then is declined": 2,
    "is declined first": 1,
    "is declined again": 2,
    "is too large": 1,
}
COMPENSATIONS = {"clean": 6, "fails once": 2, "fails always": 1, "is refused": 1}
FAULTS = (*ANYWHERE, *TRANSACTIONS, *REPEATED, *TASKS)
TRACE_LINES = 60


def simulate_saga(
    seed: int,
    *,
    kinds: Sequence[str] = (),
    operations: Sequence[str] = (),
    step: Mapping[str, Any] = MappingProxyType({}),
    effects: bool | None = None,
    invariants: Sequence[Invariant] = SAGA_INVARIANTS,
    **deployed: Any,
) -> SagaWorld:
    """One schedule, run to its end and judged. `step`: fields of one of the steps; `effects`: whether all return them.

    Raises Violation.
    """
    chance = random.Random(f"saga {seed}")
    plans = plans_of(chance, step, effects)
    kinds = kinds or chance.sample(FAULTS, chance.randint(2, len(FAULTS)))
    budget = chance.choice((0, 1, 2, 3, 12))
    faults = Chosen(chance, chance.choice((0.05, 0.1, 0.3)), budget, kinds, operations)
    return judged(
        SagaWorld(plans, chance.getrandbits(64), faults, **deployed),
        f"see it again: pytest tests/simulation --seed={seed}",
        invariants,
    )


def judged(world: SagaWorld, where: str, invariants: Sequence[Invariant] = SAGA_INVARIANTS) -> SagaWorld:
    try:
        world.run()
        check_saga(world, invariants)
    except AssertionError as failure:
        raise Violation(report(world, where, failure)) from failure
    finally:
        world.close()
    return world


def plans_of(chance: random.Random, step: Mapping[str, Any], effects: bool | None) -> list[Plan]:
    number = chance.randint(1, 5)
    pivot = chance.choice((None, *range(number)))
    odd = chance.randrange(number)
    plans = [
        Plan(
            name=f"Step{at}",
            effects=chance.random() < 0.5 if effects is None else effects,
            does=chance.choices(list(ACTIONS), list(ACTIONS.values()))[0],
            undo=chance.choices(list(COMPENSATIONS), list(COMPENSATIONS.values()))[0],
            seconds=chance.choice((0.1, 0.1, 4.0)),
            retries=chance.choice((5, 5, 5, 0)),
            pivot=at == pivot,
            declares=(DECLINED,) if chance.random() < 0.6 and (pivot is None or at <= pivot) else (),
        )
        for at in range(number)
    ]
    plans[odd] = replace(plans[odd], **step)
    return plans


def report(world: SagaWorld, where: str, failure: AssertionError) -> str:
    lines = [f"{time:12.3f} {' '.join(map(str, fields))[:300]}" for time, fields in world.trace[-TRACE_LINES:]]
    return "\n".join(
        [
            f"{failure}",
            f"saga, {where}",
            *(f"    {node}" for node in getattr(world, "tree", world.plans)),
            f"the last {len(lines)} of {len(world.trace)} events:",
            *lines,
        ]
    )
