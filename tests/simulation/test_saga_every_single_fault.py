"""Every kind of fault at every call of a saga's tasks, one at a time, and in pairs."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import product

import pytest

from serverless_patterns_runtime.saga_state_machine import contract

from .faults import Faults, OneFault, Pair, pairs
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


def single_faults(plans: Sequence[Plan], kinds: Sequence[str] = ()) -> Iterator[OneFault]:
    observer = OneFault(-1, "")
    run(plans, observer)
    for number, call in enumerate(observer.calls):
        for kind in call.possible:
            if not kinds or kind in kinds:
                yield OneFault(number, kind)


MODES = pytest.mark.parametrize("effects", [True, False], ids=["effects", "leases"])


@MODES
def test_no_single_fault_keeps_a_healthy_saga_from_its_end(effects: bool) -> None:
    plans = saga(effects=effects)
    fired = 0
    for fault in single_faults(plans):
        world = run(plans, fault)
        assert fault.fired
        assert end_of(world) == contract.SUCCEEDED, f"{fault.kind} at call {fault.number}"
        fired += 1
    assert fired >= 50


@pytest.mark.parametrize(
    ("does", "undo"), [*((does, "clean") for does in DOES), *product(("is declined", "fails after"), UNDO[1:])]
)
@pytest.mark.parametrize("failing", range(3), ids=NAMES)
@MODES
def test_no_single_fault_leaves_a_failing_saga_half_done(effects: bool, failing: int, does: str, undo: str) -> None:
    plans = saga(effects=effects, failing=failing, does=does, undo=undo)
    fired = 0
    for fault in single_faults(plans):
        try:
            run(plans, fault)
        except AssertionError as failure:
            raise AssertionError(f"{fault.kind} at call {fault.number}: {failure}") from failure
        assert fault.fired
        fired += 1
    assert fired >= 8


@pytest.mark.parametrize("does", ["is declined", "fails after"])
@MODES
def test_no_pair_of_deaths_leaves_a_saga_half_done(effects: bool, does: str) -> None:
    plans = saga(effects=effects, failing=1, does=does)[:2]
    kinds = ("crash in flight", "crash after", "invoked late")
    fired = 0
    for first, second in pairs(partial(run, plans), single_faults(plans, kinds), kinds):
        try:
            run(plans, Pair(first, second))
        except AssertionError as failure:
            where = f"{first.kind} at call {first.number}, then {second.kind} at call {second.number}"
            raise AssertionError(f"{where}: {failure}") from failure
        assert first.fired
        assert second.fired
        fired += 1
    assert fired >= 100
