"""The shipped projector over PostgreSQL: its views are what their functions say, whatever order records come in."""

import random
from typing import Any

import pytest

from serverless_patterns_runtime.cqrs_sql.statement import Statement

from ..cqrs_views.shop import ORDERS, Shop, by_customer
from .postgres_server import Server
from .shop_elsewhere import ShopElsewhere
from .sinks import SqlStore, Store


def a_shop(store: Store) -> ShopElsewhere:
    sink = store.sink()
    for generation in (1, 2):
        sink.prepare(generation)
    return ShopElsewhere(store)


@pytest.fixture(params=["sql", "data-api"])
def shop(request: pytest.FixtureRequest, postgres: Server) -> ShopElsewhere:
    return a_shop(SqlStore(postgres, request.param))


def expected(shop: Shop) -> dict[tuple[str, Any], Any]:
    found: dict[tuple[str, Any], Any] = {}
    for item in shop.service.tables["orders"].items.values():
        if "deleted" not in item["_aggregate"]["M"]:
            state = {
                "order_id": item["order_id"]["S"],
                "customer": item["customer"]["S"],
                "status": item["status"]["S"],
                "lines": [line["S"] for line in item["lines"]["L"]],
            }
            found |= {(row["customer"], row["order"]): row for row in by_customer(state)}
    return found


def history(shop: Shop, chance: random.Random) -> None:
    for key in ("o-1", "o-2", "o-3"):
        for version in range(1, 7):
            if chance.random() < 0.25:
                shop.delete(key, version)
            else:
                lines = chance.sample("abcd", chance.randrange(5))
                shop.put(key, version, chance.choice(["ada", "bob"]), lines)


@pytest.mark.parametrize("seed", range(6))
def test_the_view_is_the_fold_of_the_log_in_any_order_and_however_often(shop: ShopElsewhere, seed: int) -> None:
    chance = random.Random(seed)
    history(shop, chance)
    records = [*shop.records, *chance.choices(shop.records, k=10)]
    chance.shuffle(records)
    environments = [shop.projection, shop.new_projection()]
    for start in range(0, len(records), 4):
        assert not shop.project(records[start : start + 4], by=chance.choice(environments))
    assert shop.rows() == expected(shop)
    assert not shop.parked()


def test_a_generation_that_is_built_gets_every_change_too(shop: ShopElsewhere) -> None:
    shop.point(ORDERS, live=1, building=2)
    history(shop, random.Random(1))
    assert not shop.project()
    assert shop.rows(1) == shop.rows(2) == expected(shop)


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
