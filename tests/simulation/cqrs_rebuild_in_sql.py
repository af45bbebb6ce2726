"""`RebuildWorld` with rows in PostgreSQL: things happen before each transaction, and a death in the midst of one."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from serverless_patterns_runtime.cqrs_sql.sql_sink import SqlSink
from serverless_patterns_runtime.cqrs_sql.statement import Connection, Run, Scalar, Statement, Work
from serverless_patterns_runtime.cqrs_views.rebuilding import Rebuild
from tests.runtime.cqrs_sql.postgres_server import Server
from tests.runtime.cqrs_sql.shop_elsewhere import ShopElsewhere
from tests.runtime.cqrs_sql.sinks import SqlStore
from tests.runtime.cqrs_views.shop import ORDERS, REVENUE

from .cqrs_rebuild_history import Rebuilds
from .cqrs_rebuild_world import STEADY, RebuildWorld

__all__ = ["SqlRebuildWorld"]

Result = TypeVar("Result")
STEADY_ROWS = {("eve", f"{key}/{line}") for key in STEADY for line in "ab"}


class SqlRebuildWorld(ShopElsewhere, RebuildWorld):
    tables: Mapping[str, str] = {REVENUE: "totals"}

    def __init__(self, server: Server, history: Rebuilds) -> None:
        self._reader = server.connect()
        self._reader.autocommit = True
        self.seen = 0
        """How often somebody has read the SQL view, since there is one."""
        self.statements: dict[tuple[str, str], int] = {}
        """Of each task, and at which request it was carried out first."""
        super().__init__(SqlStore(server), history)
        self._rebuilds_with = self.new_sink()

    def close(self) -> None:
        for sink in (self.sink, self._projects_with, self._rebuilds_with):
            sink.connection.close()
        self._reader.close()

    def new_sink(self) -> SqlSink:
        made = super().new_sink()
        met = Met(made.connection, self)
        definitions = made.definitions._replace(connection=met)
        return made._replace(connection=met, definitions=definitions, clock=lambda: self.now)

    @property
    def _projects_with(self) -> Any:
        return self.projection.projector.views[ORDERS].store

    def rebuild(self) -> Rebuild:
        """By another function, with a connection of its own."""
        made = super().rebuild()
        return made._replace(views={**made.views, ORDERS: made.views[ORDERS]._replace(store=self._rebuilds_with)})

    def shown(self) -> dict[tuple[str, str], Any] | None:
        """What who reads the database sees. None: there is no SQL view yet."""
        (there,) = self._ask(f"SELECT to_regclass('{self.store.table}') IS NOT NULL")
        if not there[0]:
            return None
        return {(pk, sk): row for pk, sk, row in self._ask(f'SELECT pk, sk, "row" FROM {self.store.table}')}

    def check_read(self) -> None:
        super().check_read()
        found = self.shown()
        if found is None:
            assert not self.seen, "the SQL view is gone"
            return
        self.seen += 1
        assert found.keys() >= STEADY_ROWS, "half an SQL view"

    def has_steady(self, generation: int) -> bool:
        return self.rows(generation).keys() >= STEADY_ROWS

    def check_rows(self) -> None:
        super().check_rows()
        assert self.shown() == self.expected(), "the SQL view shows something else"

    def tables_left(self) -> set[str]:
        """Of generations."""
        found = self._ask(f"SELECT relname FROM pg_class WHERE relname ~ '^{self.store.table}_g[0-9]+$'")
        return {name.removeprefix(self.store.table) for (name,) in found}

    def _ask(self, text: str) -> Any:
        cursor = self._reader.cursor()
        cursor.execute(text)
        return cursor.fetchall()


class Met:
    """A connection whose transactions are requests of the world's."""

    def __init__(self, inner: Connection, world: SqlRebuildWorld) -> None:
        self._inner, self._world = inner, world

    def run(self, statement: Statement) -> Sequence[Sequence[Scalar]]:
        return self.transact(lambda run: run(statement))

    def transact(self, work: Work[Result]) -> Result:
        self._world._meets("transact", {})
        return self._inner.transact(lambda run: work(self._cut_off(run)))

    def _cut_off(self, run: Run) -> Callable[[Statement], Sequence[Sequence[Scalar]]]:
        """The function may die after each statement: its session ends, and the server takes all of it back."""

        def cut_off(statement: Statement) -> Sequence[Sequence[Scalar]]:
            found = run(statement)
            world = self._world
            if world.in_task and not world.busy:
                world.statements.setdefault((world.tasks[-1]["task"], statement.text), world.sent)
                world.may_die()
            return found

        return cut_off

    def close(self) -> None:
        inner: Any = self._inner
        inner.close()
