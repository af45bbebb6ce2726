"""Small scope, exhaustively: every fault at every call, one at a time, and every pair of crashes."""

from collections.abc import Callable
from functools import partial

import pytest

from .faults import CRASHES, Faults, struck_once, struck_twice
from .invariants import AFTER_REDRIVE, GENTLE, check, receives, watch_claims
from .ledger import Sent
from .operator_model import redrive
from .schedules import MODES
from .world import World, order

SEED = 7

STORIES: dict[str, Callable[[str | None], list[Sent]]] = {
    "one message": lambda group: [order("m0", group=group)],
    "its duplicate": lambda group: [order("m0", group=group), order("m1", key="m0", group=group, at=0.05)],
    "its key reused": lambda group: [
        order("m0", group=group),
        order("m1", key="m0", group=group, at=0.05, amount=7),
    ],
    "fails once": lambda group: [order("m0", "once", group=group)],
    "poison first": lambda group: [order("m0", "permanent", group=group), order("m1", group=group, at=0.01)],
    "two healthy": lambda group: [order("m0", group=group), order("m1", group=group, at=0.01)],
}

RECEIVES = {True: 2, False: 3}
"""At most, of one message that meets one fault. The fault costs one; a lease left behind may cost another."""


def run(mode: str, story: str, faults: Faults) -> World:
    account = MODES[mode]
    world = World(account, SEED, faults)
    watch_claims(world)
    world.send(STORIES[story]("a" if account.fifo else None))
    try:
        world.run()
        check(world, GENTLE)
        world.ledger.fixed = True
        redrive(world)
        check(world, AFTER_REDRIVE)
    finally:
        world.close()
    return world


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("mode", MODES)
def test_no_single_fault_at_any_call_breaks_an_invariant(mode: str, story: str) -> None:
    def judged(fault: Faults) -> None:
        world = run(mode, story, fault)
        most = max(receives(world).values())
        failures = 1 if story == "fails once" else 0
        assert most <= RECEIVES[world.account.effects] + failures, f"{most} receives of one message"

    assert struck_once(judged) >= 8


@pytest.mark.parametrize("mode", MODES)
def test_no_pair_of_crashes_breaks_an_invariant(mode: str) -> None:
    assert struck_twice(partial(run, mode, "one message"), (*CRASHES, "answer lost")) >= 8
