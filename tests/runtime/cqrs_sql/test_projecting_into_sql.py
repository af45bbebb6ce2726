"""The shipped projector over PostgreSQL, as far as that is not `test_projecting_elsewhere.py`."""

import random

import pytest

from serverless_patterns_runtime.cqrs_sql.statement import Statement

from ..cqrs_views.shop import ORDERS
from .postgres_server import Server
from .shop_elsewhere import ShopElsewhere, a_shop, expected, history
from .sinks import SqlStore


@pytest.fixture(params=["sql", "data-api"])
def shop(request: pytest.FixtureRequest, postgres: Server) -> ShopElsewhere:
    return a_shop(SqlStore(postgres, request.param))


def test_one_that_cannot_be_kept_is_parked_and_the_others_are_written(shop: ShopElsewhere) -> None:
    shop.put("o-1", 1)
    shop.put("o-2", 1, customer="a\0b")
    shop.put("o-3", 1)
    assert not shop.project()
    assert {sort for _, sort in shop.rows()} == {"o-1/a", "o-3/a"}
    assert shop.reasons() == [(ORDERS, "refused")]


def test_a_table_that_is_gone_brings_the_changes_again(shop: ShopElsewhere) -> None:
    shop.sink.drop(1, 0, 1, None)
    shop.put("o-1", 1)
    assert shop.project()
    shop.sink.prepare(1)
    assert not shop.project()
    assert shop.rows() == expected(shop)


def test_a_projector_whose_session_is_ended_in_every_batch_leaves_no_row_out(postgres: Server) -> None:
    shop = a_shop(SqlStore(postgres))
    history(shop, random.Random(2))
    sink = shop.projection.projector.views[ORDERS].store
    for start in range(0, len(shop.records), 3):
        ((own,),) = sink.connection.run(Statement("SELECT pg_backend_pid()", {}))
        postgres.ask(f"SELECT pg_terminate_backend({own}, 5000)")
        assert not shop.project(shop.records[start : start + 3])
    assert shop.rows() == expected(shop)


def test_nothing_is_answered_as_done_while_the_server_is_away(postgres: Server) -> None:
    shop = a_shop(SqlStore(postgres))
    shop.put("o-1", 1)
    away = SqlStore(Server(postgres.host, 1), table=shop.store.table).sink()
    views = {**shop.projection.projector.views}
    views[ORDERS] = views[ORDERS]._replace(store=away)
    cut_off = shop.projection._replace(projector=shop.projection.projector._replace(views=views))
    assert shop.project(by=cut_off) == [shop.records[0]["dynamodb"]["SequenceNumber"]]
    assert not shop.project()
    assert shop.rows() == expected(shop)
