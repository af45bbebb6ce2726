"""What the demo says on the console: numbers that agree, a reason for every pause, and commands that can be pasted."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from demo import day, stock, traffic, wholesale
from demo.api import Api
from demo.console import Console
from demo.outcome import Sample
from showing import page
from showing.check import Check

STUCK = Sample(at=1.0, waiting=0, received=50, dead=35)


def test_the_tally_adds_up() -> None:
    orders = wholesale.generate(800)
    planned = traffic.plan(orders, stock.opening_stock(orders))
    assert len(planned.messages) == 894
    assert day.tally(planned) == "894 messages = 814 distinct + 80 repeats"


def test_after_a_kill_a_standstill_has_its_reason() -> None:
    assert day.progress(STUCK, STUCK, killed=True) == (
        "    0 waiting   50 received   35 dead letters"
        "  (messages of the killed function: invisible until their timeout)"
    )


@pytest.mark.parametrize(
    ("now", "before", "killed"),
    [
        (STUCK, None, True),
        (STUCK, Sample(0.0, 0, 60, 35), True),
        (STUCK, STUCK, False),
        (Sample(1.0, 7, 50, 35), Sample(0.0, 7, 50, 35), True),
        (Sample(1.0, 0, 0, 35), Sample(0.0, 0, 0, 35), True),
    ],
    ids=["first line", "it moves", "nothing killed", "some wait", "nothing left"],
)
def test_that_reason_is_given_for_nothing_else(now: Sample, before: Sample | None, killed: bool) -> None:
    assert day.progress(now, before, killed=killed).endswith(" dead letters")


def test_what_is_amiss_is_told_of_checks_that_do_not_hold(capsys: pytest.CaptureFixture[str]) -> None:
    done = [Check("lost", False, 31, 32, "M0031 <b> no line"), Check("kept", True, 1, 1, "nothing")]
    Console().show_checks(done, Path("report.html"))
    said = capsys.readouterr().out
    shown = page.page("Demo", "now", [], "", done, {})
    assert "lost: M0031 <b> no line" in said
    assert "lost<br><small>M0031 &lt;b&gt; no line</small>" in shown
    assert "nothing" not in said + shown.partition("<table")[2]


def test_what_is_kept_is_looked_at_by_commands_of_every_aws_cli(capsys: pytest.CaptureFixture[str]) -> None:
    shop = SimpleNamespace(
        orders_table="orders", log_group="/aws/lambda/shop", queue_url="http://q", api=Api("http://a")
    )
    Console().show_kept(
        "http://127.0.0.1:4566", cast("Any", shop), cast("Any", SimpleNamespace(url="http://s")), "kill 1"
    )
    lines = capsys.readouterr().out.splitlines()
    assert "  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1" in lines
    on = "--endpoint-url http://127.0.0.1:4566"
    assert f"  aws {on} logs filter-log-events --log-group-name /aws/lambda/shop --max-items 20" in lines
    assert "  curl -i http://a/orders/20001" in lines
    assert "  curl -i http://s/" in lines
    assert f"  .venv/bin/serverless-patterns route list {on} --history ShopSite.RouteControl" in lines
