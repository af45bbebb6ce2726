import hashlib
import sqlite3
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serverless_patterns_runtime import Invocation
from serverless_patterns_runtime.errors import IdempotencyKeyReused
from serverless_patterns_runtime.sql_claims import CLAIMS_DDL

ONE, OTHER = "1" * 64, "2" * 64


def invocation(key: str = "A-1", digest: str = ONE) -> Invocation:
    return Invocation.fake(idempotency_key=key, payload_digest=digest)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute(CLAIMS_DDL)
        connection.execute("CREATE TABLE orders (id TEXT PRIMARY KEY)")
    connection.close()
    return path


@pytest.fixture
def connection(database: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(database)
    yield connection
    connection.close()


def test_the_first_time_is_the_first_time_and_the_second_is_not(connection: sqlite3.Connection):
    assert invocation().once(connection) is True
    connection.execute("INSERT INTO orders VALUES ('A-1')")
    connection.commit()
    assert invocation().once(connection) is False


def test_a_transaction_that_is_rolled_back_leaves_no_claim(connection: sqlite3.Connection):
    assert invocation().once(connection) is True
    connection.execute("INSERT INTO orders VALUES ('A-1')")
    connection.rollback()
    assert invocation().once(connection) is True
    assert connection.execute("SELECT count(*) FROM orders").fetchone() == (0,)


def test_a_transaction_that_is_never_committed_leaves_no_claim(database: Path):
    died = sqlite3.connect(database)
    assert invocation().once(died) is True
    died.close()
    again = sqlite3.connect(database)
    assert invocation().once(again) is True
    again.close()


def test_of_two_at_once_one_commits_and_the_other_finds_it_on_its_next_try(database: Path):
    first, second = sqlite3.connect(database), sqlite3.connect(database, timeout=0)
    assert invocation().once(first) is True
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        invocation().once(second)
    second.rollback()
    first.commit()
    assert invocation().once(second) is False
    first.close()
    second.close()


def test_another_payload_is_refused(connection: sqlite3.Connection):
    invocation().once(connection)
    with pytest.raises(IdempotencyKeyReused, match=r"^the idempotency key was used before, with another payload$"):
        invocation(digest=OTHER).once(connection)


def test_rows_may_be_dictionaries(connection: sqlite3.Connection):
    connection.row_factory = lambda cursor, row: {
        column[0]: value for column, value in zip(cursor.description, row, strict=True)
    }
    assert [invocation().once(connection) for _ in range(2)] == [True, False]


def test_keys_are_apart_by_namespace_letter_case_and_blanks(connection: sqlite3.Connection):
    keys = [
        "A-1",
        "a-1",
        "A-1 ",
        " A-1",
        "Á-1",
        "A-2",
        "k" * 1024,
        "k" * 1023 + "l",
        "'; DROP TABLE orders; --",
        "%s?:1",
    ]
    assert [invocation(key).once(connection) for key in keys] == [True] * len(keys)
    assert [invocation(key).once(connection) for key in keys] == [False] * len(keys)


def test_a_database_that_ignores_letter_case_still_tells_keys_apart(tmp_path: Path):
    """MySQL's and SQL Server's default collations hold A-1 and a-1 to be equal."""
    connection = sqlite3.connect(tmp_path / "case.db")
    connection.execute(CLAIMS_DDL.replace("PRIMARY KEY", "COLLATE NOCASE PRIMARY KEY"))
    assert invocation("A-1").once(connection) is True
    assert invocation("a-1", OTHER).once(connection) is True
    connection.close()


def test_the_claims_table_fits_every_database_s_limit_on_keys():
    """MySQL: 3,072 bytes, four to a character; SQL Server: 900."""
    assert CLAIMS_DDL == ("CREATE TABLE idempotency_claims (claim CHAR(64) PRIMARY KEY, payload CHAR(64) NOT NULL)")


class Cursor:
    def __init__(self, log: list[Any], rows: dict[str, str]) -> None:
        self._log, self._rows, self._found = log, rows, None
        self.closed = False

    def execute(self, statement: str, parameters: Any) -> None:
        self._log.append((statement, parameters))
        claim, *payload = list(parameters.values()) if isinstance(parameters, dict) else list(parameters)
        if payload:
            self._rows[claim] = payload[0]
        self._found = self._rows.get(claim)

    def fetchone(self) -> Any:
        return None if self._found is None else (self._found,)

    def close(self) -> None:
        self.closed = True


def driver(module: str, paramstyle_in: str, paramstyle: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A connection whose class lives in `module`, of a driver that says its paramstyle in `paramstyle_in`."""
    parts = module.split(".")
    for length in range(1, len(parts) + 1):
        monkeypatch.setitem(sys.modules, ".".join(parts[:length]), types.ModuleType(".".join(parts[:length])))
    sys.modules[paramstyle_in].paramstyle = paramstyle  # type: ignore[attr-defined]

    class Connection:
        def __init__(self) -> None:
            self.log: list[Any] = []
            self.rows: dict[str, str] = {}
            self.cursors: list[Cursor] = []

        def cursor(self) -> Cursor:
            self.cursors.append(Cursor(self.log, self.rows))
            return self.cursors[-1]

    Connection.__module__ = module
    return Connection()


DRIVERS = [
    ("sqlite_like", "sqlite_like", "qmark", "?", "?"),
    ("psycopg_like", "psycopg_like", "pyformat", "%s", "%s"),
    ("psycopg2_like.extensions", "psycopg2_like", "pyformat", "%s", "%s"),
    ("pymysql_like.connections", "pymysql_like", "pyformat", "%s", "%s"),
    ("mysql_like.connector.connection_cext", "mysql_like.connector", "pyformat", "%s", "%s"),
    ("snow_like.connector.connection", "snow_like.connector", "format", "%s", "%s"),
    ("oracle_like.connection", "oracle_like", "named", ":claim", ":payload"),
    ("numeric_like", "numeric_like", "numeric", ":1", ":2"),
]


@pytest.mark.parametrize(("module", "where", "paramstyle", "first", "second"), DRIVERS, ids=[row[0] for row in DRIVERS])
def test_each_driver_is_spoken_to_in_its_own_paramstyle(
    module: str, where: str, paramstyle: str, first: str, second: str, monkeypatch: pytest.MonkeyPatch
):
    connection = driver(module, where, paramstyle, monkeypatch)
    assert invocation().once(connection) is True
    assert invocation().once(connection) is False
    (select, selected), (insert, inserted), _ = connection.log
    assert select == f"SELECT payload FROM idempotency_claims WHERE claim = {first}"
    assert insert == f"INSERT INTO idempotency_claims (claim, payload) VALUES ({first}, {second})"
    claim = hashlib.sha256(b"test#A-1").hexdigest()
    if paramstyle == "named":
        assert (selected, inserted) == ({"claim": claim}, {"claim": claim, "payload": ONE})
    else:
        assert (selected, inserted) == ((claim,), (claim, ONE))
    assert all(cursor.closed for cursor in connection.cursors)


def test_a_subclass_of_a_driver_s_connection_is_one(database: Path):
    class Traced(sqlite3.Connection):
        pass

    connection = sqlite3.connect(database, factory=Traced)
    assert invocation().once(connection) is True
    connection.close()


def test_the_cursor_is_closed_when_the_database_fails(monkeypatch: pytest.MonkeyPatch):
    connection = driver("broken_like", "broken_like", "qmark", monkeypatch)

    def fail(*_: Any) -> None:
        raise OSError("gone")

    monkeypatch.setattr(Cursor, "execute", fail)
    with pytest.raises(OSError, match="gone"):
        invocation().once(connection)
    assert [cursor.closed for cursor in connection.cursors] == [True]


def test_what_is_no_driver_s_connection_is_refused_with_what_to_pass():
    class Pooled:
        def cursor(self) -> None:
            raise AssertionError

    with pytest.raises(TypeError) as raised:
        invocation().once(Pooled())
    name = f"{Pooled.__module__}.{Pooled.__qualname__}"
    assert str(raised.value) == (
        f"{name} is no connection of a DB-API driver with paramstyle qmark, format, pyformat, numeric, named:"
        " pass the driver's own connection to Invocation.once"
    )


def test_a_claim_survives_the_death_of_the_process_that_committed_it(database: Path):
    program = (
        "import sqlite3, sys, os; from serverless_patterns_runtime import Invocation;"
        f"c = sqlite3.connect({str(database)!r}); i = Invocation.fake(idempotency_key='A-1', payload_digest={ONE!r});"
        "assert i.once(c); c.commit(); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=30).returncode == 9
    connection = sqlite3.connect(database)
    assert invocation().once(connection) is False
    connection.close()


def connection_that(**attributes: Any) -> Any:
    return types.SimpleNamespace(cursor=lambda: pytest.fail("nothing may be written"), **attributes)


@pytest.mark.parametrize(
    "commits_by_itself",
    [
        connection_that(autocommit=True),
        connection_that(autocommit=True, info=types.SimpleNamespace(transaction_status=0)),
        connection_that(get_autocommit=lambda: True),
        connection_that(in_transaction=False, isolation_level=None),
    ],
    ids=["psycopg", "psycopg, idle", "MySQL", "sqlite3"],
)
def test_a_connection_that_commits_by_itself_is_refused_before_anything_is_written(commits_by_itself: Any):
    with pytest.raises(TypeError) as refused:
        invocation().once(commits_by_itself)
    assert str(refused.value) == (
        "Invocation.once needs an open transaction and this connection commits every statement by itself:"
        " switch its autocommit off, and commit the claim together with your data"
    )


def test_an_open_transaction_on_a_connection_that_else_commits_by_itself_is_taken(database: Path):
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("BEGIN")
    assert invocation().once(connection)
    connection.execute("ROLLBACK")
    connection.execute("BEGIN")
    assert invocation().once(connection), "what was rolled back was never claimed"
    connection.close()


def test_a_transaction_block_of_a_postgresql_driver_is_an_open_transaction(connection: sqlite3.Connection):
    class Connection(sqlite3.Connection):
        autocommit = True  # type: ignore[assignment]
        info = types.SimpleNamespace(transaction_status=2)

    inside = Connection(connection.execute("PRAGMA database_list").fetchone()[2])
    assert invocation().once(inside)  # type: ignore[arg-type]
    inside.close()
