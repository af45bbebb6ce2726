"""Without any one of these safeguards of a recovery, some schedule breaks an invariant: the simulation can fail."""

from functools import partial

import pytest

from .recovery_removals import RECOVERY_REMOVALS, RecoveryRemoval
from .recovery_schedules import simulate_recovery
from .searching import others_found

SEEDS = 400
"""Schedules within which the violation must show."""


@pytest.mark.parametrize("removal", RECOVERY_REMOVALS, ids=lambda removal: removal.name)
def test_without_it_a_schedule_breaks_an_invariant(removal: RecoveryRemoval, monkeypatch: pytest.MonkeyPatch) -> None:
    removal.take_out(monkeypatch)
    schedules = (partial(simulate_recovery, seed, **removal.more) for seed in range(SEEDS))
    others = others_found(removal.violates, schedules)
    assert others is None, f"{SEEDS} schedules did not miss it; they found {others or 'nothing'}"


def test_no_two_removals_have_one_name() -> None:
    names = [removal.name for removal in RECOVERY_REMOVALS]
    assert len(set(names)) == len(names) >= 15
