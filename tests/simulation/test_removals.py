"""Without any one of these safeguards, some schedule breaks an invariant: the simulation can fail."""

import re
from functools import partial
from pathlib import Path

import pytest

from .removals import REMOVALS, Removal
from .schedules import GENTLE_PROFILE, WILD_PROFILE, simulate
from .searching import others_found

SEEDS = 300
"""Schedules per mode within which the violation must show."""


@pytest.mark.parametrize("removal", REMOVALS, ids=lambda removal: removal.name)
def test_without_it_a_schedule_breaks_an_invariant(removal: Removal, monkeypatch: pytest.MonkeyPatch) -> None:
    removal.take_out(monkeypatch)
    profile = WILD_PROFILE if removal.wild else GENTLE_PROFILE
    schedules = (
        partial(
            simulate,
            mode,
            seed,
            profile,
            kinds=removal.only,
            operations=removal.operations,
            different=removal.account,
            messages=removal.messages,
        )
        for mode in removal.modes
        for seed in range(SEEDS)
    )
    others = others_found(removal.violates, schedules)
    assert others is None, (
        f"{SEEDS} schedules each of {', '.join(removal.modes)} did not miss it; they found {others or 'nothing'}"
    )


def test_the_page_lists_every_removal() -> None:
    page = (Path(__file__).parents[2] / "docs/patterns/load_leveled_queue.md").read_text()
    listed = re.findall(r"^- ([^*`].*)$", page[page.index("## Safeguards") :], re.MULTILINE)
    assert listed == [removal.name for removal in REMOVALS]
    assert len(set(listed)) == len(listed) >= 15
