"""Without any one of these safeguards of commands, some history breaks an invariant."""

import re
from functools import partial
from pathlib import Path

import pytest

from .choosing import Seeded
from .cqrs_command_removals import COMMAND_REMOVALS, CommandRemoval
from .cqrs_command_schedules import commands, simulate_commands
from .searching import others_found

SEEDS = 400
"""Histories within which the violation must show."""


@pytest.mark.parametrize("removal", COMMAND_REMOVALS, ids=lambda removal: removal.name)
def test_without_it_a_history_breaks_an_invariant(removal: CommandRemoval, monkeypatch: pytest.MonkeyPatch) -> None:
    removal.take_out(monkeypatch)
    histories = (commands(Seeded(seed), **removal.schedule) for seed in range(SEEDS))
    others = others_found(removal.violates, (partial(simulate_commands, one) for one in histories))
    assert others is None, f"{SEEDS} histories did not miss it; they found {others or 'nothing'}"


def test_the_page_lists_every_removal() -> None:
    page = (Path(__file__).parents[2] / "docs/patterns/cqrs_table.md").read_text()
    _, _, listed = page.partition("### Safeguards of commands")
    names = re.findall(r"^- ([^*`].*)$", listed.partition("\n### ")[0], re.MULTILINE)
    assert names == [removal.name for removal in COMMAND_REMOVALS]
    assert len(set(names)) == len(names) >= 20
