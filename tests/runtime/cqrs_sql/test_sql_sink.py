"""What is SQL's own: what is in the database, what its errors mean, and what a crash leaves."""

import json
import random
import threading
from typing import Any

import pytest

from serverless_patterns_runtime.cqrs_sql.contract import MAX_DATA_API_ROW, TABLE_COLUMNS
from serverless_patterns_runtime.cqrs_sql.statement import Statement
from serverless_patterns_runtime.cqrs_views.contract import TOMBSTONE_SECONDS
from serverless_patterns_runtime.cqrs_views.sink import NotOurs, RowKey, SinkUnavailable, Unstorable

from .postgres_server import Server
from .sinks import KEY, ROW, SqlStore, change, found_in


def incompressible(length: int) -> str:
    """Three bytes each."""
    chance = random.Random(1)
    return "".join(chr(0x4E00 + chance.randrange(20_000)) for _ in range(length))


def tables(store: SqlStore) -> set[str]:
    found = store.server.ask(
        f"SELECT relname FROM pg_class WHERE relname LIKE '{store.table}%' AND relkind IN ('r','v')"
    )
    return {name.removeprefix(store.table) for (name,) in found}


def test_a_generations_table_is_as_the_contract_says(sql_store: SqlStore) -> None:
    sql_store.sink().prepare(1)
    table = f"'{sql_store.table}_g1'::regclass"
    found = sql_store.server.ask(
        f"SELECT attname FROM pg_attribute WHERE attrelid = {table} AND attnum > 0 ORDER BY attnum"
    )
    assert tuple(name for (name,) in found) == TABLE_COLUMNS


def test_other_programs_read_the_live_rows_in_the_sql_view(sql_store: SqlStore) -> None:
    sink = sql_store.sink()
    sink.write(1, [change(3), change(4, None, key=RowKey("ada", "o-2")), change(5, key=RowKey("bob", "o-3"))])
    sink.publish(1)
    found = sql_store.server.ask(
        f"SELECT pk, sk, version, source, row->>'total' FROM {sql_store.table} WHERE pk = 'ada' ORDER BY sk"
    )
    assert found == (["ada", "o-1", 3, "o-1", "12"],)


def test_keys_are_ordered_by_their_bytes(sql_store: SqlStore) -> None:
    sink = sql_store.sink()
    sorts = ["b", "Z", "a", "ä", "_", "1"]
    sink.write(1, [change(1, key=RowKey("ada", sort)) for sort in sorts])
    sink.publish(1)
    found = sql_store.server.ask(f"SELECT sk FROM {sql_store.table} ORDER BY sk")
    assert [sort for (sort,) in found] == sorted(sorts, key=str.encode)


def test_a_batch_is_one_request(postgres: Server) -> None:
    store = SqlStore(postgres, "data-api")
    sink = store.sink()
    sink.prepare(1)
    store.client.calls.clear()
    sink.write(1, [change(1, key=RowKey("ada", str(n))) for n in range(300)])
    assert store.client.operations == ["ExecuteStatement"]


def test_a_live_generations_table_is_not_dropped(sql_store: SqlStore) -> None:
    sink = sql_store.sink()
    sink.write(1, [change(1)])
    sink.publish(1)
    with pytest.raises(SinkUnavailable, match="2BP01"):
        sink.drop(1, 0, 1, None)
    assert found_in(sink).version == 1
    assert sql_store.server.ask(f"SELECT count(*) FROM {sql_store.table}") == ([1],)


def test_a_segment_but_the_first_drops_nothing(sql_store: SqlStore) -> None:
    sink = sql_store.sink()
    assert sink.drop(1, 1, 2, None) is None
    assert tables(sql_store) == {"_g1"}
    assert sink.drop(1, 0, 2, None) is None
    assert tables(sql_store) == set()
    assert sink.drop(1, 0, 2, None) is None


def test_a_publication_that_comes_late_hides_no_later_one(sql_store: SqlStore) -> None:
    sink = sql_store.sink()
    sink.prepare(2)
    sink.write(2, [change(1)])
    sink.publish(2)
    sink.publish(1)
    assert sql_store.server.ask(f"SELECT count(*) FROM {sql_store.table}") == ([1],)


@pytest.mark.parametrize("made", ["TABLE {} (x int)", "TABLE {}_g1 (x int)", "VIEW {} AS SELECT 1 AS x"])
def test_what_somebody_else_has_made_is_left_alone(sql_store: SqlStore, made: str) -> None:
    sink = sql_store.sink()
    sink.drop(1, 0, 1, None)
    sql_store.server.ask("CREATE " + made.format(sql_store.table))
    with pytest.raises(NotOurs):  # noqa: PT012
        sink.prepare(1)
        sink.publish(1)
    if "_g1" in made:
        with pytest.raises(NotOurs):
            sink.drop(1, 0, 1, None)


