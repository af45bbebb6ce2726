"""Every kind of fault at every call of a gateway's router and control function, one at a time; and many at random."""

import random
from functools import partial

import pytest

from .faults import FAULTS, SIDES, Chosen, Faults, struck_once
from .strangler_invariants import check
from .strangler_world import CATALOGUE, ORDERS, Ask, StranglerWorld

SEED = 11

ROUTINE = [Ask(at=1.0 + number, caller=f"caller-{number % 5}") for number in range(14)]
KEYED = [
    Ask(at=at, caller="caller-1", route=ORDERS, key=f"k{number}", again=1)
    for number, at in enumerate((1.5, 5.0, 9.5, 12.5))
]


def run(faults: Faults, seed: int | str = SEED, *, bad: float = 0.0) -> StranglerWorld:
    world = StranglerWorld(seed, faults, initial_percent=50.0, rollback=ROLLBACK)
    world.bad = lambda _: bad
    world.ask([*ROUTINE, *KEYED])
    world.say(4.0, "set", ORDERS, percent=100)
    world.say(9.0, "kill", ORDERS)
    world.say(8.0, "set", CATALOGUE, percent=80)
    world.remove()
    world.sweep(8.0)
    world.sweep(8.0)  # of two at the same moment each does nothing that the other has
    try:
        world.run()
        check(world)
    finally:
        world.close()
    return world


ROLLBACK = {"max_error_percent": 20, "min_requests": 3, "window_seconds": 60}
BAD = {"a good new side": 0.0, "a bad new side": 0.6}


@pytest.mark.parametrize("side", BAD)
def test_no_single_fault_at_any_call_breaks_an_invariant(side: str) -> None:
    assert struck_once(partial(run, bad=BAD[side])) >= 200


@pytest.mark.parametrize("seed", range(40))
def test_no_schedule_of_faults_breaks_an_invariant(seed: int) -> None:
    chance = random.Random(f"strangler {seed}")
    faults = Chosen(chance, rate=chance.uniform(0.08, 0.25), budget=15, kinds=(*FAULTS, *SIDES))
    run(faults, f"strangler {seed}", bad=chance.choice((0.0, 0.3)))
    assert faults.spent
