"""Histories of aggregates whose rows are in PostgreSQL, on a real server: the same histories, faults and invariants."""

from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest

from serverless_patterns_runtime.cqrs_sql.statements import Statements
from tests.runtime.cqrs_sql.postgres_server import Server

from .choosing import Seeded, all_hold
from .cqrs_history import History, history
from .cqrs_invariants import wanted_rows
from .cqrs_schedules import simulate_views
from .cqrs_world_in_sql import SqlCqrsWorld
from .searching import others_found

HISTORIES = 16
MISSED = 60
"""Histories within which the violation must show."""


def simulate(server: Server, told: History) -> SqlCqrsWorld:
    world = simulate_views(told, partial(SqlCqrsWorld, server))
    assert isinstance(world, SqlCqrsWorld)
    return world


def test_no_history_breaks_an_invariant(seed: int | None, schedules: int | None, postgres: Server) -> None:
    seen: Counter[str] = Counter()

    def judged(told: History) -> None:
        world = simulate(postgres, told)
        assert world.shown() == {key: row for key, (row, _) in wanted_rows(world).items()}
        seen.update(world.ledger.reasons)
        seen["mishaps"] += world.faults.spent
        seen["rebuilt"] += sum(fields[-1] == "is live" for _, fields in world.ledger.trace)

    all_hold(history, judged, schedules or HISTORIES, seed)
    if seed is None and schedules is None:
        assert all(seen[what] for what in ("refused", "unversioned", "unavailable", "rebuilt")), seen
        assert seen["mishaps"] >= HISTORIES


def text_of(patch: pytest.MonkeyPatch, method: str, old: str, new: str) -> None:
    whole = getattr(Statements, method)

    def changed(self: Statements, *arguments: object) -> object:
        made = whole(self, *arguments)
        assert old in made.text
        return made._replace(text=made.text.replace(old, new))

    patch.setattr(Statements, method, changed)


OWN, NEWER = "there.source = excluded.source", "there.version < excluded.version"


@pytest.mark.parametrize(
    ("old", "new", "violates"),
    [
        (f"{OWN} AND {NEWER}", f"{OWN} AND there.version <> excluded.version", "went back"),
        (f"{OWN} AND {NEWER}", NEWER, "is of its future|row is missing|nobody says"),
    ],
    ids=["an older version does not overwrite", "another aggregate's row is left alone"],
)
def test_without_it_a_history_breaks_an_invariant(
    old: str, new: str, violates: str, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    text_of(monkeypatch, "write", old, new)
    histories: list[Callable[[], object]] = [
        partial(simulate, postgres, history(Seeded(seed))) for seed in range(MISSED)
    ]
    others = others_found(violates, iter(histories))
    assert others is None, f"{MISSED} histories did not miss it; they found {others or 'nothing'}"
