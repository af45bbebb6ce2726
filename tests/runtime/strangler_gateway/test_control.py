"""What the command line may do to a route: all or nothing, as it was seen, with who, when and why."""

import random
from typing import Any

import pytest
from botocore.exceptions import ClientError

from serverless_patterns_runtime.strangler_gateway import control_handler

from ...simulation.aws_errors import ServiceError, client_error
from ..consumer import Context
from .gateway import CACHE, OTHER, ROUTE, TABLE, Gateway, migration, route_settings

LONG = "x" * 501


@pytest.fixture
def gateway() -> Gateway:
    return Gateway(migration({ROUTE: route_settings(initial_percent=10.0), OTHER: route_settings()}))


def listed(gateway: Gateway, route: str = ROUTE, **more: Any) -> dict[str, Any]:
    (shown,) = gateway.asked(action="list", route=route, **more)["routes"]
    return shown


def test_all_routes_are_listed_as_the_code_says_while_nobody_has_said_anything(gateway: Gateway) -> None:
    answer = gateway.asked(action="list")
    assert answer["gateway"] == "Shop"
    assert answer["routes"][0] == {
        "route": ROUTE,
        "stage": "migrating",
        "goes_at": None,
        "percent": 10,
        "initial_percent": 10,
        "generation": 1,
        "killed": False,
        "by": None,
        "at": None,
        "reason": None,
    }
    assert [route["route"] for route in answer["routes"]] == [ROUTE, OTHER]


def test_each_change_is_kept_with_who_when_why_and_what_was_before(gateway: Gateway) -> None:
    began = int(gateway.clock())
    gateway.does("set", percent=25.5, by="ann", reason="a week without errors")
    gateway.passes(60)
    gateway.does("kill", by="bob", reason="prices are wrong")
    gateway.passes(60)
    gateway.does("clear", by="ann", reason="mended")
    shown = listed(gateway, history=True)
    assert [(entry["action"], entry["by"], entry["at"] - began, entry["reason"]) for entry in shown["history"]] == [
        ("clear", "ann", 120, "mended"),
        ("kill", "bob", 60, "prices are wrong"),
        ("set", "ann", 0, "a week without errors"),
    ]
    names = ("was_percent", "was_killed", "percent", "killed")
    assert [tuple(entry[name] for name in names) for entry in shown["history"]] == [
        (25.5, True, 25.5, False),
        (25.5, False, 25.5, True),
        (10, False, 25.5, False),
    ]
    assert (shown["by"], shown["reason"], shown["percent"], shown["killed"]) == ("ann", "mended", 25.5, False)


def test_changes_within_a_second_are_in_order(gateway: Gateway) -> None:
    for percent in range(12):
        gateway.does("set", percent=percent)
    assert [entry["percent"] for entry in listed(gateway, history=True)["history"]] == list(range(11, -1, -1))


def test_of_a_long_history_the_latest_is_shown(gateway: Gateway) -> None:
    for percent in range(30):
        gateway.does("set", percent=percent)
    assert len(listed(gateway, history=True)["history"]) == 20


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ({"action": "set", "percent": 25}, {"action": "set", "percent": 25}),
        ({"action": "kill"}, {"action": "kill"}),
        ({"action": "set", "percent": 25}, {"action": "clear"}),
    ],
)
def test_what_stands_already_is_no_change(gateway: Gateway, first: dict[str, Any], again: dict[str, Any]) -> None:
    gateway.does(route=ROUTE, **first)
    before = listed(gateway)
    assert gateway.does(route=ROUTE, by="bob", **again)["changed"] is False
    assert listed(gateway) == before
    assert len(gateway.entries("history#")) == 1


def test_the_percentage_of_the_code_can_be_said_so_that_the_next_code_does_not_change_it(gateway: Gateway) -> None:
    assert gateway.does("set", percent=10)["changed"] is True
    assert listed(gateway)["by"] == "ann"


def test_a_killed_route_is_set_only_once_it_is_cleared(gateway: Gateway) -> None:
    gateway.does("kill", reason="prices are wrong")
    answer = gateway.asked(action="set", route=ROUTE, percent=20, by="bob", reason="why")
    assert answer == {"refused": "it is killed by ann (prices are wrong): clear it first"}
    assert listed(gateway)["killed"]


