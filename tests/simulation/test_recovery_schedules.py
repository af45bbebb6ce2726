"""Random sagas that die or are parked, under random mishaps. Every one is judged by every invariant."""

import random

import pytest

from .recovery_definition import LEDGER, recovery_definition
from .recovery_schedules import simulate_recovery
from .saga_definition import Plan
from .saga_schedules import plans_of
from .saga_synthesized import recovery_synthesized

SCHEDULES = 200
"""Unless `--schedules` says otherwise."""


def test_no_schedule_breaks_an_invariant(seed: int | None, schedules: int | None) -> None:
    for each in [seed] if seed is not None else range(schedules or SCHEDULES):
        simulate_recovery(each)


@pytest.mark.parametrize("seed", range(6))
def test_the_synthesized_recovery_is_the_one_that_is_driven(seed: int) -> None:
    plans = plans_of(random.Random(f"recovery synthesized {seed}"), {}, None)
    assert recovery_synthesized(plans, LEDGER) == recovery_definition(plans)


@pytest.mark.parametrize("pivot", [0, 2, 9])
def test_wherever_the_pivot_is(pivot: int) -> None:
    plans = [Plan(name=name, pivot=at == pivot) for at, name in enumerate(("ReserveStock", "ChargeCard", "Ship"))]
    assert recovery_synthesized(plans, LEDGER) == recovery_definition(plans)


def test_a_seed_gives_the_same_history_twice() -> None:
    first, second = (simulate_recovery(12, dies=True) for _ in range(2))
    assert [str(event) for event in first.trace] == [str(event) for event in second.trace]
