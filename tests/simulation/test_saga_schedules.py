"""Random sagas under random faults: linear, with and without a pivot. Every one is judged by every invariant."""

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .faults import ANYWHERE, TASKS, Chosen, OneFault
from .saga_definition import Plan
from .saga_ledger import DECLINED
from .saga_schedules import ACTIONS, COMPENSATIONS, FAULTS, judged, simulate_saga
from .saga_world import SagaWorld

SCHEDULES = 300
"""Unless `--schedules` says otherwise."""


def test_no_schedule_breaks_an_invariant(seed: int | None, schedules: int | None) -> None:
    for each in [seed] if seed is not None else range(schedules or SCHEDULES):
        simulate_saga(each)


@st.composite
def sagas(draw: st.DrawFn) -> list[Plan]:
    number = draw(st.integers(1, 6))
    pivot = draw(st.none() | st.integers(0, number - 1))
    return [
        Plan(
            name=f"Step{at}",
            effects=draw(st.booleans()),
            does=draw(st.sampled_from(["ok", "ok", *ACTIONS])),
            undo=draw(st.sampled_from(list(COMPENSATIONS))),
            seconds=draw(st.sampled_from([0.1, 4.0])),
            retries=draw(st.sampled_from([5, 0])),
            pivot=at == pivot,
            declares=(DECLINED,) if (pivot is None or at <= pivot) and draw(st.booleans()) else (),
        )
        for at in range(number)
    ]


@settings(max_examples=150, derandomize=True, suppress_health_check=list(HealthCheck))
@given(plans=sagas(), seed=st.integers(0, 2**16), number=st.integers(0, 40), kind=st.sampled_from([*ANYWHERE, *TASKS]))
def test_any_saga_is_all_or_nothing_whatever_happens_once(plans: list[Plan], seed: int, number: int, kind: str) -> None:
    judged(SagaWorld(plans, seed, OneFault(number, kind)), f"{kind} at call {number}")


@settings(max_examples=150, derandomize=True, suppress_health_check=list(HealthCheck))
@given(plans=sagas(), seed=st.integers(0, 2**16), budget=st.integers(0, 20))
def test_any_saga_is_all_or_nothing_however_rough_it_gets(plans: list[Plan], seed: int, budget: int) -> None:
    judged(SagaWorld(plans, seed, Chosen(random.Random(seed), 0.2, budget, FAULTS)), f"budget {budget}")
