"""A site that moves, deployed: what stays as it was, who goes where, and what happens when something fails."""

import itertools
import json
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from legacy.process import LegacySite
from legacy.stocklist import profiles

from serverless_patterns.testing import Cloud, EmbeddedCloud, Fault, wait_until
from serverless_patterns_runtime.strangler_gateway.contract import REMOVED_KEPT_SECONDS
from tests.live.live_site import NEW, OLD, LiveSite, problem, side
from tests.live.strangler_stack import BASKET, CATALOGUE, SIDE, StranglerStack

EVERY_BYTE = bytes(range(256)) * 40
HELD_AFTER_SECONDS = 5.5
CUSTOMER = profiles()[0]["customer_id"]
JSON = {"Content-Type": "application/json"}
WANTED = b'{"product_id": 1, "quantity": 1}'


@pytest.fixture(scope="module")
def site(embedded_cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Generator[LiveSite]:
    if not isinstance(embedded_cloud, EmbeddedCloud):
        pytest.skip("the old site is a process on this machine, and faults are injected on the wire")
    app = embedded_cloud.app(tmp_path_factory.mktemp("strangler") / "cdk.out")
    with LegacySite(ledger=True) as old_site:
        stack = StranglerStack(app, "Strangler", old_site.url)
        with embedded_cloud.deploy(app) as deployment:
            yield LiveSite(embedded_cloud, deployment, stack, old_site, tmp_path_factory.mktemp("again"))


# What stays


def test_what_is_not_listed_is_the_old_sites_own(site: LiveSite) -> None:
    browser = site.browser()
    front = browser.ask("GET", "/")
    assert (front.status, side(front), len(front.all("Link"))) == (200, OLD, 2)
    assert f'href="http://{urlsplit(site.url).netloc}/live/catalogue"'.encode() in front.body, (
        "links lead to the gateway"
    )
    before = browser.cookies["shop_session"]
    login = site.log_in(browser, CUSTOMER)
    assert (login.status, len(login.all("Set-Cookie"))) == (303, 2)
    assert browser.cookies["shop_session"] != before
    assert json.loads(browser.ask("GET", "/basket").body) == {"customer_id": CUSTOMER, "lines": []}
    moved = browser.ask("PUT", f"/profile/{CUSTOMER}", b'{"city": "Evora"}', {"Content-Type": "application/json"})
    assert json.loads(moved.body)["city"] == "Evora"
    download = browser.ask("GET", "/downloads/every-byte.bin", headers={"Accept": "*/*"})
    assert (download.body, len(download.all("ETag"))) == (EVERY_BYTE, 1)
    part = browser.ask("GET", "/downloads/every-byte.bin", headers={"Range": "bytes=255-256"})
    assert (part.status, part.body) == (206, b"\xff\x00")
    assert browser.ask("GET", "/old").all("Location")[0].endswith("/catalogue")
    assert browser.ask("GET", "/nowhere").status == 404
    assert site.old_site.seen()[-1].all("X-Tenant") == ["shop"]


def test_through_the_router_it_is_the_same_visitor_at_the_same_address(site: LiveSite) -> None:
    browser = site.browser()
    site.log_in(browser, CUSTOMER)
    profile = browser.ask("GET", f"/profile/{CUSTOMER}?b=2&a=1&b=3", headers={"X-Forwarded-Host": "evil.example"})
    assert (profile.status, side(profile)) == (200, OLD)
    seen = site.old_site.seen()[-1]
    assert (seen.method, seen.target) == ("GET", f"/profile/{CUSTOMER}?b=2&b=3&a=1")
    assert seen.all("X-Forwarded-Prefix") == ["/live"]
    assert seen.all("X-Forwarded-Host") != ["evil.example"]
    assert seen.all("X-Tenant") == ["shop"]


@pytest.mark.parametrize("path", ["..", "%2e%2e", "a%252Fb", "a%00", ";a"])
def test_a_path_that_the_two_sides_may_read_differently_is_sent_to_none(site: LiveSite, path: str) -> None:
    before = len(site.old_site.seen())
    assert problem(site.browser().ask("GET", f"/profile/{path}")) == 400
    assert len(site.old_site.seen()) == before


# Who goes where


def test_a_login_changes_the_cookie_and_not_the_side(site: LiveSite) -> None:
    sides = Counter()
    for profile in profiles()[:16]:
        browser = site.browser()
        before = side(browser.ask("GET", "/catalogue"))
        site.log_in(browser, profile["customer_id"])
        after = [side(browser.ask("GET", "/catalogue?tag=jam&tag=eel")) for _ in range(2)]
        assert after == [before, before]
        sides[before] += 1
    assert set(sides) == {OLD, NEW}, "16 visitors on one side of two: once in 30,000 runs"


def test_a_tester_chooses_the_side(site: LiveSite) -> None:
    pages = [site.forced(chosen, "GET", "/catalogue") for chosen in ("new", "legacy")]
    assert [(side(page), page.all(SIDE)) for page in pages] == [(NEW, ["new"]), (OLD, ["legacy"])]
    assert problem(site.forced("middle", "GET", "/catalogue")) == 400


def test_flips_under_load_lose_nothing_and_double_nothing(site: LiveSite) -> None:
    numbers, closed = itertools.count(), threading.Event()
    answers: list[tuple[str, int, str]] = []  # key, status and side; each key twice, as after an answer that was lost

    def visit(customer: str) -> None:
        browser = site.browser()
        site.log_in(browser, customer)
        while not closed.is_set():
            key = f"flip-{next(numbers)}"
            for _ in range(2):
                page = browser.ask("POST", "/basket", WANTED, {**JSON, "Idempotency-Key": key})
                answers.append((key, page.status, side(page)))

    with ThreadPoolExecutor(4) as visitors:
        visiting = [visitors.submit(visit, profile["customer_id"]) for profile in profiles()[:4]]
        for flip in range(11):
            site.set(BASKET, 0 if flip % 2 else 100)
            seen = len(answers)
            wait_until(lambda seen=seen: len(answers) >= seen + 8, 20, "some traffic between two flips")
        wait_until(lambda: NEW in {where for _, _, where in answers[-8:]}, 20, "the last flip to be noticed")
        closed.set()
    assert [visitor.result() for visitor in visiting] == [None] * 4
    assert {status for _, status, _ in answers} == {201}
    assert Counter(site.effects()) == Counter({key for key, _, _ in answers}), "each once, on one of the sides"
    sides = {key: {where for asked, _, where in answers if asked == key} for key, _, _ in answers}
    assert {len(where) for where in sides.values()} == {1}, "a key stays where it was first sent"
    assert set.union(*sides.values()) == {OLD, NEW}


# Kills


def test_a_kill_holds_within_seconds_and_over_a_deployment(site: LiveSite) -> None:
    assert site.command("set", CATALOGUE, "100")["after"]["percent"] == 100
    assert site.side_of_a_new_router("/catalogue") == NEW
    assert site.command("kill", CATALOGUE)["after"]["killed"] is True
    killed = time.monotonic()
    site.deploy(version=2)
    wait_until(lambda: time.monotonic() - killed > HELD_AFTER_SECONDS, 20, "the time that a command may take")
    assert {side(site.browser().ask("GET", "/catalogue")) for _ in range(8)} == {OLD}
    assert site.standing(CATALOGUE)["killed"] is True
    assert site.side_of_a_new_router("/catalogue") == OLD
    with pytest.raises(subprocess.CalledProcessError) as refused:
        site.command("set", CATALOGUE, "5")
    assert "clear it first" in refused.value.stderr
    site.command("clear", CATALOGUE)
    assert site.side_of_a_new_router("/catalogue") == NEW, "100 percent, as it was set"


# Routes that are gone


def test_once_a_day_what_removed_routes_have_left_is_forgotten_and_nothing_else(site: LiveSite) -> None:
    site.set(CATALOGUE, 50)
    for route, seconds in (("GET /gone", REMOVED_KEPT_SECONDS), ("GET /missed", REMOVED_KEPT_SECONDS - 3_600)):
        site.leave(route, seconds)
    before = site.standing(CATALOGUE)
    swept = site.sweep()
    assert (swept["forgotten"], swept["breakers"]) == (["GET /gone"], ["GET /gone"])
    assert site.standing(CATALOGUE) == before
    assert site.command("clear", "GET /missed")["before"]["stage"] == "removed"


# The table is away


def test_while_the_table_is_away_what_was_seen_last_holds_and_who_has_seen_nothing_asks_legacy(site: LiveSite) -> None:
    site.set(CATALOGUE, 100)
    assert site.side_of_a_new_router("/catalogue") == NEW
    away = Fault.refused("dynamodb", "Query", resource=site.control_table)
    with site.cloud.faults.inject(away) as fault:
        wait_until(lambda: side(site.browser().ask("GET", "/catalogue")) and fault.fired(), 20, "a router to look")
        assert side(site.browser().ask("GET", "/catalogue")) == NEW
        assert site.side_of_a_new_router("/catalogue") == OLD
        assert site.metrics(site.router, "RouteStoreUnavailable")


def test_while_pins_are_away_a_request_with_a_key_is_sent_nowhere(site: LiveSite) -> None:
    before = len(site.old_site.seen())
    away = Fault.refused("dynamodb", "UpdateItem", resource=site.control_table)
    with site.cloud.faults.inject(away):
        page = site.browser().ask("POST", "/basket", WANTED, {**JSON, "Idempotency-Key": "no-pin"})
    assert (problem(page), len(page.all("Retry-After"))) == (503, 1)
    assert len(site.old_site.seen()) == before
    assert "no-pin" not in site.effects()


# A side fails


def test_what_the_new_side_fails_legacy_answers_if_it_is_safe_and_nobody_if_not(site: LiveSite) -> None:
    site.told("report", "fails")
    site.told("add", "dies")
    fallen_back = site.forced("new", "GET", "/reports/slow?seconds=0")
    assert (fallen_back.status, side(fallen_back), fallen_back.all(SIDE)) == (200, OLD, ["legacy"])
    assert site.metrics(site.router, "FellBack")
    before = len(site.old_site.seen())
    assert problem(site.forced("new", "POST", "/basket", {"product_id": 1}, **{"Idempotency-Key": "fell"})) == 502
    assert len(site.old_site.seen()) == before
    site.told("add", "well")
    again = site.forced("new", "POST", "/basket", {"product_id": 1}, **{"Idempotency-Key": "fell"})
    assert (again.status, site.effects().count("fell")) == (201, 1)


def test_a_new_side_that_is_slow_is_not_waited_for(site: LiveSite) -> None:
    site.told("report", "slow")
    began = time.monotonic()
    page = site.forced("new", "GET", "/reports/slow?seconds=0")
    assert (page.status, side(page)) == (200, OLD)
    assert time.monotonic() - began < 8, "what the new side takes"
    site.told("report", "well")


def test_a_new_side_that_is_wrong_is_noticed_while_legacy_answers(site: LiveSite) -> None:
    site.told("show", "wrong")
    browser = site.browser()
    site.log_in(browser, CUSTOMER)
    page = browser.ask("GET", f"/profile/{CUSTOMER}")
    assert (side(page), json.loads(page.body)["name"]) == (OLD, profiles()[0]["name"])
    wait_until(lambda: site.metrics(site.shadow, "ShadowDifferent"), 20, "the shadow to tell")
    assert profiles()[0]["name"] not in "".join(site.cloud.logs(site.shadow)), "differences without values"


def test_with_legacy_down_the_new_side_goes_on(site: LiveSite) -> None:
    site.old_site.stop()
    assert problem(site.forced("legacy", "GET", "/catalogue")) == 502
    assert side(site.forced("new", "GET", "/catalogue")) == NEW
    assert site.browser().ask("GET", "/").status == 504, "API Gateway's own"
    site.old_site.start_again()
    assert site.browser().ask("GET", "/").status == 200
    assert side(site.forced("legacy", "GET", "/catalogue")) == OLD
