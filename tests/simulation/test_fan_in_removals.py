"""Without any one of these safeguards, some schedule of fan-ins breaks an invariant."""

from functools import partial

import pytest

from .fan_in_removals import REMOVALS, Removal
from .fan_in_schedules import simulate
from .searching import others_found
from .test_fan_in_interleavings import CASES

SEEDS = 300
"""Schedules per mode within which the violation must show."""


@pytest.mark.parametrize("removal", REMOVALS, ids=lambda removal: removal.name)
def test_without_it_a_schedule_breaks_an_invariant(removal: Removal, monkeypatch: pytest.MonkeyPatch) -> None:
    removal.take_out(monkeypatch)
    if removal.case:
        (case,) = [case for case in CASES if case.name == removal.case]
        with pytest.raises(AssertionError, match=removal.violates):
            case.scene().explore(case.faults)
        return
    schedules = (
        partial(
            simulate,
            mode,
            seed,
            branches=removal.branches,
            kinds=removal.kinds,
            operations=removal.operations,
            budgets=removal.budgets,
            different=removal.deployed,
        )
        for mode in removal.modes
        for seed in range(SEEDS)
    )
    others = others_found(removal.violates, schedules)
    assert others is None, f"{SEEDS} schedules did not miss it; they found {others or 'nothing'}"