def test_a_kill_may_end_with_another_percentage_and_then_nobody_meets_the_one_of_before(gateway: Gateway) -> None:
    gateway.does("set", percent=50)
    gateway.does("kill")
    answer = gateway.does("clear", percent=1)
    assert (answer["after"]["percent"], answer["after"]["killed"]) == (1, False)
    assert [change["percent"] for change in listed(gateway, history=True)["history"]] == [1, 50, 50]


def test_what_is_not_killed_is_set_and_not_cleared(gateway: Gateway) -> None:
    answer = gateway.asked(action="clear", route=ROUTE, percent=1, by="ann", reason="why")
    assert answer == {"refused": "it is not killed: set its percentage instead"}


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ({"percent": -0.01}, "a number from 0 to 100"),
        ({"percent": 100.01}, "a number from 0 to 100"),
        ({"percent": float("nan")}, "a number from 0 to 100"),
        ({"percent": "50"}, "a number from 0 to 100"),
        ({"percent": True}, "a number from 0 to 100"),
        ({}, "a number from 0 to 100"),
        ({"percent": 0.001}, "two decimals at most"),
        ({"percent": 1, "by": ""}, "by is missing"),
        ({"percent": 1, "by": "x" * 201}, "by has at most 200"),
        ({"percent": 1, "reason": " "}, "reason is missing"),
        ({"percent": 1, "reason": LONG}, "reason has at most 500"),
        ({"percent": 1, "reason": None}, "reason is missing"),
        ({"percent": 1, "route": "GET /profil/{id}"}, "there are: GET /profile/{id}"),
        ({"percent": 1, "route": ""}, "route is missing"),
        ({"action": "clear", "percent": 101}, "a number from 0 to 100"),
        ({"action": "drop"}, "nothing that the control function is asked"),
        ({"action": None}, "nothing that the control function is asked"),
    ],
)
def test_what_makes_no_sense_changes_nothing(gateway: Gateway, command: dict[str, Any], words: str) -> None:
    answer = gateway.asked(**{"action": "set", "route": ROUTE, "by": "ann", "reason": "why", **command})
    assert words in answer.get("refused", "")
    assert gateway.dynamodb.items(TABLE) == {}


@pytest.mark.parametrize("event", [None, [], "list", {}])
def test_any_event_is_answered(gateway: Gateway, event: Any) -> None:
    assert "refused" in control_handler.process(event, Context(gateway.clock), None, gateway.logger)  # type: ignore[arg-type]


@pytest.mark.parametrize("route", ["GET /x", ROUTE])
def test_who_asks_for_a_route_that_there_is_not_is_told_which_there_are(route: str) -> None:
    gateway = Gateway(migration({OTHER: route_settings()}))
    answer = gateway.asked(action="list", route=route)
    assert OTHER in answer["refused"]


# Two at once.


@pytest.mark.parametrize("other", ["set", "kill"])
@pytest.mark.parametrize("untouched", [True, False])
def test_of_two_operators_at_once_one_is_told_what_the_other_did(gateway: Gateway, untouched: bool, other: str) -> None:
    if not untouched:
        gateway.does("set", percent=5)

    def overtaken(carry_out: Any) -> Any:
        gateway.works()
        gateway.does(other, percent=50, by="bob", reason="mine")
        return carry_out()

    gateway.dynamodb.meets["TransactWriteItems"] = overtaken
    answer = gateway.asked(action="set", route=ROUTE, percent=20, by="ann", reason="why")
    how = "killed" if other == "kill" else "at 50 percent"
    assert answer.get("refused") == (
        f"{ROUTE!r} has been changed meanwhile: {how} by bob (mine); look at it and say again what you want"
    )
    assert len(gateway.entries("history#")) == 2 - untouched


@pytest.mark.parametrize("other", ["set", "kill"])
def test_a_kill_is_one_whoever_else_changes_the_route_at_that_moment(gateway: Gateway, other: str) -> None:
    def overtaken(carry_out: Any) -> Any:
        gateway.works()
        gateway.does(other, percent=50, by="bob")
        return carry_out()

    gateway.dynamodb.meets["TransactWriteItems"] = overtaken
    answer = gateway.does("kill", by="ann")
    assert (answer["changed"], answer["after"]["by"]) == ((True, "ann") if other == "set" else (False, "bob"))
    assert listed(gateway)["killed"]
    assert listed(gateway)["percent"] == (50 if other == "set" else 10)


