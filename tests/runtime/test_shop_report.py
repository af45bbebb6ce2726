"""The demo's report: one page that needs nothing else, says what happened, and never passes text through as markup."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from demo import checks, report, saga_picture
from demo.api_checks import answers_202
from demo.outcome import Outcome
from demo.troubles import ENDS, TROUBLES
from showing import charts
from showing.charts import Axis, Mark, Series, Span
from showing.page import results, write

from tests.runtime.shop_day import play

VOID = {"meta", "br"}


@pytest.fixture(scope="module")
def day() -> Outcome:
    return play()


@pytest.fixture(scope="module")
def page(day: Outcome) -> str:
    return report.page(day, checks.check(day), 'ran <here> & "now"')


def test_results_hold_exactly_the_promised_fields(day: Outcome, tmp_path: Path) -> None:
    done = checks.check(day)
    _, machine = write(tmp_path / "out" / "demo", report.page(day, done, "a day"), done)
    found = json.loads(machine.read_text())
    assert found.keys() == {"ok", "checks"}
    assert found["ok"] is True
    assert all(check.keys() == {"name", "ok", "value", "expected"} for check in found["checks"])
    assert len(found["checks"]) == len(checks.check(day))


def test_one_failed_check_fails_the_whole_and_leads_the_page(day: Outcome) -> None:
    missed = replace(day, faults=[replace(day.faults[0], fired=0)])
    done = checks.check(missed)
    assert results(done)["ok"] is False
    assert f'<span class="bad">1 of {len(done)} checks failed' in report.page(missed, done, "")


def test_the_page_asks_for_nothing_from_outside(page: str) -> None:
    assert not re.search(r"https?://|src=|@import|url\((?!#)|<link", page)


def test_text_is_escaped(page: str) -> None:
    assert "ran &lt;here&gt; &amp; &quot;now&quot;" in page
    assert "Answer &lt;lost&gt;" in page
    assert "<lost>" not in page


def test_every_element_is_closed(page: str) -> None:
    open_elements: list[str] = []

    class Checker(HTMLParser):
        def handle_starttag(self, tag: str, _: object) -> None:
            if tag not in VOID:
                open_elements.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert open_elements.pop() == tag

    Checker().feed(page)
    assert open_elements == []


def test_each_fault_is_numbered_in_the_table_and_on_every_chart(page: str, day: Outcome) -> None:
    assert page.count('<span class="flag">') == len(day.faults)
    charts_of_the_day = page.partition('data-run="day"')[2].partition("</section>")[0]
    assert charts_of_the_day.count('<g class="mark">') == 3 * len(day.faults)


def test_dead_letters_are_counted_by_reason_before_and_after_the_redrive(page: str, day: Outcome) -> None:
    back = len(day.redriven)
    row = re.search(r"<tr><td>out of stock or unknown<br>.*?</tr>", page)
    assert row is not None
    assert re.findall(r'<td class="figure">(\d+)</td>', row[0]) == [str(back), "0"]


def test_the_architecture_shows_the_figures_of_the_run(page: str, day: Outcome) -> None:
    accepted = len(answers_202(day.answers))
    past = len(day.traffic.past_the_api)
    assert accepted + past == len(day.sent)
    for figure in (
        f"{len(day.answers)} calls",
        f"{accepted} accepted (202), no function",
        f"{past} sent",
        f"{len(day.redriven)} redriven after the fix",
    ):
        assert f">{figure}<" in page


def test_each_route_has_its_answers_by_status_and_its_times(page: str, day: Outcome) -> None:
    door = page.partition("At the front door")[2].partition("</section>")[0]
    orders = re.search(r"<b>POST /orders</b>.*?</tr>", door)
    assert orders is not None
    accepted = len(answers_202(day.answers))
    assert f'<span class="chip good"><b>202</b> \N{MULTIPLICATION SIGN} {accepted}</span>' in orders[0]
    assert '<span class="chip refused"><b>401</b>' in orders[0]
    assert re.findall(r">(\d+ ms)<", orders[0]) == ["10 ms"] * 3


def test_what_was_refused_is_listed_by_status_with_what_was_wrong(page: str) -> None:
    row = re.search(r'<tr><td><span class="chip refused"><b>415</b></span></td>.*?</tr>', page)
    assert row is not None
    assert "text/plain" in row[0]
    assert "application/xml" in row[0]


def test_the_saga_is_drawn_with_the_checkouts_on_each_way(page: str, day: Outcome) -> None:
    drawn = page.partition('class="architecture saga"')[2].partition("</svg>")[0]
    ways = saga_picture.ways(day.checkouts.executions.values())
    assert f">{len(day.checkouts.executions)} checkouts<" in drawn
    assert drawn.count("<polyline") == len(ways) + 1 + 2, "the ways, the start, and two kinds of resuming"
    assert ">2 resumed</text>" in drawn  # the goods' return, and the refund
    assert ">1 resumed</text>" in drawn
    for status in ENDS:
        assert f">{status}</text>" in drawn
        assert sum(count for (_, to), count in ways.items() if to == status) == len(day.checkouts.of_status(status))
    to_the_card = sum(count for (_, to), count in ways.items() if to == "ChargeCard")
    assert to_the_card == sum(count for (begin, _), count in ways.items() if begin == "ChargeCard")
    assert ways["Manager", "ChargeCard"] > 0


def test_every_trouble_has_a_row_with_how_its_checkouts_ended(page: str) -> None:
    rows = page.partition("What befell them")[2].partition("</table>")[0]
    assert rows.count("<tr>") == 1 + 1 + len(TROUBLES)
    row = re.search(r"<tr><td>Ship</td><td>DynamoDB out of reach, every time</td>.*?</tr>", rows)
    assert row is not None
    assert '<span class="chip bad"><b>FORWARD_PARKED</b> \N{MULTIPLICATION SIGN} 2</span>' in row[0]


def test_the_data_behind_the_cursor_is_json(page: str) -> None:
    data = re.search(r"const runs = (.*);", page)
    assert data is not None
    assert {name: len(run["charts"]) for name, run in json.loads(data[1]).items()} == {
        "day": 3,
        "placed": 1,
        "book": 2,
        "move": 3,
    }


def test_the_move_is_drawn_with_what_was_set_and_what_was_seen(page: str, day: Outcome) -> None:
    drawn = page.partition('data-run="move"')[2].partition("</section>")[0]
    assert drawn.count("<svg") == 3
    assert drawn.count('class="line age"') == drawn.count('class="line waiting"') == 3
    assert re.findall(r"<title>(.*?)</title>", drawn) == [
        "killed by the demo",
        "a bad version is deployed",
        "killed by rollback",
    ]
    assert day.move is not None
    row = re.search(r"<tr><td>GET /profile/\{id\}</td>.*?</tr>", drawn)
    assert row is not None
    visits = day.move.of("GET /profile/{id}")
    new = sum(visit.side == "new" for visit in visits)
    assert re.findall(r">(\d+)<", row[0]) == [str(len(visits)), str(len(visits) - new), str(new), "0"]


def test_a_day_without_a_move_has_a_page_too(day: Outcome) -> None:
    stayed = replace(day, move=None)
    page = report.page(stayed, checks.check(stayed), "")
    assert 'data-run="move"' not in page
    assert len(checks.check(stayed)) < len(checks.check(day))


@pytest.mark.parametrize(
    ("top", "expected"), [(5, [0, 1, 2, 3, 4, 5]), (900, [0, 200, 400, 600, 800]), (1.2, [0, 0.5, 1])]
)
def test_ticks_are_round(top: float, expected: list[float]) -> None:
    assert charts.ticks(top) == pytest.approx(expected)


def test_the_chart_reaches_above_its_highest_value_and_its_limit() -> None:
    axis = Axis(until=10, spans=[Span(0, 10, "drain")], marks=[Mark(3, "1", "cut")])
    svg = charts.chart("x", [Series("a", [(0, 0), (5, 101), (10, 0)], "age")], axis, limit=(140, "cap"))
    heights = [float(y) for y in re.findall(r",(-?[\d.]+)[ \"]", svg)]
    assert min(heights) >= charts.TOP
    assert ">150</text>" in svg


def test_an_empty_run_still_draws() -> None:
    assert "<svg" in charts.chart("x", [Series("a", [], "age", "area")], Axis(until=1))


def test_steps_hold_a_value_until_the_next() -> None:
    svg = charts.chart("x", [Series("a", [(0, 0), (5, 2)], "age", "step")], Axis(until=10))
    (points,) = re.findall(r'<polyline[^>]*points="([^"]*)"', svg)
    (_, first), (_, held), (_, second) = [point.split(",") for point in points.split(" ")]
    assert first == held != second
