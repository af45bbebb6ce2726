"""Without any one of these safeguards, some history leaves views that are not the fold of the log."""

from functools import partial

import pytest

from .cqrs_removals import CQRS_REMOVALS, CqrsRemoval
from .cqrs_schedules import simulate_views
from .searching import others_found

SEEDS = 300
"""Histories within which the violation must show."""


@pytest.mark.parametrize("removal", CQRS_REMOVALS, ids=lambda removal: removal.name)
def test_without_it_a_history_breaks_an_invariant(removal: CqrsRemoval, monkeypatch: pytest.MonkeyPatch) -> None:
    removal.take_out(monkeypatch)
    histories = (partial(simulate_views, seed, **removal.schedule) for seed in range(SEEDS))
    others = others_found(removal.violates, histories)
    assert others is None, f"{SEEDS} histories did not miss it; they found {others or 'nothing'}"


def test_no_two_removals_have_one_name() -> None:
    names = [removal.name for removal in CQRS_REMOVALS]
    assert len(set(names)) == len(names) >= 20