def test_a_transaction_in_the_way_is_somebody_else_at_work(gateway: Gateway) -> None:
    def conflict(_: Any) -> Any:
        reasons = [{"Code": "TransactionConflict"}, {"Code": "None"}]
        error = ServiceError("TransactionCanceledException", "no", CancellationReasons=reasons)
        raise client_error("dynamodb", "TransactWriteItems", error)

    gateway.dynamodb.meets["TransactWriteItems"] = conflict
    assert "changed meanwhile" in gateway.asked(action="kill", route=ROUTE, by="a", reason="b")["refused"]


def test_said_again_by_the_sdk_it_is_done_once(gateway: Gateway) -> None:
    def twice(carry_out: Any) -> Any:
        carry_out()
        return carry_out()

    gateway.dynamodb.meets["TransactWriteItems"] = twice
    assert gateway.does("kill")["changed"]
    assert len(gateway.entries("history#")) == 1


@pytest.mark.parametrize("operation", ["Query", "TransactWriteItems"])
def test_what_aws_refuses_is_raised_and_logged_without_its_words(gateway: Gateway, operation: str) -> None:
    gateway.fails(client_error("dynamodb", operation, ServiceError("AccessDeniedException", "secret")), operation)
    with pytest.raises(ClientError):
        gateway.asked(action="kill", route=ROUTE, by="ann", reason="why")
    assert gateway.log[-1]["error_type"] == "ClientError"
    assert "secret" not in str(gateway.log)


# Routes that the code has no more.


def test_a_removed_route_is_shown_as_such_cleared_and_then_forgotten(gateway: Gateway) -> None:
    gateway.does("kill", reason="prices are wrong")
    gateway.does("set", route=OTHER, percent=1)
    gateway.code = migration({OTHER: route_settings()})
    shown = listed(gateway)
    assert (shown["stage"], shown["killed"], shown["initial_percent"]) == ("removed", True, None)
    for action in ("set", "kill"):
        answer = gateway.asked(action=action, route=ROUTE, percent=1, by="ann", reason="why")
        assert answer == {"refused": f"{ROUTE!r} is not migrating any more: it can only be cleared"}
    answer = gateway.does("clear")
    assert (answer["changed"], answer["after"]) == (True, None)
    assert [route["route"] for route in gateway.asked(action="list")["routes"]] == [OTHER]
    assert [entry["action"]["S"] for entry in gateway.entries(f"history#{ROUTE}")] == ["kill", "clear"]


def test_two_who_clear_a_removed_route_clear_it_once(gateway: Gateway) -> None:
    gateway.does("kill")
    gateway.code = migration({OTHER: route_settings()})

    def overtaken(carry_out: Any) -> Any:
        gateway.works()
        gateway.does("clear", by="bob")
        return carry_out()

    gateway.dynamodb.meets["TransactWriteItems"] = overtaken
    assert "changed meanwhile" in gateway.asked(action="clear", route=ROUTE, by="ann", reason="why")["refused"]


# Any order of commands, any code.


@pytest.mark.parametrize("seed", range(30))
def test_a_kill_persists_and_a_set_holds_until_the_generation_is_raised(seed: int) -> None:
    chance = random.Random(seed)
    gateway = Gateway(migration({ROUTE: route_settings(initial_percent=10.0)}))
    percent, killed, generation = 10.0, False, 1
    for _ in range(40):
        match chance.choice(["set", "kill", "clear", "deploy", "raise", "wait"]):
            case "set":
                wanted = chance.randint(0, 10_000) / 100
                answer = gateway.asked(action="set", route=ROUTE, percent=wanted, by="ann", reason="why")
                assert ("refused" in answer) is killed
                percent = percent if killed else wanted
            case "kill":
                gateway.does("kill")
                killed = True
            case "clear":
                gateway.does("clear")
                killed = False
            case "deploy" | "raise" as how:
                said = gateway.entries("routes")
                initial = float(chance.randint(0, 100))
                generation += how == "raise"
                gateway.code = migration({ROUTE: route_settings(initial_percent=initial, generation=generation)})
                if how == "raise" or not said or int(said[0]["generation"]["N"]) < generation:
                    percent, killed = initial, False
            case _:
                gateway.passes(CACHE)
        router = gateway.router()
        assert (router.percent(), router.shares.killed(ROUTE)) == (0 if killed else percent, killed)
        assert (listed(gateway)["percent"], listed(gateway)["killed"]) == (percent, killed)
