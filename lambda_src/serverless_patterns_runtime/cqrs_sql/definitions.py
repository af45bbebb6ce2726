"""Tables and the SQL view: made, shown and dropped in transactions, and only where they are this view's own."""

from typing import NamedTuple

from serverless_patterns_runtime.cqrs_sql.statement import Connection, Run, Statement
from serverless_patterns_runtime.cqrs_sql.statements import Statements
from serverless_patterns_runtime.cqrs_views.sink import NotOurs

__all__ = ["Definitions"]

_OURS = "serverless-patterns"


class Definitions(NamedTuple):
    """Each is locked against itself; what waits for a lock of somebody else gives up soon."""

    connection: Connection
    statements: Statements
    owner: str
    """Of whom the generations are: no two have the same, not even an app that is deployed again."""

    def make(self, generation: int) -> None:
        """Raises NotOurs."""
        table = self.statements.names.of(generation)

        def work(run: Run) -> None:
            self._begin(run)
            if self._generation(run, table) is None:
                for statement in self.statements.make(generation):
                    run(statement)
                run(self._describe("TABLE", table, generation))

        self.connection.transact(work)

    def show(self, generation: int) -> None:
        """One that comes late does not hide a later generation. Raises NotOurs."""
        view = self.statements.names.view()

        def work(run: Run) -> None:
            self._begin(run)
            shown = self._generation(run, view)
            if shown is None or shown < generation:
                run(self.statements.show(generation))
                run(self._describe("VIEW", view, generation))

        self.connection.transact(work)

    def drop(self, generation: int) -> None:
        """Raises NotOurs, and SinkUnavailable while the SQL view shows it."""
        table = self.statements.names.of(generation)

        def work(run: Run) -> None:
            self._begin(run)
            if self._generation(run, table) is not None:
                run(self.statements.drop(generation))

        self.connection.transact(work)

    def _begin(self, run: Run) -> None:
        run(self.statements.hurry())
        run(self.statements.lock())

    def _generation(self, run: Run, name: str) -> int | None:
        """None: there is nothing of this name."""
        found = run(self.statements.described(name))
        if not found:
            return None
        mark, *rest = str(found[0][0]).split(" ")
        if mark != _OURS or len(rest) != 2 or rest[0] != self.owner or not rest[1].isdecimal():
            raise NotOurs(f"{name} is there and belongs to something else: drop it, or give the sink another table")
        return int(rest[1])

    def _describe(self, kind: str, name: str, generation: int) -> Statement:
        return self.statements.describe(kind, name, f"{_OURS} {self.owner} {generation}")