def test_the_rows_of_an_app_that_is_deployed_again_are_not_taken_for_its_own(sql_store: SqlStore) -> None:
    sql_store.sink().publish(1)
    other = sql_store.sink("another control table")
    for asked in (other.prepare, other.publish, lambda number: other.drop(number, 0, 1, None)):
        with pytest.raises(NotOurs, match="belongs to something else"):
            asked(1)


@pytest.mark.parametrize(
    ("row", "key"),
    [
        ({"x": "a\0b"}, KEY),
        ({"x\0": 1}, KEY),
        ({"x": b"bytes"}, KEY),
        ({"x": {"a", "b"}}, KEY),
        (ROW, RowKey("a\0", "o-1")),
        (ROW, RowKey(incompressible(660), incompressible(330))),
    ],
    ids=["NUL", "NUL in a name", "bytes", "a set", "NUL in a key", "keys too long"],
)
def test_what_postgres_cannot_keep_is_said_and_the_others_are_written(
    sql_store: SqlStore, row: dict[str, Any], key: RowKey
) -> None:
    sink = sql_store.sink()
    others = [change(1, key=RowKey("ada", f"o-{n}")) for n in (2, 3)]
    with pytest.raises(Unstorable) as raised:
        sink.write(1, [others[0], change(1, row, key=key), others[1]])
    assert "a\0" not in str(raised.value)
    assert "bytes" not in str(raised.value).replace("holds no bytes", "").replace("2,700 bytes", "")
    assert all(found_in(sink, *[other.key for other in others]))
    assert found_in(sink, key) is None


def test_a_row_that_the_data_api_could_not_read_is_not_written(postgres: Server) -> None:
    sink = SqlStore(postgres, "data-api").sink()
    sink.prepare(1)
    with pytest.raises(Unstorable, match="61,440 bytes"):
        sink.write(1, [change(1, {"x": "x" * MAX_DATA_API_ROW})])
    assert not sink.write(1, [change(1, {"x": "x" * (MAX_DATA_API_ROW - 200)})])
    assert found_in(sink).version == 1


def test_tombstones_go_when_their_time_has_ended(sql_store: SqlStore) -> None:
    sink = sql_store.sink()
    sink.write(1, [change(1, None, key=RowKey("ada", str(n))) for n in range(5)])
    sink.write(1, [change(1, key=RowKey("ada", "row"))])
    sql_store.now += TOMBSTONE_SECONDS - 1
    sink.write(1, [change(1, None, key=RowKey("bob", "1"))])
    assert len(sink.rows(1, 0, 1, None).rows) == 7
    sql_store.now += 2
    for n in range(3):
        sink.write(1, [change(2, None, key=RowKey("bob", f"2{n}"))])
    left = {row.key for row in sink.rows(1, 0, 1, None).rows}
    assert left == {RowKey("ada", "row"), *(RowKey("bob", sort) for sort in ("1", "20", "21", "22"))}


def test_a_row_without_a_table_may_be_written_again(sql_store: SqlStore) -> None:
    sink = sql_store.sink()
    sink.drop(1, 0, 1, None)
    with pytest.raises(SinkUnavailable, match="42P01: the generation has no table"):
        sink.write(1, [change(1)])
    sink.prepare(1)
    assert not sink.write(1, [change(1)])


def test_a_users_constraint_makes_a_row_unstorable(sql_store: SqlStore) -> None:
    sql_store.server.ask(f"ALTER TABLE {sql_store.table}_g1 ADD CHECK (\"row\"->>'secret' IS NULL)")
    with pytest.raises(Unstorable, match="23514") as raised:
        sql_store.sink().write(1, [change(1, {"secret": "hunter2"})])
    assert "hunter2" not in str(raised.value)


def test_the_data_apis_answer_may_be_lost(postgres: Server) -> None:
    store = SqlStore(postgres, "data-api")
    sink = store.sink()
    sink.prepare(1)
    store.api.lost.add("ExecuteStatement")
    with pytest.raises(SinkUnavailable, match="ServiceUnavailableError"):
        sink.write(1, [change(1)])
    assert not sink.write(1, [change(1)])
    assert found_in(sink).version == 1


@pytest.mark.parametrize("at", range(1, 8))
def test_a_definition_that_is_cut_off_leaves_nothing_half(postgres: Server, at: int) -> None:
    """After each statement of the transaction the server ends the session, once."""
    store = SqlStore(postgres)
    sink = store.sink()
    sink.prepare(1)
    cut: list[int] = []
    connection = sink.connection
    inner = connection.transact

    def transact(work: Any) -> Any:
        def cut_off(run: Any) -> Any:
            count = iter(range(1, 100))

            def counted(statement: Statement) -> Any:
                rows = run(statement)
                if next(count) == at and not cut:
                    ((own,),) = run(Statement("SELECT pg_backend_pid()", {}))
                    cut.append(own)
                    postgres.ask(f"SELECT pg_terminate_backend({own}, 5000)")
                    assert not tables(store) & {"", "_g2"}
                return rows

            return work(counted)

        return inner(cut_off)

    connection.transact = transact
    sink.prepare(2)
    if not cut:
        sink.publish(2)
    assert cut or at == 7
    sink.publish(2)
    assert tables(store) == {"", "_g1", "_g2"}
    assert not sink.write(2, [change(1)])
    assert postgres.ask(f"SELECT count(*) FROM {store.table}") == ([1],)


