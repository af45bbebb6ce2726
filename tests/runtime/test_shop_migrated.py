"""The routes that moved: for the same visitor they answer what the old site answers."""

import json
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import baskets
import catalogue
import profiles
import pytest
from legacy.answer import Asked
from legacy.books import opened
from legacy.sessions import COOKIE, PASSWORD
from legacy.site import Site
from legacy.stocklist import products
from legacy.stocklist import profiles as customers

from serverless_patterns_runtime import Invocation, Request
from serverless_patterns_runtime.testing import Table, answer, commit

KEY = "the old site's key"
MINE, OTHER = (profile["customer_id"] for profile in customers()[:2])
SEARCHES = [
    "",
    *("?q=jam", "?q=%C3%86BEL", "?q=%20", "?q=none", "?q=a&q=jam"),
    *("?tag=jam", "?tag=jam&tag=eel", "?tag=%C3%A6bel%C3%B8&q=o", "?tag=", "?tag=none"),
    *("?page=2", "?page=4", "?page=5", "?page=1000", "?page=1&page=2"),
    *("?page=0", "?page=1001", "?page=", "?page=x", "?page=-1", "?page=%C2%B2"),
]


@pytest.fixture
def site(tmp_path: Path) -> Generator[Site]:
    database = opened(tmp_path / "site.sqlite")
    yield Site(database, KEY)
    database.close()


def tables() -> Mapping[str, Table]:
    return {
        "PROFILES": Table(key=["customer_id"], items=[*customers()]),
        "CATALOGUE": Table(key=["catalogue"], items=[{"catalogue": "all", "products": [*products()]}]),
        "BASKET_LINES": Table(key=["line_id"]),
    }


def old(site: Site, call: str, body: Any = None, cookie: str = "", **headers: str) -> tuple[int, Any]:
    method, _, target = call.partition(" ")
    sent = [("Host", "shop.test"), *([("Cookie", f"{COOKIE}={cookie}")] if cookie else []), *headers.items()]
    answered = site.answer(Asked(method, target, sent, b"" if body is None else json.dumps(body).encode()))
    return answered.status, json.loads(answered.body)


def new(function: Any, call: str, body: Any = None, cookie: str = "") -> tuple[int, Any]:
    method, _, target = call.partition(" ")
    path, query = urlsplit(target).path, parse_qs(urlsplit(target).query, keep_blank_values=True)
    route = {"/profile": f"{method} /profile/{{id}}"}.get(path.rpartition("/")[0], f"{method} {path}")
    request = Request.fake(
        route,
        params={"id": path.rpartition("/")[2]} if "{" in route else {},
        query={name: tuple(values) for name, values in query.items()},
        cookies={COOKIE: cookie} if cookie else {},
        caller=None,
        body=body,
    )
    answered = answer(function, request, Invocation.fake(tables=tables(), secrets={"SESSION_KEY": KEY}))
    return answered.status, answered.body


def session(site: Site, customer: str = MINE) -> str:
    """The cookie of somebody who has logged in at the old site."""
    form = urlencode({"customer": customer, "password": PASSWORD}).encode()
    headers = dict(site.answer(Asked("POST", "/login", [("Host", "shop.test")], form)).headers[1:2])
    return headers["Set-Cookie"].partition("=")[2].partition(";")[0]


@pytest.mark.parametrize("search", SEARCHES)
def test_a_search_finds_what_the_old_one_finds(site: Site, search: str) -> None:
    (status, before), (status_now, now) = (
        old(site, f"GET /catalogue{search}"),
        new(catalogue.search, f"GET /catalogue{search}"),
    )
    assert status_now == status
    assert status != 200 or now == before


def test_every_customer_sees_the_profile_that_the_old_site_shows(site: Site) -> None:
    for customer in customers():
        call, cookie = f"GET /profile/{customer['customer_id']}", session(site, customer["customer_id"])
        assert new(profiles.show, call, cookie=cookie) == old(site, call, cookie=cookie) == (200, customer)


def test_nobody_else_sees_it(site: Site) -> None:
    mine, signature = session(site), "0" * 64
    made_up = ["", "x", "a.b.c", f"a.{MINE}.{signature}", f"{mine}0", f".{mine}", mine.replace(MINE, OTHER), "é.é.é"]
    strangers = [*made_up, f"a.{MINE}.{'0' * 10_000}", session(Site(site._sessions._database, "another key"))]
    for cookie in strangers:
        for call in (f"GET /profile/{MINE}", f"GET /profile/{OTHER}"):
            assert new(profiles.show, call, cookie=cookie)[0] == old(site, call, cookie=cookie)[0] == 401, cookie
    call = f"GET /profile/{OTHER}"
    assert new(profiles.show, call, cookie=mine)[0] == old(site, call, cookie=mine)[0] == 403


def test_a_visitor_who_has_not_logged_in_is_nobody(site: Site) -> None:
    ((_, line),) = [header for header in site.answer(Asked("GET", "/", [])).headers if header[0] == "Set-Cookie"]
    cookie = line.partition("=")[2].partition(";")[0]
    assert new(profiles.show, f"GET /profile/{MINE}", cookie=cookie)[0] == 401


@pytest.mark.parametrize(
    "wanted",
    [
        {"product_id": 1, "quantity": 2},
        {"product_id": 80, "quantity": 1_000},
        *([], {}, "x", 5, None),
        *({"product_id": product, "quantity": 1} for product in (0, 81, "1", 1.0, True, None)),
        *({"product_id": 1, "quantity": quantity} for quantity in (0, -1, 1_001, 1.5, "1", True, None)),
    ],
    ids=str,
)
def test_what_can_be_put_in_a_basket_is_what_could(site: Site, wanted: Any) -> None:
    cookie = session(site)
    before, now = (
        old(site, "POST /basket", wanted, cookie, **{"Idempotency-Key": "k"}),
        new(baskets.add, "POST /basket", wanted, cookie),
    )
    assert now[0] == before[0]
    assert now[0] != 201 or now[1] == before[1]


def test_a_line_is_written_with_the_key_that_it_came_under(site: Site) -> None:
    shop = tables()
    request = Request.fake(
        "POST /basket",
        cookies={COOKIE: session(site)},
        headers={"Idempotency-Key": "k"},
        body={"product_id": 1, "quantity": 2},
        caller=None,
    )
    invocation = Invocation.fake(tables=shop, secrets={"SESSION_KEY": KEY}, idempotency_key="digest")
    commit(baskets.add(request, invocation), shop)
    line = shop["BASKET_LINES"].get(line_id="digest")
    assert line == {"line_id": "digest", "customer_id": MINE, "product_id": 1, "quantity": 2, "key": "k"}
