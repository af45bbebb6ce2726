"""Without any one of these safeguards of a map, some schedule breaks an invariant: the simulation can fail."""

from functools import partial

import pytest

from .map_removals import MAP_REMOVALS, MapRemoval
from .map_schedules import simulate_map
from .searching import others_found

SEEDS = 300
"""Schedules within which the violation must show."""


@pytest.mark.parametrize("removal", MAP_REMOVALS, ids=lambda removal: removal.name)
def test_without_it_a_schedule_breaks_an_invariant(removal: MapRemoval, monkeypatch: pytest.MonkeyPatch) -> None:
    removal.take_out(monkeypatch)
    schedules = (partial(simulate_map, seed, **removal.schedule) for seed in range(SEEDS))
    others = others_found(removal.violates, schedules)
    assert others is None, f"{SEEDS} schedules did not miss it; they found {others or 'nothing'}"


def test_no_two_removals_have_one_name() -> None:
    names = [removal.name for removal in MAP_REMOVALS]
    assert len(set(names)) == len(names) >= 18
