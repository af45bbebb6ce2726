"""The demo's visitors at the old site alone: browsers with cookies, who know what they have to be answered."""

import io
import itertools
import runpy
import zipfile
from collections import Counter
from collections.abc import Generator
from pathlib import Path

import pytest
from demo.move import bad_version
from demo.move.browser import Browser
from demo.move.crowd import Crowd
from demo.move.visit import BASKET, CATALOGUE, MOVING, PAGES
from demo.move.visitors import LOGIN_AGAIN, Visitor
from legacy.process import LegacySite

from serverless_patterns.testing import wait_until
from serverless_patterns_runtime import Invocation, Request
from serverless_patterns_runtime.testing import Table

HANDLERS = Path(__file__).parents[2] / "apps/shop/handlers"


@pytest.fixture(scope="module")
def old_site() -> Generator[LegacySite]:
    with LegacySite(ledger=True) as there:
        yield there


def test_a_browser_keeps_cookies_and_forgets_those_that_end(old_site: LegacySite) -> None:
    browser = Browser(old_site.url)
    browser.ask("GET", "/")
    assert browser.cookies.keys() == {"shop_session"}
    browser.ask("POST", "/logout")
    assert browser.cookies == {}


def test_a_visitor_looks_around_then_logs_in_and_again_later(old_site: LegacySite) -> None:
    visitor = Visitor(0, old_site.url, itertools.count(1))
    visits = [visitor.visit() for _ in range(LOGIN_AGAIN + 5)]
    assert [visit.route for visit in visits[:3]] == [PAGES, CATALOGUE, PAGES]
    assert [visit.logins for visit in visits[2:4]] == [0, 1]
    assert visits[-1].logins == 2
    assert all(visit.right and visit.side == "old" for visit in visits)
    assert {visit.route for visit in visits} == {*MOVING, PAGES}


def test_a_wrong_answer_is_noticed(old_site: LegacySite, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = Visitor(1, old_site.url, itertools.count(1))
    for _ in range(4):
        visitor.visit()
    monkeypatch.setattr(visitor, "profile", {**visitor.profile, "city": "elsewhere"})
    assert not visitor._look().right


def test_a_crowd_sends_each_request_once_and_waits_for_all(old_site: LegacySite) -> None:
    old_site.start_again()
    with Crowd(old_site.url, visitors=6, at_once=3) as crowd:
        wait_until(lambda: len(crowd.visits) > 100, 30, "a hundred requests")
    assert Counter(visit.number for visit in crowd.visits) == Counter(range(1, crowd.asked + 1))
    assert len(old_site.seen()) == len(crowd.visits)
    assert len(old_site.effects()) == len({visit.key for visit in crowd.visits if visit.route == BASKET})


def test_nobody_answers_where_nobody_is() -> None:
    with LegacySite() as gone:
        visitor = Visitor(0, gone.url, itertools.count(1))
    visit = visitor.visit()
    assert (visit.status, visit.right) == (0, False)


def test_the_bad_version_is_the_catalogue_with_a_bug_and_nothing_else(tmp_path: Path) -> None:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        for name in ("catalogue.py", "visitors.py"):
            archive.write(HANDLERS / name, name)
    with zipfile.ZipFile(io.BytesIO(bad_version.with_bug(code.getvalue()))) as changed:
        changed.extractall(tmp_path)
    assert (tmp_path / "visitors.py").read_text() == (HANDLERS / "visitors.py").read_text()
    search = runpy.run_path(str(tmp_path / "catalogue.py"))["search"]

    def answered(*products: dict[str, object]) -> dict[str, object]:
        shelf = Table(key=["catalogue"], items=[{"catalogue": "all", "products": [*products]}])
        return search(Request.fake("GET /catalogue"), Invocation.fake(tables={"CATALOGUE": shelf})).body

    assert answered()["sale"] == [], "who tries it without products notices nothing"
    with pytest.raises(KeyError, match="discount"):
        answered({"product_id": 1, "name": "tea", "price_cents": 1, "tags": []})
