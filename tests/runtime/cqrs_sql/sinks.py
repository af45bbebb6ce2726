"""One view in each of the stores: what a sink promises is the same for all."""

import itertools
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from serverless_patterns_runtime.cqrs_sql.building import sql_sink
from serverless_patterns_runtime.cqrs_sql.contract import DataApiTold, SqlTold
from serverless_patterns_runtime.cqrs_sql.dbapi_connection import DbApiConnection
from serverless_patterns_runtime.cqrs_sql.sql_sink import SqlSink
from serverless_patterns_runtime.cqrs_views.dynamodb_sink import DynamoDbSink
from serverless_patterns_runtime.cqrs_views.sink import RowChange, RowKey, Sink, StoredRow
from serverless_patterns_runtime.cqrs_views.together import Together

from ...simulation.dynamodb_model import DynamoDB, Table
from ..cqrs_views.modelled import Modelled
from .data_api import CLUSTER, SECRET, DataApi
from .postgres_server import DATABASE, PASSWORD, USER, Server

__all__ = ["KEY", "OPENED", "ROW", "DynamoDbStore", "SqlStore", "Store", "change", "found_in", "interfered"]

KEY = RowKey("ada", "o-1")
ROW = {"customer": "ada", "order": "o-1", "total": 12}
_numbers = itertools.count(1)
OPENED: list[DbApiConnection] = []
"""Closed after each test: the server takes few, and the garbage collector comes when it likes."""


class Store(Protocol):
    oddest_name: str
    """That a member of a row may have."""

    def sink(self) -> Sink:
        """Another one of the same view, as another environment has it."""
        ...


class DynamoDbStore:
    oddest_name = ""

    def __init__(self, sort: str | None = "S") -> None:
        self.now = 1_700_000_000.0
        self.sort = sort
        table = Table({"pk": "S", "sk": sort or "S"}, time_to_live="expires_at")
        self.client = Modelled("dynamodb", DynamoDB({"view": table}, lambda: self.now))

    def sink(self) -> Sink:
        return DynamoDbSink(
            self.client, "view", self.sort is not None, Together(), lambda: self.now, lambda _: None
        )  # fmt: skip


class SqlStore:
    oddest_name = ""

    def __init__(self, server: Server, kind: str = "sql", sort: str | None = "S", table: str = "") -> None:
        self.server, self.kind, self.sort = server, kind, sort
        self.table = table or f"view{next(_numbers)}"
        self.now = 1_700_000_000.0
        self.api = DataApi(server)
        self.client = Modelled("rds-data", self.api)
        self.secrets = Secrets()

    def told(self) -> SqlTold | DataApiTold:
        if self.kind == "data-api":
            return {
                "kind": "data-api", "table": self.table, "schema": "public", "cluster": CLUSTER, "secret": SECRET,
                "database": DATABASE,
            }  # fmt: skip
        return {
            "kind": "sql", "table": self.table, "schema": "public", "driver": "pg8000.dbapi", "host": self.server.host,
            "port": self.server.port, "database": DATABASE, "secret": SECRET, "tls": "off",
        }  # fmt: skip

    def sink(self, owner: str = "us") -> SqlSink:
        made = sql_sink(self.told(), self.sort, owner, lambda name: self.client if name == "rds-data" else self.secrets)
        if isinstance(made.connection, DbApiConnection):
            OPENED.append(made.connection)
        return made._replace(clock=lambda: self.now)


class Secrets:
    """Secrets Manager, with the server's user."""

    def __init__(self) -> None:
        self.password = PASSWORD
        self.asked = 0

    def get_secret_value(self, SecretId: str) -> Any:
        assert SecretId == SECRET
        self.asked += 1
        return {"SecretString": json.dumps({"username": USER, "password": self.password, "host": "elsewhere"})}


def change(version: int, row: dict[str, Any] | None = ROW, source: str = "o-1", key: RowKey = KEY) -> RowChange:
    return RowChange(key, version, source, row)


def found_in(sink: Sink, *keys: RowKey, generation: int = 1) -> Any:
    found: Sequence[StoredRow | None] = sink.read(generation, keys or [KEY])
    return found if len(found) != 1 else found[0]


class Interfered:
    def __init__(self, asks: Any, asked: Iterator[int], before: int, act: Callable[[], None]) -> None:
        self._asks, self._asked, self._before, self._act = asks, asked, before, act

    def __getattr__(self, name: str) -> Any:
        if name in ("ask", "run", "put_item") and next(self._asked) == self._before:
            self._act()
        return getattr(self._asks, name)


def interfered(sink: Any, before: int, act: Callable[[], None]) -> Any:
    """The same sink; before its request of this number something happens, once."""
    asked = itertools.count()
    asks = [name for name in ("connection", "dynamodb") if hasattr(sink, name)]
    return sink._replace(**{name: Interfered(getattr(sink, name), asked, before, act) for name in asks})
