"""Without any one of these safeguards, some schedule of fan-ins breaks an invariant."""

import re
from functools import partial
from pathlib import Path

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


def test_the_page_lists_every_removal() -> None:
    page = (Path(__file__).parents[2] / "docs/patterns/fan_out_topic.md").read_text()
    listed = re.findall(r"^- ([^*`].*)$", page[page.index("test_fan_in_removals.py") :], re.MULTILINE)
    assert listed == [removal.name for removal in REMOVALS]
    assert len(set(listed)) == len(listed) >= 20
