"""Without any one of these safeguards of an API, some schedule breaks an invariant: the simulation can fail."""

import re

import pytest

from .api_removals import API_REMOVALS, ApiRemoval
from .api_schedules import simulate_api
from .schedules import Violation

SEEDS = 300
"""Schedules within which the violation must show."""


@pytest.mark.parametrize("removal", API_REMOVALS, ids=lambda removal: removal.name)
def test_without_it_a_schedule_breaks_an_invariant(removal: ApiRemoval, monkeypatch: pytest.MonkeyPatch) -> None:
    removal.take_out(monkeypatch)
    others: set[str] = set()
    for seed in range(SEEDS):
        try:
            simulate_api(
                removal.mode,
                seed,
                kinds=removal.only,
                operations=removal.operations,
                does=removal.does,
                different=removal.deployed,
            )
        except Violation as violation:
            what = str(violation).split("\n", 1)[0]
            if re.search(removal.violates, what):
                return
            others.add(what)
    pytest.fail(f"{SEEDS} schedules did not miss it; they found {others or 'nothing'}")


def test_no_two_removals_have_one_name() -> None:
    names = [removal.name for removal in API_REMOVALS]
    assert len(set(names)) == len(names) >= 25
