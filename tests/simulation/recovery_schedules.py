"""From a seed to a schedule of a saga that dies, or is parked and resumed: where, who hears of it, what goes wrong."""

import random
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from .faults import Chosen
from .recovery_invariants import check_recovery
from .recovery_world import Death, RecoveryWorld
from .saga_schedules import FAULTS, plans_of, report
from .schedules import Violation

__all__ = ["drawn_death", "judged", "simulate_recovery"]

LAST_DEATHS = (15, 30, 60)
"""Of the things that happen: early in most executions, or anywhere in some."""

ENDS = (("ABORTED", None), ("ABORTED", None), ("TIMED_OUT", None), ("FAILED", "States.Runtime"))


def simulate_recovery(
    seed: int,
    *,
    kinds: Sequence[str] = (),
    operations: Sequence[str] = (),
    step: Mapping[str, Any] = MappingProxyType({}),
    effects: bool | None = None,
    dies: bool | None = None,
    events: int | None = None,
    resumes: int | None = None,
    makes: Callable[..., RecoveryWorld] = RecoveryWorld,
    **deployed: Any,
) -> RecoveryWorld:
    """One schedule, run to its end and judged. Raises Violation."""
    chance = random.Random(f"recovery {seed}")
    plans = plans_of(chance, step, effects)
    chosen = kinds or chance.sample(FAULTS, chance.randint(2, len(FAULTS)))
    budget = chance.choice((0, 0, 1, 2, 6))
    faults = Chosen(chance, chance.choice((0.05, 0.1, 0.3)), budget, chosen, operations)
    death, again = drawn_death(chance, events), chance.choice((0, 1, 2, 3))
    world = makes(
        plans,
        chance.getrandbits(64),
        faults,
        death=death if (chance.random() < 0.8 if dies is None else dies) else None,
        resumes=again if resumes is None else resumes,
        mended=chance.random() < 0.8,
        **deployed,
    )
    return judged(world, f"recovery, seed {seed}")


def drawn_death(chance: random.Random, events: int | None = None) -> Death:
    """`events`: how many are told, if that is known."""
    status, error = chance.choice(ENDS)
    at, told = chance.randint(1, chance.choice(LAST_DEATHS)), chance.choice((0, 1, 1, 3))
    return Death(at, status, error, told if events is None else events)


def judged(world: RecoveryWorld, where: str) -> RecoveryWorld:
    """Run to its end and judged. Raises Violation."""
    try:
        world.run()
        check_recovery(world)
    except AssertionError as failure:
        raise Violation(report(world, f"{where}, {world.death}", failure)) from failure
    finally:
        world.close()
    return world
