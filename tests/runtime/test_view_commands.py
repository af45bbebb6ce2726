"""`serverless-patterns view`: tables, lines, questions and exit codes, over the shipped control function."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from serverless_patterns.cli import _views, _views_report
from serverless_patterns_runtime.cqrs_views.contract import CONTROL_HANDLER
from serverless_patterns_runtime.saga_recovery.contract import GUARDIAN_HANDLER
from tests.runtime.asked_function import AskedAccount, Run, documented, squeezed, typing
from tests.runtime.cqrs_views.rebuilt import RebuiltShop
from tests.runtime.cqrs_views.shop import ORDERS, REVENUE

ARN = "arn:aws:lambda:eu-west-1:111122223333:function:Shop-Views"
WHO = "arn:aws:iam::111122223333:user/ann"


class Cloud(AskedAccount):
    def __init__(self, shop: RebuiltShop) -> None:
        functions = {"Shop-Views": CONTROL_HANDLER, ARN: CONTROL_HANDLER, "guardian": GUARDIAN_HANDLER}
        super().__init__(functions, {"OrdersControl": "Shop-Views"}, shop.ask)
        self.shop = shop


@pytest.fixture
def shop() -> RebuiltShop:
    shop = RebuiltShop()
    for number in range(7):
        shop.put(f"o-{number}", number + 1)
    shop.records.clear()
    shop.sweep()
    shop.passes(60)
    return shop


@pytest.fixture
def cloud(shop: RebuiltShop) -> Cloud:
    return Cloud(shop)


@pytest.fixture
def run(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(_views.time, "time", lambda: cloud.shop.now)
    monkeypatch.setattr(_views.time, "sleep", cloud.shop.passes)
    return typing(monkeypatch, cloud, "view", "_view_commands")


STATUS = """\
View       Kind   Read Filled Last rebuild Scanned    Compared   Differences Began     By    Reason
ByCustomer rows   1    -      done         7 (4 of 4) 7 (4 of 4) 0           1 min ago swept -
Revenue    totals 1    -      done         7 (4 of 4) 7 (4 of 4) 0           1 min ago swept -
"""


@pytest.mark.parametrize("target", ["Shop-Views", ARN, "Shop.OrdersControl"])
def test_status_shows_how_each_view_stands(run: Run, target: str) -> None:
    result = run("status", target)
    assert squeezed(result.stdout) == squeezed(STATUS)
    assert (result.exit_code, result.stderr) == (0, "")


def test_rebuild_shows_asks_and_stays_until_it_is_read(run: Run, shop: RebuiltShop) -> None:
    result = run("rebuild", "Shop-Views", ORDERS, answer="y\n")
    assert f"Rebuild {ORDERS}? [y/N]: y\n" in result.stdout
    assert result.stdout.endswith(f"Generation 2 of {ORDERS} is read now: 7 aggregates, no difference.\n")
    assert result.exit_code == 0
    assert (shop.standing().live, shop.standing().by) == (2, WHO)


def test_who_says_no_has_nothing_begun(run: Run, shop: RebuiltShop) -> None:
    result = run("rebuild", "Shop-Views", ORDERS, answer="n\n")
    assert (result.exit_code, result.stdout.endswith("Nothing was begun.\n")) == (1, True)
    assert shop.standing().last == 1


def test_where_nobody_can_be_asked_yes_is_needed(run: Run) -> None:
    result = run("rebuild", "Shop-Views", ORDERS)
    assert (result.exit_code, "add --yes to rebuild it" in result.stderr) == (2, True)


def test_a_rebuild_that_fails_says_why(run: Run, shop: RebuiltShop) -> None:
    shop.put("o-9", 9, bad=True)
    result = run("rebuild", "Shop-Views", ORDERS, "--yes")
    assert result.exit_code == 1
    assert result.stdout.endswith(
        f"The rebuild of {ORDERS} failed: NotEqual: 1 aggregates cannot be projected:"
        " o-9: RuntimeError: no such order.\n"
        "Nothing has changed for who reads it.\n"
    )
    result = run("rebuild", "Shop-Views", ORDERS, "--yes", "--tolerate-refused", "--json")
    assert (result.exit_code, json.loads(result.stdout)["live"]) == (0, 3)


def test_who_does_not_wait_is_told_where_to_look(run: Run, shop: RebuiltShop) -> None:
    result = run("rebuild", "Shop-Views", ORDERS, "--yes", "--no-wait", "--segments", "1")
    assert result.stdout.endswith(f"Generation 2 of {ORDERS} is being filled: view status tells how far it is.\n")
    shop.passes(60)
    (standing,) = json.loads(run("status", "Shop-Views", ORDERS, "--json").stdout)["views"]
    assert (standing["live"], standing["progress"]["segments"]) == (2, 1)


def test_a_rebuild_is_cancelled(run: Run, shop: RebuiltShop) -> None:
    assert run("cancel", "Shop-Views", ORDERS, "--yes").stderr.endswith(
        f"The control function refused: '{ORDERS}' is not being rebuilt.\n"
    )
    run("rebuild", "Shop-Views", ORDERS, "--yes", "--no-wait")
    shop.after_task = lambda: said.append(run("cancel", "Shop-Views", ORDERS, "--yes")) if not said else None
    said: list[Any] = []
    shop.passes(60)
    assert (said[0].exit_code, said[0].stdout.splitlines()[-1]) == (
        0,
        f"The rebuild of {ORDERS} is cancelled: what was read is read.",
    )
    assert (shop.standing().live, shop.standing().phase) == (1, "cancelled")


def test_what_is_parked_is_shown_and_tried_again(run: Run, shop: RebuiltShop) -> None:
    assert run("parked", "Shop-Views").stdout == "Nothing is parked.\n"
    for number in range(4):
        shop.put(f"o-{number}", 20, bad=True)
    shop.project()
    shop.passes(90)
    shown = run("parked", "Shop-Views", REVENUE).stdout
    assert len([row for row in squeezed(shown) if row[0] == REVENUE and row[3] == "refused"]) == 4
    assert shown.endswith("4 parked.\n")
    result = run("retry", "Shop-Views", "--yes")
    assert result.exit_code == 1
    assert result.stdout.endswith("0 in the views now. 8 left: view parked shows why.\n")
    result = run("retry", "Shop-Views", "--yes", "--json")
    assert json.loads(result.stdout) == {"replayed": 0, "left": 8}


def test_no_other_function_is_asked(run: Run, cloud: Cloud) -> None:
    result = run("status", "guardian")
    assert result.exit_code == 2
    assert "The function guardian is no table's control function." in result.stderr
    assert cloud.asked == []


def test_an_unknown_view_is_refused_with_those_that_there_are(run: Run) -> None:
    result = run("status", "Shop-Views", "Orders")
    assert result.exit_code == 1
    assert "there is no view 'Orders'; there are: ByCustomer, Revenue." in result.stderr


def test_the_page_shows_what_is_printed(run: Run) -> None:
    page = (Path(__file__).parents[2] / "docs/cli.md").read_text()
    commands = list(documented(page, "Views"))
    assert len(commands) == 2
    for line, output in commands:
        _, _, *words = shlex.split(line)
        assert squeezed(run(*words).stdout) == squeezed(output)


def test_a_rebuild_shows_no_examples_of_the_one_before(run: Run, shop: RebuiltShop) -> None:
    shop.put("o-9", 9, None)
    run("rebuild", "Shop-Views", ORDERS, "--yes")
    assert shop.standing().phase == "failed"
    example = f"{ORDERS}  o-9: "
    assert example in run("status", "Shop-Views", ORDERS).stdout
    shop.put("o-9", 10, "ada")
    result = run("rebuild", "Shop-Views", ORDERS, "--yes")
    assert example not in result.stdout
    assert result.stdout.endswith("is read now: 8 aggregates, no difference.\n")


def test_how_far_a_rebuild_is_counts_its_parts() -> None:
    told: Any = {"segments": 4, "scanned_segments": 4, "verified_segments": 3, "scanned": 22, "verified": 22}
    assert _views_report.percent(told) == 88
    assert _views_report.percent({**told, "verified_segments": 4}) == 100
    assert _views_report.percent({**told, "scanned_segments": 0, "verified_segments": 0, "segments": 0}) == 0
