"""Without any one of these safeguards of a saga, some schedule breaks an invariant: the simulation can fail."""

import re

import pytest

from .saga_removals import SAGA_REMOVALS, SagaRemoval
from .saga_schedules import simulate_saga
from .schedules import Violation

SEEDS = 400
"""Schedules within which the violation must show."""


@pytest.mark.parametrize("removal", SAGA_REMOVALS, ids=lambda removal: removal.name)
def test_without_it_a_schedule_breaks_an_invariant(removal: SagaRemoval, monkeypatch: pytest.MonkeyPatch) -> None:
    removal.take_out(monkeypatch)
    others: set[str] = set()
    for seed in range(SEEDS):
        try:
            simulate_saga(
                seed,
                kinds=removal.kinds,
                operations=removal.operations,
                step=removal.step,
                effects=removal.effects,
                **removal.deployed,
            )
        except Violation as violation:
            what = str(violation).split("\n", 1)[0]
            if re.search(removal.violates, what):
                return
            others.add(what)
    pytest.fail(f"{SEEDS} schedules did not miss it; they found {others or 'nothing'}")


def test_no_two_removals_have_one_name() -> None:
    names = [removal.name for removal in SAGA_REMOVALS]
    assert len(set(names)) == len(names) >= 20
