"""`CqrsWorld` with its rows in PostgreSQL, which functions reach by the Data API: its requests go wrong too."""

from collections.abc import Mapping
from typing import Any

from serverless_patterns_runtime.cqrs_sql.building import sql_sink
from serverless_patterns_runtime.cqrs_sql.sql_sink import SqlSink
from serverless_patterns_runtime.cqrs_views.sink import RowKey, StoredRow
from serverless_patterns_runtime.cqrs_views.together import Together
from tests.runtime.cqrs_sql.data_api import DataApi
from tests.runtime.cqrs_sql.postgres_server import Server
from tests.runtime.cqrs_sql.sinks import SqlStore

from .cqrs_shop import ROWS
from .cqrs_world import CqrsWorld, Plan
from .faults import Faults
from .lambda_model import Sandbox
from .network import Client, Network

__all__ = ["SqlCqrsWorld"]


class SqlCqrsWorld(CqrsWorld):
    def __init__(self, server: Server, plan: Plan, seed: int | str, faults: Faults | None = None) -> None:
        self._store = SqlStore(server, "data-api")
        self._past = self._store.sink()
        """The tests' own look at the rows."""
        self._seen: dict[int, dict[RowKey, StoredRow]] = {}
        """By generation, what was there after the last write."""
        super().__init__(plan, seed, faults)
        if plan.live:
            self.prepare(ROWS, 1)
            self.publish(ROWS, 1)

    def more_services(self) -> Mapping[str, Any]:
        return {"rds-data": Watched(self._store.server, self)}

    def sink(self, network: Network, together: Together, sandbox: Sandbox) -> SqlSink:  # noqa: ARG002
        made = sql_sink(self._store.told(), "S", "us", lambda name: Client(network, sandbox, name))
        return made._replace(clock=sandbox.clock)

    def prepare(self, view: str, generation: int) -> None:
        """At one moment: who waits for a lock of the server's would hold up virtual time."""
        if view == ROWS:
            self._past.prepare(generation)
            self._seen[generation] = {}

    def publish(self, view: str, generation: int) -> None:
        if view == ROWS:
            self._past.publish(generation)

    def stored(self, generation: int) -> list[StoredRow]:
        found: list[StoredRow] = []
        resume: str | None = None
        while True:
            page = self._past.rows(generation, 0, 1, resume)
            found += page.rows
            if (resume := page.resume) is None:
                return found

    def shown(self) -> dict[tuple[str, str], Any]:
        """To who reads the database."""
        found = self._store.server.ask(f'SELECT pk, sk, "row" FROM {self._store.table}')
        return {(pk, sk): row for pk, sk, row in found}

    def look(self) -> None:
        """After each write: rows that are not what they were."""
        for generation, before in self._seen.items():
            now = {row.key: row for row in self.stored(generation)}
            for key in now:
                if now[key] != before.get(key):
                    self.see_row(before.get(key), now[key])
            self._seen[generation] = now

    def close(self) -> None:
        super().close()
        for api in (self._store.api, self.network._services["rds-data"]):
            api.close()


class Watched(DataApi):
    """Whose rows are looked at after each write."""

    def __init__(self, server: Server, world: SqlCqrsWorld) -> None:
        super().__init__(server)
        self._world = world

    def execute_statement(self, **asked: Any) -> Any:
        answer = super().execute_statement(**asked)
        if "INSERT INTO" in asked["sql"] or "UPDATE" in asked["sql"]:
            self._world.look()
        return answer
