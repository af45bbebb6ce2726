"""`serverless-patterns route`: tables, lines, questions and exit codes, over the shipped control function."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError
from rich.console import Console

from serverless_patterns.cli import _routes
from serverless_patterns_runtime.saga_recovery.contract import GUARDIAN_HANDLER
from serverless_patterns_runtime.strangler_gateway.contract import CONTROL_HANDLER
from tests.runtime.asked_function import AskedAccount, Run, documented, squeezed, typing
from tests.runtime.strangler_gateway.gateway import Gateway, migration, route_settings

ROUTE, BASKET, CATALOGUE = "GET /profile/{id}", "POST /basket", "GET /catalogue"
ARN = "arn:aws:lambda:eu-west-1:111122223333:function:Shop-Control"


class Cloud(AskedAccount):
    def __init__(self, gateway: Gateway) -> None:
        functions = {"Shop-Control": CONTROL_HANDLER, ARN: CONTROL_HANDLER, "guardian": GUARDIAN_HANDLER}
        outputs = {"RouteControl": "Shop-Control", "Machine": "arn:aws:states:x:1:stateMachine:y"}
        super().__init__(functions, outputs, gateway.asked)
        self.gateway = gateway


@pytest.fixture
def cloud() -> Cloud:
    routes = {
        ROUTE: route_settings(initial_percent=5.0),
        BASKET: route_settings(),
        CATALOGUE: route_settings(generation=2, initial_percent=100.0),
    }
    gateway = Gateway(migration(routes))
    gateway.does("set", route=ROUTE, percent=25, by="arn:aws:iam::111122223333:user/ann", reason="a quiet week")
    gateway.does("set", route=BASKET, percent=2.5, by="bob", reason="a first look")
    gateway.passes(3_600)
    gateway.does("kill", route=BASKET, by="bob", reason="prices are wrong")
    gateway.passes(180)
    return Cloud(gateway)


@pytest.fixture
def run(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(_routes.time, "time", lambda: cloud.gateway.clock.now)
    return typing(monkeypatch, cloud, "route", "_routes_commands")


LISTED = """\
Route             Stage     Percent Initial Generation Killed Changed          By  Reason
GET /catalogue    migrating 100     100     2          no     -                -   -
GET /profile/{id} migrating 25      5       1          no     1 h 3 min ago    ann a quiet week
POST /basket      migrating 2.5     0       1          yes    3 min ago        bob prices are wrong
"""
HISTORY = """\
Route       When                    Action Generation Percent             By  Reason
POST /basket 2026-11-21 10:00:00 UTC kill   1 2.5 to killed (2.5) bob prices are wrong
POST /basket 2026-11-21 09:00:00 UTC set    1 0 to 2.5            bob a first look
"""
WHY = ("--reason", "no errors since", "--yes")


@pytest.mark.parametrize("target", ["Shop-Control", ARN, "Shop.RouteControl"])
def test_list_shows_how_each_route_stands_and_who_has_brought_it_there(run: Run, target: str) -> None:
    result = run("list", target)
    assert squeezed(result.stdout) == squeezed(LISTED)
    assert (result.exit_code, result.stderr) == (0, "")


def test_of_one_route_with_its_history(run: Run) -> None:
    result = run("list", "Shop-Control", BASKET, "--history")
    assert squeezed(result.stdout)[2:] == squeezed(HISTORY)


NARROW = """\
GET /catalogue
  stage migrating, percent 100, initial 100, generation 2, killed no
GET /profile/{id}
  stage migrating, percent 25, initial 5, generation 1, killed no, changed 1 h 3
  min ago, by ann
  a quiet week
POST /basket
  stage migrating, percent 2.5, initial 0, generation 1, killed yes, changed 3
  min ago, by bob
  prices are wrong
