"""A new side that fails too often is ended by its own routers: soon, once, and never for what was counted before."""

import random
from itertools import accumulate
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError
from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns_runtime.strangler_gateway.counting import Total
from serverless_patterns_runtime.strangler_gateway.metric_contract import METRIC_ROLLED_BACK, METRIC_STORE_UNAVAILABLE

from .gateway import CACHE, OTHER, ROLLBACK, ROUTE, Gateway, migration, route_settings

DOWN = ConnectionClosedError(endpoint_url="https://dynamodb.invalid")


@pytest.fixture
def gateway() -> Gateway:
    return Gateway(migration({ROUTE: route_settings(initial_percent=50.0), OTHER: route_settings()}))


def settled(gateway: Gateway, *routers: Any) -> list[float]:
    """What they know once all have reported, and once more have looked."""
    for _ in range(2):
        gateway.passes(CACHE)
        for router in routers:
            router.percent()
    return [router.percent() for router in routers]


def killed(gateway: Gateway, route: str = ROUTE) -> bool:
    answer = gateway.asked(action="list", route=route)
    return answer["routes"][0]["killed"]


def test_over_the_bound_it_is_killed_with_the_numbers_as_its_reason(gateway: Gateway) -> None:
    router = gateway.router()
    router.answers(100, errors=8)
    assert settled(gateway, router) == [0]
    (route,) = gateway.asked(action="list", route=ROUTE, history=True)["routes"]
    assert (route["killed"], route["percent"], route["by"]) == (True, 50, "rollback")
    assert route["reason"] == "8 of 100 requests failed or were refused within 60 s, more than 2 percent"
    assert [entry["action"] for entry in route["history"]] == ["rollback"]
    assert router.told == [(METRIC_ROLLED_BACK, ROUTE)]


@pytest.mark.parametrize(("requests", "errors"), [(49, 49), (50, 5), (100, 7), (1_000, 37), (3_000, 90)])
def test_within_the_bound_and_chance_or_below_the_sample_it_goes_on(
    gateway: Gateway, requests: int, errors: int
) -> None:
    router = gateway.router()
    router.answers(requests, errors=errors)
    assert settled(gateway, router) == [50]


@pytest.mark.parametrize(("requests", "errors"), [(50, 6), (1_000, 38), (3_000, 91 + 1)])
def test_beyond_the_bound_and_chance_it_goes_back(gateway: Gateway, requests: int, errors: int) -> None:
    router = gateway.router()
    router.answers(requests, errors=errors)
    assert settled(gateway, router) == [0]


@pytest.mark.parametrize(("rate", "least", "most"), [(0.005, 0, 1e-6), (0.01, 0, 5e-5), (0.05, 0.99, 1), (0.3, 1, 1)])
def test_how_often_chance_rolls_back_a_version_within_a_minute(rate: float, least: float, most: float) -> None:
    """Exactly: 3,000 requests within a window, looked at after each tenth."""
    chance, rolled_back = [1.0, *([0.0] * 150)], 0.0
    for requests in range(1, 3_001):
        chance = [old * (1 - rate) + (chance[k - 1] * rate if k else 0) for k, old in enumerate(chance)]
        if requests % 10 == 0:
            for errors in range(len(chance)):
                if Total(requests, errors).is_too_bad(ROLLBACK):
                    rolled_back += chance[errors]
                    chance[errors] = 0.0
    assert least - 1e-9 <= rolled_back <= most + 1e-9


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=8).map(
        lambda pairs: [(max(pair), min(pair)) for pair in pairs]
    )
)
def test_what_several_routers_count_adds_up(counted: list[tuple[int, int]]) -> None:
    gateway = Gateway(migration({ROUTE: route_settings(initial_percent=50.0), OTHER: route_settings()}))
    routers = [gateway.router() for _ in counted]
    for router, (requests, errors) in zip(routers, counted, strict=True):
        router.answers(requests, errors=errors)
    gateway.passes(CACHE)
    for router in routers:
        router.percent()
    # Each reports its first request at once, and the rest when the cache's age is over.
    firsts = [(min(requests, 1), min(errors, 1)) for requests, errors in counted]
    rests = [(all_[0] - first[0], all_[1] - first[1]) for all_, first in zip(counted, firsts, strict=True)]
    totals = list(accumulate(firsts + rests, lambda total, more: (total[0] + more[0], total[1] + more[1])))
    assert killed(gateway) is any(Total(*total).is_too_bad(ROLLBACK) for total in totals)
    if not killed(gateway) and totals[-1][0]:
        (count,) = gateway.entries("count#")
        assert (int(count["requests"]["N"]), int(count["errors"]["N"])) == totals[-1]


def test_a_router_reports_once_a_cache_age_at_most_and_adds_nothing_while_it_is_fresh(gateway: Gateway) -> None:
    router = gateway.router()
    for _ in range(20):
        router.answers(10)
        gateway.passes(1)
    # Each with 50 requests, but for the first, which has one.
    assert gateway.operations() == {"Query": 4, "UpdateItem": 4}


def test_routers_that_are_seldom_used_tell_of_successes_as_soon_as_of_failures(gateway: Gateway) -> None:
    for number in range(3_000):
        gateway.router().answers(1, errors=int(number % 50 == 49))
    assert not killed(gateway)


