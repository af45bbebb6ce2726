"""Without any one of these safeguards, some history leaves views that are not the fold of the log."""

import re
from functools import partial
from pathlib import Path

import pytest

from .cqrs_removals import CQRS_REMOVALS, CqrsRemoval
from .cqrs_schedules import simulate_views
from .searching import others_found

SEEDS = 300
"""Histories within which the violation must show."""


@pytest.mark.parametrize("removal", CQRS_REMOVALS, ids=lambda removal: removal.name)
def test_without_it_a_history_breaks_an_invariant(removal: CqrsRemoval, monkeypatch: pytest.MonkeyPatch) -> None:
    removal.take_out(monkeypatch)
    histories = map(removal.history, range(SEEDS))
    others = others_found(removal.violates, (partial(simulate_views, history) for history in histories))
    assert others is None, f"{SEEDS} histories did not miss it; they found {others or 'nothing'}"


def test_the_page_lists_every_removal() -> None:
    page = (Path(__file__).parents[2] / "docs/patterns/cqrs_table.md").read_text()
    start = page.index("test_cqrs_removals.py`):")
    listed = re.findall(r"^- (.*)$", page[start : page.index("###", start)], re.MULTILINE)
    assert listed == [removal.name for removal in CQRS_REMOVALS]
    assert len(set(listed)) == len(listed) >= 25
