"""Without any one of these safeguards of a saga, some schedule breaks an invariant: the simulation can fail."""

from functools import partial

import pytest

from .saga_removals import SAGA_REMOVALS, SagaRemoval
from .saga_schedules import simulate_saga
from .searching import others_found

SEEDS = 400
"""Schedules within which the violation must show."""


@pytest.mark.parametrize("removal", SAGA_REMOVALS, ids=lambda removal: removal.name)
def test_without_it_a_schedule_breaks_an_invariant(removal: SagaRemoval, monkeypatch: pytest.MonkeyPatch) -> None:
    removal.take_out(monkeypatch)
    schedules = (
        partial(
            simulate_saga,
            seed,
            kinds=removal.kinds,
            operations=removal.operations,
            step=removal.step,
            effects=removal.effects,
            **removal.deployed,
        )
        for seed in range(SEEDS)
    )
    others = others_found(removal.violates, schedules)
    assert others is None, f"{SEEDS} schedules did not miss it; they found {others or 'nothing'}"


def test_no_two_removals_have_one_name() -> None:
    names = [removal.name for removal in SAGA_REMOVALS]
    assert len(set(names)) == len(names) >= 20
