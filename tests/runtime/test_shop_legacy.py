"""The site as it was before it moved: visitors, cookies, pages and downloads."""

import json
import re
from collections.abc import Generator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from legacy.answer import Answer, Asked
from legacy.books import opened
from legacy.sessions import COOKIE, PASSWORD
from legacy.site import Site
from legacy.stocklist import products, profiles

EVERY_BYTE = bytes(range(256)) * 40
CUSTOMER, OTHER = (profile["customer_id"] for profile in profiles()[:2])


@pytest.fixture
def site(tmp_path: Path) -> Generator[Site]:
    database = opened(tmp_path / "site.sqlite")
    yield Site(database, "key", sleep=lambda _: None)
    database.close()


def ask(site: Site, call: str, body: bytes | dict = b"", **headers: str) -> Answer:
    method, _, target = call.partition(" ")
    sent = [(name.replace("_", "-"), value) for name, value in {"Host": "shop.test", **headers}.items()]
    return site.answer(Asked(method, target, sent, body if isinstance(body, bytes) else json.dumps(body).encode()))


def all_of(answer: Answer, name: str) -> list[str]:
    return [value for given, value in answer.headers if given == name]


def cookie_of(answer: Answer) -> str:
    """The session's, as the visitor's next `Cookie` line."""
    (line,) = [value for value in all_of(answer, "Set-Cookie") if value.startswith(COOKIE)]
    return line.partition(";")[0]


def logged_in(site: Site, customer: str = CUSTOMER, password: str = PASSWORD, **headers: str) -> Answer:
    return ask(site, "POST /login", urlencode({"customer": customer, "password": password}).encode(), **headers)


# Visitors


def test_a_login_sets_two_cookies_and_ends_the_session_from_before_it(site: Site) -> None:
    before = cookie_of(ask(site, "GET /"))
    answer = logged_in(site, Cookie=before)
    assert (answer.status, all_of(answer, "Location")) == (303, ["http://shop.test/account"])
    assert len(all_of(answer, "Set-Cookie")) == 2
    after = cookie_of(answer)
    assert after != before
    assert ask(site, "GET /account", Cookie=after).status == 200
    assert cookie_of(ask(site, "GET /", Cookie=before)) != before, "the old one is a stranger's"


def test_a_visitor_who_is_known_is_given_no_other_cookie(site: Site) -> None:
    known = cookie_of(ask(site, "GET /"))
    assert all_of(ask(site, "GET /", Cookie=known), "Set-Cookie") == []


def test_a_session_ends_with_the_logout(site: Site) -> None:
    cookie = cookie_of(logged_in(site))
    ended = ask(site, "POST /logout", Cookie=cookie)
    assert [line.partition(";")[0] for line in all_of(ended, "Set-Cookie")] == [f"{COOKIE}=", "shop_name="]
    assert ask(site, f"GET /profile/{CUSTOMER}", Cookie=cookie).status == 401


@pytest.mark.parametrize("password", ["", "wrong"])
def test_a_wrong_password_sets_no_cookie(site: Site, password: str) -> None:
    answer = logged_in(site, password=password)
    assert (answer.status, all_of(answer, "Set-Cookie")) == (403, [])


@pytest.mark.parametrize("cookie", ["", "x", "a.b.c", f"a.{CUSTOMER}.", "a.b.é", f"a.{CUSTOMER}.{'0' * 64}"])
def test_a_made_up_cookie_is_nobody(site: Site, cookie: str) -> None:
    assert ask(site, f"GET /profile/{CUSTOMER}", Cookie=f"{COOKIE}={cookie}").status == 401


# What it answers


def test_a_profile_is_shown_to_its_customer_and_changed_by_nobody_else(site: Site) -> None:
    mine = cookie_of(logged_in(site))
    shown = json.loads(ask(site, f"GET /profile/{CUSTOMER}", Cookie=mine).body)
    assert shown == profiles()[0]
    assert ask(site, f"GET /profile/{OTHER}", Cookie=mine).status == 403
    assert ask(site, f"PUT /profile/{OTHER}", {"city": "Évora"}, Cookie=mine).status == 403
    changed = ask(site, f"PUT /profile/{CUSTOMER}", {"city": "Évora", "customer_id": OTHER}, Cookie=mine)
    assert json.loads(changed.body) == {**shown, "city": "Évora"}
    assert json.loads(ask(site, f"GET /profile/{CUSTOMER}", Cookie=mine).body)["city"] == "Évora"
    assert ask(site, f"PUT /profile/{CUSTOMER}", b"no JSON", Cookie=mine).status == 400
    assert ask(site, f"PUT /profile/{CUSTOMER}", {"city": 5}, Cookie=mine).status == 400


