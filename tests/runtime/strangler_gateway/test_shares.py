"""What a router knows of the percentages: how old it may be, what holds without the table, whose generation counts."""

import pytest
from botocore.exceptions import ConnectionClosedError

from serverless_patterns_runtime.strangler_gateway.metric_contract import METRIC_STORE_UNAVAILABLE

from .gateway import CACHE, OTHER, ROUTE, TABLE, Gateway, migration, route_settings

DOWN = ConnectionClosedError(endpoint_url="https://dynamodb.invalid")


@pytest.fixture
def gateway() -> Gateway:
    return Gateway(migration({ROUTE: route_settings(initial_percent=10.0), OTHER: route_settings()}))


def test_before_anybody_has_said_anything_the_code_s_first_value_holds(gateway: Gateway) -> None:
    router = gateway.router()
    assert (router.percent(), router.percent(OTHER)) == (10, 0)


def test_all_routes_are_one_query_a_cache_age(gateway: Gateway) -> None:
    router = gateway.router()
    for _ in range(10):
        assert (router.percent(), router.percent(OTHER), router.shares.killed(ROUTE)) == (10, 0, False)
    gateway.passes(CACHE - 0.001)
    router.percent()
    assert gateway.operations() == {"Query": 1}
    gateway.passes(0.001)
    router.percent(OTHER)
    router.percent()
    assert gateway.operations() == {"Query": 1}


def test_more_than_a_page_of_routes_is_read_to_its_end() -> None:
    routes = {f"GET /{number}": route_settings() for number in range(7)}
    gateway = Gateway(migration(routes))
    gateway.dynamodb.service.page = 3
    for number, route in enumerate(routes):
        gateway.does("set", route=route, percent=number + 1)
    router = gateway.router()
    assert [router.percent(route) for route in routes] == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("action", ["set", "kill"])
def test_what_is_said_holds_everywhere_within_a_cache_age(gateway: Gateway, action: str) -> None:
    routers = [gateway.router() for _ in range(3)]
    assert {router.percent() for router in routers} == {10}
    gateway.does(action, percent=40)
    gateway.passes(CACHE)
    assert {router.percent() for router in routers} == {40 if action == "set" else 0}


def test_a_kill_holds_until_it_is_cleared_and_gives_back_what_was_before(gateway: Gateway) -> None:
    gateway.does("set", percent=40)
    gateway.does("kill")
    router = gateway.router()
    assert (router.percent(), router.shares.killed(ROUTE)) == (0, True)
    gateway.passes(10**7)
    assert router.percent() == 0
    gateway.does("clear")
    gateway.passes(CACHE)
    assert (router.percent(), router.shares.killed(ROUTE)) == (40, False)


# Without the table.


def test_the_last_value_holds_and_the_table_is_asked_once_a_cache_age(gateway: Gateway) -> None:
    gateway.does("set", percent=40)
    router = gateway.router()
    router.percent()
    gateway.fails(DOWN)
    gateway.operations()
    for _ in range(10):
        gateway.passes(CACHE / 2)
        assert [router.percent() for _ in range(3)] == [40, 40, 40]
    assert gateway.operations() == {"Query": 5}
    assert router.told == [(METRIC_STORE_UNAVAILABLE, None)] * 5
    gateway.works()
    gateway.does("set", percent=60)
    gateway.passes(CACHE)
    assert router.percent() == 60


def test_a_kill_that_was_seen_holds(gateway: Gateway) -> None:
    gateway.does("kill")
    router = gateway.router()
    router.percent()
    gateway.fails(DOWN)
    gateway.passes(10**6)
    assert router.percent() == 0


def test_who_never_saw_the_table_sends_everybody_to_legacy() -> None:
    gateway = Gateway(migration({ROUTE: route_settings(initial_percent=100.0)}))
    gateway.fails(DOWN)
    router = gateway.router()
    assert (router.percent(), router.shares.killed(ROUTE)) == (0, False)
    gateway.works()
    assert router.percent() == 0, "it is left alone for a while"
    gateway.passes(CACHE)
    assert router.percent() == 100


def test_an_item_that_is_none_of_ours_sends_its_route_to_legacy_and_leaves_the_others_alone(gateway: Gateway) -> None:
    gateway.dynamodb.put_item(
        TableName=TABLE, Item={"kind": {"S": "routes"}, "entry": {"S": ROUTE}, "percent": {"S": "all"}}
    )
    gateway.does("set", route=OTHER, percent=30)
    router = gateway.router()
    assert (router.percent(), router.percent(OTHER), router.told) == (0, 30, [])


# Deployments.


def test_a_deployment_undoes_no_set_and_no_kill(gateway: Gateway) -> None:
    gateway.does("set", percent=40)
    redeployed = migration({ROUTE: route_settings(initial_percent=5.0)})
    assert gateway.router(redeployed).percent() == 40
    gateway.does("kill")
    assert gateway.router(redeployed).percent() == 0


@pytest.mark.parametrize("killed", [False, True])
def test_a_raised_generation_begins_anew(gateway: Gateway, killed: bool) -> None:
    gateway.does("set", percent=40)
    if killed:
        gateway.does("kill")
    newer = migration({ROUTE: route_settings(initial_percent=5.0, generation=2)})
    router = gateway.router(newer)
    assert (router.percent(), router.shares.killed(ROUTE)) == (5, False)
    gateway.does("set", percent=20, code=newer)
    gateway.passes(CACHE)
    assert router.percent() == 20


def test_older_code_holds_to_what_was_set_for_newer(gateway: Gateway) -> None:
    newer = migration({ROUTE: route_settings(generation=2)})
    gateway.does("kill", code=newer)
    older = gateway.router()
    assert older.percent() == 0
    gateway.does("clear")
    gateway.does("set", percent=70)  # by the older code's control function
    gateway.passes(CACHE)
    assert {older.percent(), gateway.router(newer).percent()} == {70}


def test_what_cannot_be_counted_keeps_nobody_from_seeing_a_kill(gateway: Gateway) -> None:
    router = gateway.router()
    router.answers(10)
    gateway.does("kill")
    gateway.fails(DOWN, "UpdateItem")
    for _ in range(3):
        gateway.passes(CACHE)
        router.answers(10)
    assert (router.percent(), router.shares.killed(ROUTE)) == (0, True)
    assert (METRIC_STORE_UNAVAILABLE, None) in router.told