def test_a_connection_that_was_closed_meanwhile_is_made_anew(postgres: Server) -> None:
    sink = SqlStore(postgres).sink()
    sink.prepare(1)
    ((own,),) = sink.connection.run(Statement("SELECT pg_backend_pid()", {}))
    assert postgres.ask(f"SELECT pg_terminate_backend({own}, 5000)") == ([True],)
    assert not sink.write(1, [change(1)])
    assert found_in(sink).version == 1


def test_a_batch_that_is_cut_off_is_there_whole_or_not_at_all(postgres: Server) -> None:
    store = SqlStore(postgres)
    sink, other = store.sink(), store.sink()
    sink.prepare(1)
    locking = postgres.connect()
    locking.cursor().execute(f"LOCK TABLE {store.table}_g1 IN SHARE MODE")
    ((own,),) = sink.connection.run(Statement("SELECT pg_backend_pid()", {}))
    failed: list[Exception] = []

    def write() -> None:
        try:
            sink.write(1, [change(1, key=RowKey("ada", str(n))) for n in range(100)])
        except SinkUnavailable as error:
            failed.append(error)

    thread = threading.Thread(target=write)
    thread.start()
    waits = f"SELECT count(*) FROM pg_locks WHERE pid = {own} AND NOT granted"
    while postgres.ask(waits) == ([0],):
        assert thread.is_alive()
    postgres.ask(f"SELECT pg_terminate_backend({own}, 5000)")
    locking.close()
    thread.join(30)
    assert not failed  # it was written by another connection
    assert len(other.rows(1, 0, 1, None).rows) == 100


def test_nothing_of_a_session_is_left_that_would_pin_it(postgres: Server) -> None:
    """RDS Proxy gives the next transaction another session, unless one was changed."""
    sink = SqlStore(postgres).sink()
    sink.prepare(1)
    sink.write(1, [change(1), change(1, None, key=RowKey("ada", "o-2"))])
    with pytest.raises(Unstorable):
        sink.write(1, [change(2, {"x": "\0"})])
    sink.rows(1, 0, 1, None)
    sink.publish(1)
    ask = [
        "SELECT count(*) FROM pg_prepared_statements",
        "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'",
        "SELECT count(*) FROM pg_settings WHERE source = 'session'",
        "SELECT count(*) FROM pg_cursors WHERE is_holdable",
    ]
    assert [sink.connection.run(Statement(text, {}))[0][0] for text in ask] == [0, 0, 0, 0]
    ((own,),) = sink.connection.run(Statement("SELECT pg_backend_pid()", {}))
    assert postgres.ask(f"SELECT state FROM pg_stat_activity WHERE pid = {own}") == (["idle"],)


def test_a_rotated_password_is_read_again(postgres: Server) -> None:
    store = SqlStore(postgres)
    store.secrets.password = "as it was before"
    sink = store.sink()
    original = store.secrets.get_secret_value

    def rotated(SecretId: str) -> Any:
        answer = original(SecretId)
        store.secrets.password = json.loads(SqlStore(postgres).secrets.get_secret_value(SecretId)["SecretString"])[
            "password"
        ]
        return answer

    store.secrets.get_secret_value = rotated
    sink.prepare(1)
    assert store.secrets.asked == 2


def test_a_server_that_is_not_there_is_unavailable(postgres: Server) -> None:
    nowhere = SqlStore(Server(postgres.host, 1))
    with pytest.raises(SinkUnavailable):
        nowhere.sink().write(1, [change(1)])
    store = SqlStore(postgres)
    store.secrets.password = "wrong"
    with pytest.raises(SinkUnavailable, match="28P01"):
        store.sink().write(1, [change(1)])


def test_a_database_whose_transactions_are_serializable_is_asked_again(postgres: Server) -> None:
    store = SqlStore(postgres)
    sink = store.sink()
    sink.prepare(1)
    sink.write(1, [change(1)])
    other = postgres.connect()
    with pytest.raises(SinkUnavailable, match="40001"):  # noqa: PT012

        def work(run: Any) -> None:
            run(Statement("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", {}))
            run(Statement(f"SELECT count(*) FROM {store.table}_g1", {}))
            other.cursor().execute(f"UPDATE {store.table}_g1 SET version = 2")
            other.commit()
            run(
                sink.statements.write(
                    1, '[{"n": 0, "pk": "ada", "sk": "o-1", "source": "o-1", "version": 3, "mark": ""}]'
                )
            )

        sink.connection.transact(work)
    other.close()
    assert found_in(sink).version == 2