"""


def test_a_narrow_terminal_breaks_no_word_and_cuts_no_reason(
    run: Run, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_routes._report, "console", lambda **_: Console(width=80, highlight=False))
    shown = run("list", "Shop-Control").stdout
    assert [line.rstrip() for line in shown.splitlines() if line] == NARROW.splitlines()
    reason = "54 of 54 requests failed within 60 s; 46 of these were refused by the breaker " * 6
    cloud.gateway.does("kill", route=ROUTE, by="rollback", reason=reason.strip())
    for line in run("list", "Shop-Control", ROUTE, "--history").stdout.splitlines():
        assert len(line) <= 80
    words = run("list", "Shop-Control", ROUTE, "--history").stdout.split()
    assert " ".join(words).count(reason.strip()) == 2, "as it stands, and in the history"


def test_a_list_of_nothing(run: Run, cloud: Cloud) -> None:
    cloud.gateway.dynamodb.service.tables["control"].items.clear()
    cloud.gateway.code = {**cloud.gateway.code, "routes": {}}
    result = run("list", "Shop-Control")
    assert (result.stdout.strip(), result.exit_code) == ("No route is migrating.", 0)


def test_a_removed_route_is_shown_as_such_and_cleared(run: Run, cloud: Cloud) -> None:
    cloud.gateway.code = migration({ROUTE: route_settings()})
    shown = run("list", "Shop-Control").stdout
    assert ["POST", "/basket", "removed", "(2.5)", "-", "1", "(yes)"] in [row[:7] for row in squeezed(shown)]
    assert "In brackets: what was set, and holds again" in shown
    result = run("clear", "Shop-Control", BASKET, *WHY)
    assert result.stdout.endswith("POST /basket is forgotten: it is not migrating any more.\n")
    assert BASKET not in run("list", "Shop-Control").stdout


def test_a_removed_route_says_when_it_goes(run: Run, cloud: Cloud) -> None:
    cloud.gateway.code = migration({ROUTE: route_settings()}, legacy=[CATALOGUE])
    cloud.gateway.does("clear", route=BASKET, code=migration({BASKET: route_settings()}))
    cloud.gateway.asked(action="sweep")
    assert "removed, goes at 2026-11-28 10:03:00 UTC" in run("list", "Shop-Control").stdout


def test_a_route_that_is_legacy_s_again_shows_what_would_hold(run: Run, cloud: Cloud) -> None:
    cloud.gateway.code = migration({ROUTE: route_settings()}, legacy=[BASKET])
    shown = squeezed(run("list", "Shop-Control").stdout)
    assert ["POST", "/basket", "legacy", "(2.5)", "-", "1", "(yes)"] in [row[:7] for row in shown]


def test_set_shows_asks_and_says_what_holds(run: Run, cloud: Cloud) -> None:
    result = run("set", "Shop-Control", ROUTE, "50", "--reason", "no errors since", answer="y\n")
    assert "a quiet week" in result.stdout
    assert f"Send 50 percent of the callers of {ROUTE} to its new side? [y/N]: y\n" in result.stdout
    assert result.stdout.endswith(f"{ROUTE} sends 50 percent to its new side, within seconds.\n")
    assert result.exit_code == 0
    assert cloud.gateway.router().percent(ROUTE) == 50
    (shown,) = json.loads(run("list", "Shop-Control", ROUTE, "--json").stdout)["routes"]
    assert (shown["by"], shown["reason"]) == ("arn:aws:iam::111122223333:user/ann", "no errors since")


def test_kill_and_clear(run: Run, cloud: Cloud) -> None:
    result = run("kill", "Shop-Control", ROUTE, "--reason", "why", answer="y\n")
    assert f"Send all callers of {ROUTE} to legacy? [y/N]: y\n" in result.stdout
    assert result.stdout.endswith(f"{ROUTE} is killed: legacy answers, within seconds.\n")
    assert cloud.gateway.router().percent(ROUTE) == 0
    result = run("clear", "Shop-Control", ROUTE, *WHY)
    assert result.stdout.endswith(f"{ROUTE} sends 25 percent to its new side, within seconds.\n")
    assert cloud.gateway.router().percent(ROUTE) == 25


def test_a_kill_ends_with_another_percentage(run: Run, cloud: Cloud) -> None:
    result = run("clear", "Shop-Control", BASKET, "1", "--reason", "mended", answer="y\n")
    assert "Clear POST /basket, and send 1 percent to its new side? [y/N]: y\n" in result.stdout
    assert result.stdout.endswith("POST /basket sends 1 percent to its new side, within seconds.\n")
    assert cloud.gateway.router().percent(BASKET) == 1


def test_who_says_no_changes_nothing(run: Run, cloud: Cloud) -> None:
    result = run("kill", "Shop-Control", ROUTE, "--reason", "why", answer="n\n")
    assert result.stdout.endswith("Nothing was changed.\n")
    assert (result.exit_code, cloud.gateway.router().percent(ROUTE)) == (1, 25)


def test_what_stands_already_is_said_to(run: Run) -> None:
    result = run("kill", "Shop-Control", BASKET, *WHY)
    assert result.stdout.endswith("POST /basket is killed: legacy answers, as it did before: nothing was changed.\n")
    assert result.exit_code == 0


def test_for_machines_one_object_on_stdout(run: Run) -> None:
    result = run("set", "Shop-Control", ROUTE, "50", *WHY, "--json")
    told = json.loads(result.stdout)
    assert (told["changed"], told["before"]["percent"], told["after"]["percent"]) == (True, 25, 50)
    assert "a quiet week" in result.stderr
    assert len(json.loads(run("list", "Shop-Control", "--json").stdout)["routes"]) == 3


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("set", "Shop-Control", BASKET, "50", *WHY), "it is killed by bob (prices are wrong): clear it first."),
        (("kill", "Shop-Control", "GET /profile", *WHY), "there is no route 'GET /profile' that is migrating"),
        (("list", "Shop-Control", "GET /profile"), "there are: GET /profile/{id}"),
    ],
)
def test_what_is_refused_is_said(run: Run, arguments: tuple[str, ...], words: str) -> None:
    result = run(*arguments)
    assert result.stderr.startswith("Error: The control function refused: ") or arguments[0] == "set"
    assert words in result.stderr
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("set", "Shop-Control", ROUTE, "50", "--reason", "why"), "add --yes"),
        (("set", "Shop-Control", ROUTE, "101", *WHY), "101"),
        (("set", "Shop-Control", ROUTE, "nan", *WHY), "PERCENT is a number from 0 to 100, not nan."),
        (("set", "Shop-Control", ROUTE, "50%", *WHY), "without a sign behind it: 50. It was '50%'."),
        (("set", "Shop-Control", ROUTE, "0.123", *WHY), "PERCENT has two decimals at most, not as many as 0.123."),
        (("clear", "Shop-Control", BASKET, "0.123", *WHY), "PERCENT has two decimals at most"),
        (("set", "Shop-Control", ROUTE, *WHY), "PERCENT"),
        (("set", "Shop-Control", "GET", "/profile/{id}", "50", *WHY), "in quotes: 'GET /profile/{id}'. It was 'GET'."),
        (("kill", "Shop-Control", "GET", "/profile/{id}", *WHY), "in quotes"),
        (("clear", "Shop-Control", "ANY", "/x", "1", *WHY), "in quotes"),
        (("list", "Shop-Control", "POST", "/basket"), "in quotes"),
        (("list", "Shop-Control", ""), "in quotes"),
        (("kill", "Shop-Control", ROUTE, "--yes"), "--reason"),
        (("clear", "Shop-Control", ROUTE, "--yes", "--reason", " "), "--reason needs a word"),
    ],
)
def test_a_wrong_call_asks_nothing(run: Run, cloud: Cloud, arguments: tuple[str, ...], words: str) -> None:
    result = run(*arguments)
    assert words in result.stderr
    assert (result.exit_code, cloud.asked) == (2, [])


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("nothing", "There is no function nothing in eu-west-1, or you may not see it. Type the name or ARN"),
        ("Shop", "Type one of: Shop.Machine, Shop.RouteControl."),
        ("guardian", "The function guardian is no gateway's control function."),
        ("Shop.Machine", "arn:aws:states:x:1:stateMachine:y (the value of Shop.Machine) is not a function's ARN."),
    ],
)
def test_a_wrong_target_invokes_nothing_and_says_what_to_type(run: Run, cloud: Cloud, target: str, words: str) -> None:
    result = run("list", target)
    assert words in result.stderr
    assert (result.exit_code, cloud.asked, result.stdout) == (2, [], "")


def test_a_function_that_fails_is_said_to(run: Run, cloud: Cloud) -> None:
    cloud.breaks = True
    result = run("list", "Shop-Control")
    assert result.stderr == "Error: The control function failed: ClientError. Its log says more.\n"
    assert result.exit_code == 1


def test_who_it_is_may_be_said_and_is_known_to_this_machine_at_least(
    run: Run, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(_: Any) -> Any:
        raise NoCredentialsError

    monkeypatch.setattr(Cloud, "get_caller_identity", nobody)
    monkeypatch.setattr("serverless_patterns.cli._placing.getpass.getuser", lambda: "eve")
    run("kill", "Shop-Control", ROUTE, *WHY)
    assert cloud.asked[-1]["by"] == "eve"
    run("clear", "Shop-Control", ROUTE, *WHY, "--by", "the pipeline")
    assert cloud.asked[-1]["by"] == "the pipeline"


def test_control_characters_do_not_reach_the_terminal(run: Run) -> None:
    run("kill", "Shop-Control", ROUTE, "--reason", "\x1b[2Jgone", "--by", "\x07", "--yes")
    shown = run("list", "Shop-Control", "--history").stdout
    assert "\\x1b[2Jgone" in shown
    assert not set(shown) & {"\x1b", "\x07"}


def test_the_page_shows_what_the_commands_print(run: Run) -> None:
    shown = [*documented((Path(__file__).parents[2] / "docs/cli.md").read_text(encoding="utf-8"), "Routes")]
    assert len(shown) == 3
    for line, output in shown:
        assert squeezed(run(*shlex.split(line)[2:]).stdout) == squeezed(output), line