def test_a_catalogue_is_searched_by_words_and_any_of_several_tags(site: Site) -> None:
    found = json.loads(ask(site, "GET /catalogue?tag=jam&tag=eel&q=%C3%A6bel").body)
    assert [product["name"] for product in found["products"]] == ["Æbelø Plum Jam", "Æbelø Smoked Eel"]
    pages = [json.loads(ask(site, f"GET /catalogue?page={number}").body) for number in range(1, 6)]
    assert [product for page in pages for product in page["products"]] == [*products()]
    assert [page["more"] for page in pages] == [True, True, True, False, False]
    assert {page["total"] for page in pages} == {80}
    for wrong in ("", "0", "x", "1001", "²"):
        assert ask(site, f"GET /catalogue?{urlencode({'page': wrong})}").status == 400


def test_a_key_puts_something_in_the_basket_once_and_means_one_thing(site: Site) -> None:
    mine, others = (cookie_of(logged_in(site, customer)) for customer in (CUSTOMER, OTHER))
    wanted = {"product_id": 1, "quantity": 2}
    first, again = (ask(site, "POST /basket", wanted, Cookie=mine, Idempotency_Key="k") for _ in range(2))
    assert (first.status, first.body) == (again.status, again.body) == (201, first.body)
    assert (all_of(first, "Idempotent-Replayed"), all_of(again, "Idempotent-Replayed")) == ([], ["true"])
    assert ask(site, "POST /basket", {**wanted, "quantity": 3}, Cookie=mine, Idempotency_Key="k").status == 422
    assert ask(site, "POST /basket", wanted, Cookie=others, Idempotency_Key="k").status == 201, "a key is a customer's"
    assert json.loads(ask(site, "GET /basket", Cookie=mine).body)["lines"] == [wanted]
    assert [effect["customer_id"] for effect in site.effects()] == [CUSTOMER, OTHER]


def test_without_a_key_twice_is_twice(site: Site) -> None:
    mine = cookie_of(logged_in(site))
    for _ in range(2):
        ask(site, "POST /basket", {"product_id": 1, "quantity": 2}, Cookie=mine)
    assert len(site.effects()) == 2


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        [],
        b"{",
        {"product_id": 0, "quantity": 1},
        {"product_id": 1, "quantity": 0},
        {"product_id": 1, "quantity": True},
    ],
    ids=str,
)
def test_what_nobody_can_put_in_a_basket_is_refused(site: Site, wanted) -> None:
    assert ask(site, "POST /basket", wanted, Cookie=cookie_of(logged_in(site))).status == 400
    assert ask(site, "POST /basket", wanted).status in (400, 401)
    assert site.effects() == []


# Pages


def test_links_say_where_the_visitor_believes_the_site_to_be(site: Site) -> None:
    direct = ask(site, "GET /").body.decode()
    forwarded = {"X_Forwarded_Proto": "https", "X_Forwarded_Host": "shop.example", "X_Forwarded_Prefix": "/live"}
    behind = ask(site, "GET /", **forwarded)
    assert set(re.findall('href="([^"]*)catalogue"', direct)) == {"http://shop.test/"}
    assert behind.body.decode() == direct.replace("http://shop.test/", "https://shop.example/live/")
    assert len(all_of(behind, "Link")) == 2


def test_what_moved_is_a_redirect_and_what_is_not_there_a_page(site: Site) -> None:
    assert all_of(ask(site, "GET /old"), "Location") == ["http://shop.test/catalogue"]
    assert all_of(ask(site, "GET /old/downloads/prices.csv"), "Location") == ["http://shop.test/downloads/prices.csv"]
    missing = ask(site, "GET /%3Cscript%3E")
    assert missing.status == 404
    assert b"There is no /&lt;script&gt;." in missing.body
    for call in ("DELETE /basket", "POST /", "GET /downloads/none", "GET /login/x", "GET /account/x"):
        assert ask(site, call).status == 404, call


# Downloads


def test_a_download_is_every_byte_of_it_or_the_part_that_was_asked_for(site: Site) -> None:
    whole = ask(site, "GET /downloads/every-byte.bin")
    assert (whole.status, whole.body) == (200, EVERY_BYTE)
    assert all_of(whole, "Content-Disposition") == ['attachment; filename="every-byte.bin"']
    for asked, content in {"0-0": EVERY_BYTE[:1], "250-": EVERY_BYTE[250:], "-3": EVERY_BYTE[-3:]}.items():
        part = ask(site, "GET /downloads/every-byte.bin", Range=f"bytes={asked}")
        assert (part.status, part.body) == (206, content)
    assert all_of(part, "Content-Range") == ["bytes 10237-10239/10240"]
    assert ask(site, "GET /downloads/every-byte.bin", Range="bytes=10240-").status == 416
    for unread in ("bytes=-", "lines=1-2", "bytes=0-1,3-4"):
        assert ask(site, "GET /downloads/every-byte.bin", Range=unread).status == 200


def test_what_somebody_has_already_is_not_sent_again(site: Site) -> None:
    (tag,) = all_of(ask(site, "GET /downloads/prices.csv"), "ETag")
    again = ask(site, "GET /downloads/prices.csv", If_None_Match=f'"other", {tag}')
    assert (again.status, again.body, all_of(again, "ETag")) == (304, b"", [tag])
