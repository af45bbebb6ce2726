"""Without any one of these safeguards of an API, some schedule breaks an invariant: the simulation can fail."""

import re
from functools import partial
from pathlib import Path

import pytest

from .api_removals import API_REMOVALS, ApiRemoval
from .api_schedules import simulate_api
from .searching import others_found
from .test_api_story_removals import CASES

SEEDS = 300
"""Schedules within which the violation must show."""


@pytest.mark.parametrize("removal", API_REMOVALS, ids=lambda removal: removal.name)
def test_without_it_a_schedule_breaks_an_invariant(removal: ApiRemoval, monkeypatch: pytest.MonkeyPatch) -> None:
    removal.take_out(monkeypatch)
    schedules = (
        partial(
            simulate_api,
            removal.mode,
            seed,
            kinds=removal.only,
            operations=removal.operations,
            does=removal.does,
            different=removal.deployed,
        )
        for seed in range(SEEDS)
    )
    others = others_found(removal.violates, schedules)
    assert others is None, f"{SEEDS} schedules did not miss it; they found {others or 'nothing'}"


def test_the_page_lists_every_removal() -> None:
    page = (Path(__file__).parents[2] / "docs/patterns/api_proxy.md").read_text()
    listed = re.findall(r"^- ([^*`].*)$", page[page.index("## Safeguards") :], re.MULTILINE)
    assert listed == [*(removal.name for removal in API_REMOVALS), *CASES]
    assert len(set(listed)) == len(listed) >= 30
