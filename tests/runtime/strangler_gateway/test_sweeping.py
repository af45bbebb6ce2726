"""What was set for a route that the code lists no more is forgotten by itself; nothing else ever is."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from serverless_patterns_runtime.strangler_gateway.contract import Migration

from ...simulation.aws_errors import ServiceError, client_error
from .gateway import BREAKERS, CACHE, OTHER, ROUTE, TABLE, Gateway, migration, route_settings

DAY, WEEK = 86_400, 7 * 86_400
WITH = migration({ROUTE: route_settings(initial_percent=10.0), OTHER: route_settings()})
WITHOUT = migration({OTHER: route_settings()})
LISTED = {
    "migrating": WITH,
    "legacy": migration({OTHER: route_settings()}, legacy=[ROUTE]),
    "done": migration({OTHER: route_settings()}, done={ROUTE: {"function": "Profile"}}),
    "done, where no router can ask": migration({OTHER: route_settings()}, elsewhere=[ROUTE]),
}
Write = Callable[[], Any]


@pytest.fixture
def gateway() -> Gateway:
    """A route that somebody has killed, and a deployment without it."""
    gateway = Gateway(WITH)
    gateway.does("set", percent=30)
    gateway.does("kill", reason="prices are wrong")
    gateway.code = WITHOUT
    return gateway


def sweep(gateway: Gateway) -> dict[str, Any]:
    return gateway.asked(action="sweep")


def shown(gateway: Gateway) -> dict[str, Any] | None:
    found = [route for route in gateway.asked(action="list", history=True)["routes"] if route["route"] == ROUTE]
    return found[0] if found else None


def standing(gateway: Gateway) -> tuple[float, bool] | None:
    """Of its item, whoever lists it."""
    items = [item for item in gateway.entries("routes") if item["entry"]["S"] == ROUTE]
    return (float(items[0]["percent"]["N"]), items[0]["killed"]["BOOL"]) if items else None


def history(gateway: Gateway) -> list[str]:
    return [item["action"]["S"] for item in gateway.entries(f"history#{ROUTE}")]


# Removed.


def test_a_removed_route_is_forgotten_a_week_after_it_was_missed(gateway: Gateway) -> None:
    first = shown(gateway)
    assert first
    assert (first["stage"], first["goes_at"]) == ("removed", None)
    assert sweep(gateway) == {"changed": True, "missing": [ROUTE], "back": [], "forgotten": [], "breakers": []}
    goes_at = int(gateway.clock()) + WEEK
    for _ in range(6):
        gateway.passes(DAY)
        assert not sweep(gateway)["changed"]
        now = shown(gateway)
        assert now
        assert (now["goes_at"], now["killed"], now["percent"]) == (goes_at, True, 30)
    gateway.passes(DAY)
    assert sweep(gateway)["forgotten"] == [ROUTE]
    assert (shown(gateway), standing(gateway)) == (None, None)
    assert not sweep(gateway)["changed"]


def test_the_history_tells_of_it_and_goes_by_itself(gateway: Gateway) -> None:
    missed = gateway.clock()
    sweep(gateway)
    gateway.passes(WEEK)
    sweep(gateway)
    assert history(gateway) == ["set", "kill", "sweep"]
    last = gateway.entries(f"history#{ROUTE}")[-1]
    assert (last["by"]["S"], last["was_killed"]["BOOL"], int(last["at"]["N"])) == ("sweep", True, int(missed) + WEEK)
    assert last["reason"]["S"].startswith("not in the code since 20")
    gateway.passes(402 * DAY + 1)
    gateway.dynamodb.service.delete_expired(random.Random(1))
    assert gateway.dynamodb.items(TABLE) == {}, "nothing is left of it"


def test_what_became_of_a_route_that_is_forgotten_can_still_be_asked(gateway: Gateway) -> None:
    sweep(gateway)
    gateway.passes(WEEK)
    sweep(gateway)
    (told,) = gateway.asked(action="list", route=ROUTE, history=True)["routes"]
    assert [entry["action"] for entry in told["history"]] == ["sweep", "kill", "set"]
    assert (told["stage"], told["goes_at"], told["killed"], told["by"]) == ("removed", None, False, None)
    assert "there is no route" in gateway.asked(action="list", route=ROUTE)["refused"]
    assert "there is no route" in gateway.asked(action="list", route="GET /typo", history=True)["refused"]


def test_who_comes_back_after_that_begins_anew(gateway: Gateway) -> None:
    sweep(gateway)
    gateway.passes(WEEK)
    sweep(gateway)
    gateway.code = WITH
    assert gateway.router().percent() == 10


# Not removed.


@pytest.mark.parametrize("stage", LISTED)
def test_what_is_listed_in_whatever_stage_keeps_what_was_set(gateway: Gateway, stage: str) -> None:
    gateway.code = LISTED[stage]
    for _ in range(30):
        assert not sweep(gateway)["changed"]
        gateway.passes(WEEK)
    assert standing(gateway) == (30, True)
    now = shown(gateway)
    assert now
    assert (now["stage"], now["goes_at"]) == (stage.partition(",")[0], None)
    gateway.code = WITH
    assert gateway.router().shares.killed(ROUTE), "there and back, and still killed"


@pytest.mark.parametrize("stage", LISTED)
def test_who_comes_back_in_time_has_what_was_set_and_all_of_his_time_again(gateway: Gateway, stage: str) -> None:
    sweep(gateway)
    gateway.passes(WEEK - DAY)
    gateway.code = LISTED[stage]
    assert sweep(gateway)["back"] == [ROUTE]
    gateway.passes(WEEK)
    gateway.code = WITHOUT
    assert sweep(gateway)["missing"] == [ROUTE]
    gateway.passes(WEEK - 1)
    assert not sweep(gateway)["changed"]
    assert standing(gateway) == (30, True)


def test_a_change_takes_the_mark_away_before_any_sweep_does(gateway: Gateway) -> None:
    sweep(gateway)
    gateway.passes(WEEK)
    gateway.does("clear", code=WITH)
    assert sweep(gateway)["missing"] == [ROUTE]
    assert standing(gateway) == (30, False)


def test_a_mark_is_nothing_to_routers(gateway: Gateway) -> None:
    gateway.does("clear", code=WITH)
    router = gateway.router(WITH)
    before = router.percent()
    router.answers(requests=49, errors=0)
    sweep(gateway)
    gateway.passes(CACHE)
    assert (before, router.percent()) == (30, 30)
    assert router.told == []


def test_an_item_that_is_none_of_ours_is_left_alone_and_in_nobody_s_way(gateway: Gateway) -> None:
    for entry, more in (("GET /a", {}), ("GET /b", {"missing_since": {"S": "x"}}), ("ZZZ", {"percent": {"S": "x"}})):
        gateway.dynamodb.put_item(TableName=TABLE, Item={"kind": {"S": "routes"}, "entry": {"S": entry}, **more})
    assert sweep(gateway)["missing"] == [ROUTE]
    gateway.passes(WEEK)
    assert sweep(gateway)["forgotten"] == [ROUTE]
    assert len(gateway.entries("routes")) == 3


# Somebody else at the same moment.


def overtake(gateway: Gateway, operation: str, other: Callable[[], Any]) -> None:
    def overtaken(carry_out: Write) -> Any:
        gateway.works()
        other()
        return carry_out()

    gateway.dynamodb.meets[operation] = overtaken


@pytest.mark.parametrize("action", ["kill", "clear"])
@pytest.mark.parametrize("after", [0, WEEK])
def test_what_is_set_while_a_sweep_is_on_holds(gateway: Gateway, action: str, after: int) -> None:
    """By code that lists it again: the sweep of older code had just begun."""
    if action == "kill":
        gateway.does("clear", code=WITH)
    if after:
        sweep(gateway)
        gateway.passes(after)
    other = lambda: gateway.does(action, code=WITH)  # noqa: E731
    overtake(gateway, "TransactWriteItems" if after else "UpdateItem", other)
    assert not sweep(gateway)["changed"]
    assert standing(gateway) == (30, action == "kill")
    assert "missing_since" not in gateway.entries("routes")[0]
    assert "sweep" not in history(gateway)


def test_who_is_seen_back_while_a_sweep_is_on_is_not_forgotten(gateway: Gateway) -> None:
    sweep(gateway)
    gateway.passes(WEEK)
    overtake(gateway, "TransactWriteItems", lambda: gateway.asked(WITH, action="sweep"))
    assert not sweep(gateway)["changed"]
    assert standing(gateway) == (30, True)


@pytest.mark.parametrize("after", [0, WEEK])
def test_two_sweeps_at_once_are_one(gateway: Gateway, after: int) -> None:
    if after:
        sweep(gateway)
        gateway.passes(after)
    told: list[bool] = []
    overtake(gateway, "TransactWriteItems" if after else "UpdateItem", lambda: told.append(sweep(gateway)["changed"]))
    assert (sweep(gateway)["changed"], told) == (False, [True])
    assert history(gateway).count("sweep") == (1 if after else 0)


def test_who_clears_it_by_hand_is_not_told_of_the_mark(gateway: Gateway) -> None:
    sweep(gateway)
    assert gateway.does("clear")["after"] is None
    assert standing(gateway) is None


# What goes wrong.


def refuse(operation: str) -> Callable[[Write], Any]:
    def refused(_: Write) -> Any:
        raise client_error("dynamodb", operation, ServiceError("ProvisionedThroughputExceededException", "no"))

    return refused


def lose(operation: str) -> Callable[[Write], Any]:
    def lost(carry_out: Write) -> Any:
        carry_out()
        raise client_error("dynamodb", operation, ServiceError("InternalServerError", "no"))

    return lost


@pytest.mark.parametrize("fault", [refuse, lose])
@pytest.mark.parametrize("operation", ["Query", "UpdateItem", "TransactWriteItems", "Scan", "DeleteItem"])
def test_a_fault_at_any_call_is_raised_and_made_up_for_by_the_next_sweep(
    gateway: Gateway, operation: str, fault: Callable[[str], Callable[[Write], Any]]
) -> None:
    breaker(gateway, ROUTE)
    fired = 0
    for _ in range(3):
        gateway.dynamodb.meets[operation] = fault(operation)
        gateway.operations()
        try:
            sweep(gateway)
        except ClientError:
            fired += 1
        gateway.works()
        sweep(gateway)
        gateway.passes(WEEK)
    assert fired
    assert standing(gateway) is None
    assert history(gateway).count("sweep") == 1
    assert gateway.dynamodb.items(BREAKERS) == {}


# Breakers.


def breaker(gateway: Gateway, name: str, **more: Any) -> None:
    item = {"breaker": {"S": name}, "failures": {"L": [{"N": f"{gateway.clock():.3f}"}]}, **more}
    gateway.dynamodb.put_item(TableName=BREAKERS, Item=item)


def names(gateway: Gateway) -> set[str]:
    return {key[0] for key in gateway.dynamodb.items(BREAKERS)}


def test_the_breaker_of_a_removed_route_goes_when_it_has_been_silent_for_a_week(gateway: Gateway) -> None:
    gateway.dynamodb.service.page = 1
    opened = {"state": {"S": "open"}, "epoch": {"N": "3"}, "open_until": {"N": f"{gateway.clock() + DAY:.3f}"}}
    breaker(gateway, OTHER)
    breaker(gateway, ROUTE)
    breaker(gateway, "GET /gone", **opened)
    breaker(gateway, "GET /foreign", failures={"S": "x"})
    assert sweep(gateway)["breakers"] == []
    gateway.passes(WEEK)
    assert sweep(gateway)["breakers"] == [ROUTE]
    gateway.passes(DAY)
    assert sweep(gateway)["breakers"] == ["GET /gone"]
    gateway.passes(30 * WEEK)
    assert names(gateway) == {OTHER, "GET /foreign"}


@pytest.mark.parametrize("stage", LISTED)
def test_the_breaker_of_a_listed_route_stays(gateway: Gateway, stage: str) -> None:
    breaker(gateway, ROUTE)
    gateway.passes(30 * WEEK)
    gateway.code = LISTED[stage]
    assert sweep(gateway)["breakers"] == []


@pytest.mark.parametrize("more", [{"failures": {"L": []}}, {"state": {"S": "open"}}, {"prober": {"S": "p"}}])
def test_a_breaker_that_changes_while_a_sweep_is_on_stays(gateway: Gateway, more: dict[str, Any]) -> None:
    breaker(gateway, ROUTE)
    gateway.passes(WEEK)
    overtake(gateway, "DeleteItem", lambda: breaker(gateway, ROUTE, **more))
    assert sweep(gateway)["breakers"] == []
    assert names(gateway) == {ROUTE}


# Any order of deployments, commands and sweeps.


@pytest.mark.parametrize("seed", range(40))
def test_nothing_is_forgotten_that_was_not_missed_for_a_week(seed: int) -> None:
    chance = random.Random(seed)
    gateway = Gateway(WITH)
    since: float | None = None
    there, stands = False, (10.0, False)
    codes: list[Migration] = [WITHOUT, WITHOUT, *LISTED.values()]
    for _ in range(60):
        match chance.choice(["deploy", "sweep", "sweep", "set", "kill", "wait", "wait"]):
            case "deploy":
                gateway.code = chance.choice(codes)
            case "sweep":
                sweep(gateway)
                if gateway.code is not WITHOUT:
                    since = None
                elif since is None:
                    since = int(gateway.clock()) if there else None
                elif gateway.clock() >= since + WEEK:
                    since, there, stands = None, False, (10.0, False)
            case "wait":
                gateway.passes(chance.choice([60, DAY, 3 * DAY, WEEK]))
            case action if gateway.code is WITH and not stands[1]:
                stands = (5.0, False) if action == "set" else (stands[0], True)
                gateway.does(action, percent=5)
                there, since = True, None
        assert standing(gateway) == (stands if there else None)
        assert gateway.router(WITH).shares.killed(ROUTE) is stands[1]
