"""Views in PostgreSQL, rebuilt at any moment on a real server: the same world, and what reads the SQL view besides."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from serverless_patterns_runtime.cqrs_sql.dbapi_connection import DbApiConnection
from serverless_patterns_runtime.cqrs_sql.definitions import Definitions
from serverless_patterns_runtime.cqrs_sql.statement import Statement
from tests.runtime.cqrs_sql.postgres_server import Server

from .choosing import Seeded, all_hold
from .cqrs_rebuild_history import Rebuilds, rebuilds
from .cqrs_rebuild_in_sql import SqlRebuildWorld
from .test_cqrs_rebuild import died, rebuilt
from .test_cqrs_rebuild_removals import noticed, without

Patch = pytest.MonkeyPatch
NewWorld = Callable[[Rebuilds], SqlRebuildWorld]

HISTORIES = 6


@pytest.fixture
def new_world(postgres: Server) -> Iterator[NewWorld]:
    """One at a time."""
    made: list[SqlRebuildWorld] = []

    def close() -> None:
        while made:
            made.pop().close()

    def new(history: Rebuilds) -> SqlRebuildWorld:
        close()
        made.append(SqlRebuildWorld(postgres, history))
        return made[-1]

    yield new
    close()


def test_the_sql_view_is_the_fold_of_the_log_whatever_happens_while_it_is_rebuilt(
    seed: int | None, schedules: int | None, new_world: NewWorld
) -> None:
    def judged(history: Rebuilds) -> None:
        world = new_world(history)
        rebuilt(world)
        assert world.seen > 20
        assert world.tables_left() == {f"_g{world.standing().live}"}

    all_hold(rebuilds, judged, schedules or HISTORIES, seed)


def dies(new_world: NewWorld) -> None:
    """After each statement once, and in the midst of a transaction: then nothing of it is left."""
    alive = died(None, new_world)
    assert isinstance(alive, SqlRebuildWorld)
    numbers = {*alive.statements.values()}
    assert len(numbers) > 15
    for number in numbers:
        assert died(number, new_world).tables_left() >= {"_g2"}


def test_a_rebuild_goes_on_whichever_statement_its_function_dies_after(new_world: NewWorld) -> None:
    dies(new_world)


def a_generation_is_shown_while_it_is_filled(patch: Patch) -> None:
    whole = Definitions.make
    patch.setattr(Definitions, "make", lambda self, number: (whole(self, number), self.show(number))[0])


def an_sql_view_is_dropped_and_made_anew(patch: Patch) -> None:
    whole = Definitions.show

    def show(self: Definitions, generation: int) -> None:
        self.connection.transact(lambda run: run(Statement(f"DROP VIEW IF EXISTS {self.statements.names.view()}", {})))
        whole(self, generation)

    patch.setattr(Definitions, "show", show)


@pytest.mark.parametrize(
    "remove",
    [a_generation_is_shown_while_it_is_filled, an_sql_view_is_dropped_and_made_anew],
    ids=lambda part: part.__name__,
)
def test_without_it_some_schedule_goes_wrong(remove: Callable[[Patch], None], new_world: NewWorld) -> None:
    with without(remove):
        assert noticed(lambda seed: rebuilt(new_world(rebuilds(Seeded(seed)))), range(HISTORIES)), remove.__name__


def test_without_transactions_some_death_leaves_something_half(new_world: NewWorld, monkeypatch: Patch) -> None:
    whole = DbApiConnection.transact

    def transact(self: DbApiConnection, work: Any) -> Any:
        return work(lambda statement: whole(self, lambda run: run(statement)))

    monkeypatch.setattr(DbApiConnection, "transact", transact)
    with pytest.raises(AssertionError, match="it went on"):
        dies(new_world)
