"""A view in PostgreSQL as deployed: the shipped functions of the embedded cloud, roles enforced, a real server."""

import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from serverless_patterns.testing import Cloud, EmbeddedCloud, wait_until
from tests.live.cqrs_account import records, settled
from tests.live.cqrs_history import history
from tests.live.cqrs_sql_stack import TABLE, CqrsSqlStack, LiveSqlOrders, SqlAccount, code_with_the_driver
from tests.live.cqrs_stack import WAIT_SECONDS
from tests.runtime.cqrs_sql.postgres_server import Server
from tests.simulation.cqrs_invariants import nothing_is_left_in_the_bucket, views_are_the_fold_of_the_log
from tests.simulation.cqrs_shop import ROWS

INVARIANTS = (views_are_the_fold_of_the_log, nothing_is_left_in_the_bucket)
KEYS = [f"history-{number}" for number in range(6)]


@pytest.fixture(scope="module")
def live(
    embedded_cloud: Cloud, postgres_server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Generator[LiveSqlOrders]:
    if not isinstance(embedded_cloud, EmbeddedCloud):
        pytest.skip("the database is on this machine's loopback, which functions elsewhere do not reach")
    app = embedded_cloud.app(tmp_path_factory.mktemp("cqrs-sql") / "cdk.out")
    stack = CqrsSqlStack(app, "CqrsSql", code_with_the_driver(tmp_path_factory.mktemp("code")), postgres_server)
    with embedded_cloud.deploy(app) as deployment:
        live = LiveSqlOrders(embedded_cloud, deployment, stack, postgres_server)
        live.fill_for_the_first_time()
        yield live


def is_settled(live: LiveSqlOrders) -> None:
    settled(live, INVARIANTS, SqlAccount)


def test_the_view_is_the_fold_of_the_log_whatever_comes_twice(live: LiveSqlOrders) -> None:
    """And whoever ends the projector's sessions meanwhile."""
    told = history(1, KEYS, 30)
    live.commands(told[:15])
    is_settled(live)
    live.server.ask(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL"
    )
    live.commands(told[15:])
    live.invoke(live.projector, {"Records": records(live, {*KEYS})[::-1]})
    is_settled(live)
    assert live.shown()


def test_a_rebuild_meets_commands_and_readers_who_see_every_row_all_the_time(live: LiveSqlOrders) -> None:
    steady = [("place", f"steady-{n}", {"customer": "ron", "lines": {"a": n, "b": n}}, "") for n in range(3)]
    live.commands(steady)
    is_settled(live)
    wanted = {("ron", f"steady-{n}/{line}") for n in range(3) for line in "ab"}
    before, over, seen = live.standing(ROWS)["live"], threading.Event(), list[set[tuple[str, str]]]()

    def read() -> None:
        while not over.is_set():
            seen.append({*live.shown()})

    def write() -> int:
        for number in count():
            live.command("place", "moving", {"customer": "ron", "lines": {"x": number}}, id=f"m-{number}")
            live.command("withdraw", "moving", id=f"o-{number}")
            if over.is_set():
                return number
        raise AssertionError

    with ThreadPoolExecutor(2) as threads:
        reading, writing = threads.submit(read), threads.submit(write)
        try:
            live.ask(request="rebuild", view=ROWS, by="rita")
            wait_until(lambda: live.standing(ROWS)["live"] > before, WAIT_SECONDS, "the rebuild to end")
        finally:
            over.set()
        reading.result()
        assert writing.result() > 0
    assert len(seen) > 1
    assert all(rows >= wanted for rows in seen)
    is_settled(live)
    (told,) = live.server.ask(f"SELECT obj_description('{TABLE}'::regclass, 'pg_class')")
    assert told[0].endswith(f" {before + 1}"), "the SQL view shows another generation"
