"""Every kind of fault at every call of a saga's tasks, one at a time, and in pairs."""

from collections.abc import Sequence
from functools import partial
from itertools import product

import pytest

from serverless_patterns_runtime.saga_state_machine import contract

from .faults import Faults, struck_once, struck_twice
from .saga_definition import Plan
from .saga_invariants import check_saga, end_of
from .saga_ledger import DECLINED
from .saga_world import SagaWorld

SEED = 7
NAMES = ("ReserveStock", "ChargeCard", "Ship")
DOES = (
    "is declined",
    "is declined again",
    "is refused",
    "fails",
    "fails after",
    "hangs",
    "fails once, then is declined",
    "is too large",
)
UNDO = ("clean", "fails once", "fails always", "is refused")


def saga(*, effects: bool, failing: int = 99, does: str = "ok", undo: str = "clean", pivot: int = 1) -> list[Plan]:
    return [
        Plan(
            name=name,
            effects=effects,
            does=does if at == failing else "ok",
            retries=1 if at == failing else 5,
            undo_retries=2,
            undo=undo if at == min(failing, 1) - 1 or (failing == 0 and at == 0) else "clean",
            pivot=at == pivot,
            declares=(DECLINED,) if at <= pivot else (),
        )
        for at, name in enumerate(NAMES)
    ]


def run(plans: Sequence[Plan], faults: Faults, seed: int = SEED) -> SagaWorld:
    world = SagaWorld(plans, seed, faults)
    try:
        world.run()
        check_saga(world)
    finally:
        world.close()
    return world


MODES = pytest.mark.parametrize("effects", [True, False], ids=["effects", "leases"])


@MODES
def test_no_single_fault_keeps_a_healthy_saga_from_its_end(effects: bool) -> None:
    plans = saga(effects=effects)

    def judged(fault: Faults) -> None:
        assert end_of(run(plans, fault)) == contract.SUCCEEDED

    assert struck_once(judged) >= 50


@pytest.mark.parametrize(
    ("does", "undo"), [*((does, "clean") for does in DOES), *product(("is declined", "fails after"), UNDO[1:])]
)
@pytest.mark.parametrize("failing", range(3), ids=NAMES)
@MODES
def test_no_single_fault_leaves_a_failing_saga_half_done(effects: bool, failing: int, does: str, undo: str) -> None:
    plans = saga(effects=effects, failing=failing, does=does, undo=undo)
    assert struck_once(partial(run, plans)) >= 8


@pytest.mark.parametrize("does", ["is declined", "fails after"])
@MODES
def test_no_pair_of_deaths_leaves_a_saga_half_done(effects: bool, does: str) -> None:
    plans = saga(effects=effects, failing=1, does=does)[:2]
    assert struck_twice(partial(run, plans), ("crash in flight", "crash after", "invoked late")) >= 100
