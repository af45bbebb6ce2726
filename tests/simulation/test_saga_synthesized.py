"""What the construct writes is what the simulation proves: the same definition, and the faults once more on it."""

import random

import pytest

from serverless_patterns_runtime.saga_state_machine import contract

from .faults import OneFault
from .saga_definition import Plan, definition
from .saga_invariants import check_saga, end_of
from .saga_ledger import DECLINED
from .saga_schedules import plans_of, simulate_saga
from .saga_synthesized import synthesized
from .saga_world import SagaWorld

STEPS = ("ReserveStock", "ChargeCard", "Ship")


@pytest.mark.parametrize("seed", range(12))
def test_the_synthesized_definition_is_the_one_that_was_proven(seed: int) -> None:
    plans = plans_of(random.Random(f"synthesized {seed}"), {}, None)
    assert synthesized(plans) == definition(plans)


@pytest.mark.parametrize("pivot", [0, 1, 2, 3])
def test_wherever_the_pivot_is(pivot: int) -> None:
    plans = [Plan(name=name, pivot=at == pivot) for at, name in enumerate(STEPS)]
    assert synthesized(plans) == definition(plans)


@pytest.mark.parametrize("does", ["ok", "is declined", "fails after"])
@pytest.mark.parametrize("undo", ["clean", "fails always"])
@pytest.mark.parametrize("failing", range(3), ids=STEPS)
@pytest.mark.parametrize("effects", [True, False], ids=["effects", "leases"])
def test_no_single_fault_leaves_a_saga_half_done(effects: bool, failing: int, undo: str, does: str) -> None:
    plans = [
        Plan(
            name=name,
            effects=effects,
            does=does if at == failing else "ok",
            retries=1 if at == failing else 5,
            undo_retries=2,
            undo=undo if at == 0 else "clean",
            pivot=at == 1,
            declares=(DECLINED,) if at <= 1 else (),
        )
        for at, name in enumerate(STEPS)
    ]
    observer = OneFault(-1, "")
    run(plans, observer)
    for number, call in enumerate(observer.calls):
        for kind in call.possible:
            world = run(plans, OneFault(number, kind))
            if does == "ok":
                assert end_of(world) == contract.SUCCEEDED


def run(plans: list[Plan], faults: OneFault) -> SagaWorld:
    world = SagaWorld(plans, 7, faults, defines=synthesized)
    try:
        world.run()
        check_saga(world)
    finally:
        world.close()
    return world


@pytest.mark.parametrize("seed", range(5))
def test_a_random_saga_on_the_synthesized_definition(seed: int) -> None:
    simulate_saga(seed, defines=synthesized)