def test_the_failures_are_bounded_by_two_cache_ages_of_traffic() -> None:
    """30 percent of errors, a request of each of five routers every 100 ms."""
    gateway = Gateway(migration({ROUTE: route_settings(initial_percent=100.0)}))
    chance = random.Random(3)
    routers = [gateway.router() for _ in range(5)]
    sent = 0
    for _ in range(600):
        for router in routers:
            if router.percent():
                sent += 1
                router.shares.note(ROUTE, chance.random() < 0.3)
        gateway.passes(0.1)
    assert killed(gateway)
    assert sent <= 2 * CACHE * 10 * len(routers) + len(routers)


def test_routers_that_find_it_at_once_kill_it_once(gateway: Gateway) -> None:
    first, second = gateway.router(), gateway.router()
    first.answers(100, errors=50)
    second.answers(100, errors=50)
    gateway.passes(CACHE)

    def overtaken(carry_out: Any) -> Any:
        gateway.works()
        second.percent()
        return carry_out()

    gateway.dynamodb.meets["TransactWriteItems"] = overtaken
    assert (first.percent(), second.percent()) == (0, 0)
    (route,) = gateway.asked(action="list", route=ROUTE, history=True)["routes"]
    assert len(route["history"]) == 1
    assert len(gateway.entries("history#")) == 1


def test_cleared_it_is_not_killed_for_what_was_counted_before(gateway: Gateway) -> None:
    router, late = gateway.router(), gateway.router()
    late.answers(100, errors=100)
    router.answers(100, errors=100)
    gateway.passes(CACHE)
    assert router.percent() == 0
    gateway.does("clear")
    gateway.passes(1)
    assert late.percent() == 50
    assert settled(gateway, router, late) == [50, 50]
    late.answers(49, errors=49)
    assert settled(gateway, router, late) == [50, 50]


def test_errors_of_an_older_generation_are_not_the_newer_one_s(gateway: Gateway) -> None:
    newer_code = migration({ROUTE: route_settings(initial_percent=5.0, generation=2)})
    older, newer = gateway.router(), gateway.router(newer_code)
    newer.answers(60)
    older.answers(100, errors=100)
    gateway.passes(CACHE)
    assert (older.percent(), newer.percent()) == (0, 5)
    assert settled(gateway, older, newer) == [0, 5]


def test_a_person_is_not_overruled_for_what_he_could_not_see(gateway: Gateway) -> None:
    router = gateway.router()
    router.answers(100, errors=100)
    gateway.does("set", percent=1)
    assert settled(gateway, router) == [1]


def test_one_route_s_errors_are_not_another_s(gateway: Gateway) -> None:
    router = gateway.router()
    router.answers(100, errors=100)
    gateway.passes(CACHE)
    router.answers(100, route=OTHER)
    settled(gateway, router)
    assert (killed(gateway), killed(gateway, OTHER)) == (True, False)


def test_a_route_without_rollback_counts_nothing() -> None:
    settings = route_settings(initial_percent=50.0)
    del settings["rollback"]  # type: ignore[typeddict-item]
    gateway = Gateway(migration({ROUTE: settings}))
    router = gateway.router()
    router.answers(1_000, errors=1_000)
    assert settled(gateway, router) == [50]
    assert gateway.entries("count#") == []


@pytest.mark.parametrize("operation", ["UpdateItem", "TransactWriteItems"])
def test_a_table_that_takes_no_report_costs_one_request_a_while_and_the_next_report_ends_it(
    gateway: Gateway, operation: str
) -> None:
    router = gateway.router()
    router.answers(100, errors=100)
    gateway.passes(CACHE)
    gateway.fails(DOWN, operation)
    gateway.operations()
    assert [router.percent() for _ in range(5)] == [50] * 5
    assert gateway.operations()["Query"] == 1
    assert router.told == [(METRIC_STORE_UNAVAILABLE, None)]
    gateway.works()
    router.answers(100, errors=100)
    assert settled(gateway, router) == [0]


def test_a_kill_whose_answer_was_lost_is_told_all_the_same(gateway: Gateway) -> None:
    router, other = gateway.router(), gateway.router()
    other.percent()

    def lost(carry_out: Any) -> Any:
        carry_out()
        raise DOWN

    router.answers(100, errors=100)
    gateway.passes(CACHE)
    gateway.dynamodb.meets["TransactWriteItems"] = lost
    router.percent()
    gateway.works()
    assert settled(gateway, router, other) == [0, 0]
    assert (METRIC_ROLLED_BACK, ROUTE) in router.told
    assert (METRIC_ROLLED_BACK, ROUTE) in other.told


def test_a_person_s_kill_is_no_rollback(gateway: Gateway) -> None:
    router = gateway.router()
    router.percent()
    gateway.does("kill")
    assert settled(gateway, router) == [0]
    assert router.told == []


def test_the_window_s_count_expires(gateway: Gateway) -> None:
    router = gateway.router()
    router.answers(10)
    settled(gateway, router)
    (count,) = gateway.entries("count#")
    assert int(count["expires_at"]["N"]) > gateway.clock()
    assert count["entry"]["S"].split("#")[1:] == ["1", "0"]
    assert ROLLBACK["window_seconds"] == 60
