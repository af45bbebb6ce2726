"""What a visitor does: looks around, logs in, and then goes on for as long as the doors are open."""

import json
import time
from collections.abc import Callable, Iterator
from http.client import HTTPException
from random import Random
from urllib.parse import quote, urlencode

from legacy.server import POWERED_BY
from legacy.sessions import PASSWORD
from legacy.stocklist import products, profiles

from demo.move.browser import Browser, Page
from demo.move.visit import BASKET, CATALOGUE, PAGES, PROFILE, Visit

_TAGS = ("jam", "eel", "honey", "æbelø", "großmann")
_ELSEWHERE = ("/account", "/basket", "/downloads/every-byte.bin", "/old", "/nowhere")
_STATUSES = {"/old": 302, "/nowhere": 404}
LOGIN_AGAIN = 25  # requests after which a visitor logs in anew


class Visitor:
    """Does one thing at a time; whoever calls `visit` waits for its answer."""

    def __init__(self, number: int, url: str, numbers: Iterator[int], clock: Callable[[], float] = time.time) -> None:
        """`numbers`: of requests, shared by all visitors."""
        self.number = number
        self.profile = profiles()[number % len(profiles())]
        self._browser, self._numbers, self._clock = Browser(url), numbers, clock
        self._random = Random(number)
        self._done = self._logins = 0
        self._last_basket: tuple[str, bytes] | None = None

    def visit(self) -> Visit:
        """The next thing."""
        self._done += 1
        if self._done <= len(_ARRIVING):
            return _ARRIVING[self._done - 1](self)
        if self._done % LOGIN_AGAIN == 0:
            return self._log_in()
        (what,) = self._random.choices([Visitor._look, Visitor._search, Visitor._take, Visitor._stroll], [4, 4, 4, 1])
        return what(self)

    def _come(self) -> Visit:
        return self._ask(PAGES, "GET", "/", lambda page: page.status == 200)

    def _log_in(self) -> Visit:
        form = urlencode({"customer": self.profile["customer_id"], "password": PASSWORD}).encode()
        before = self._browser.cookies.get("shop_session")
        visit = self._ask(
            PAGES,
            "POST",
            "/login",
            lambda page: page.status == 303 and self._browser.cookies.get("shop_session") != before,
            body=form,
        )
        self._logins += 1
        return visit

    def _look(self) -> Visit:
        """At the own profile."""
        return self._ask(
            PROFILE,
            "GET",
            f"/profile/{self.profile['customer_id']}",
            lambda page: page.status == 200 and json.loads(page.body) == self.profile,
        )

    def _search(self) -> Visit:
        tags = self._random.sample(_TAGS, 2)
        found = [product["product_id"] for product in products() if {*tags} & {*product["tags"]}]
        return self._ask(
            CATALOGUE,
            "GET",
            "/catalogue?" + "&".join(f"tag={quote(tag)}" for tag in tags),
            lambda page: (
                page.status == 200
                and [product["product_id"] for product in json.loads(page.body)["products"]] == found[:20]
            ),
        )

    def _take(self) -> Visit:
        """Something into the basket; now and then the same again, as after an answer that got lost."""
        if self._last_basket is None or self._random.random() < 0.7:
            wanted = {"product_id": self._random.randint(1, 80), "quantity": self._random.randint(1, 9)}
            key = f"visitor-{self.number}-{self._done}"
            self._last_basket = key, json.dumps(wanted).encode()
        key, body = self._last_basket
        told = {"customer_id": self.profile["customer_id"], **json.loads(body)}
        return self._ask(
            BASKET,
            "POST",
            "/basket",
            lambda page: page.status == 201 and json.loads(page.body) == told,
            body=body,
            key=key,
        )

    def _stroll(self) -> Visit:
        where = self._random.choice(_ELSEWHERE)
        return self._ask(PAGES, "GET", where, lambda page: page.status == _STATUSES.get(where, 200))

    def _ask(
        self,
        route: str,
        method: str,
        target: str,
        is_right: Callable[[Page], bool],
        *,
        body: bytes = b"",
        key: str = "",
    ) -> Visit:
        number, begun = next(self._numbers), self._clock()
        headers = {"X-Visit": str(number), "Accept": "*/*"}
        if body:
            headers["Content-Type"] = "application/json" if key else "application/x-www-form-urlencoded"
        if key:
            headers["Idempotency-Key"] = key
        try:
            page = self._browser.ask(method, target, body, headers)
        except (OSError, HTTPException):
            page = Page(0, [], b"")
        return Visit(
            number=number,
            visitor=self.number,
            route=route,
            key=key,
            begun=begun,
            seconds=self._clock() - begun,
            status=page.status,
            side="old" if POWERED_BY in page.all("X-Powered-By") else "new",
            right=_holds(is_right, page),
            logins=self._logins,
        )


_ARRIVING = (Visitor._come, Visitor._search, Visitor._log_in, Visitor._look)
"""A visitor looks around before he logs in, so that he is known by a cookie that a login replaces."""


def _holds(is_right: Callable[[Page], bool], page: Page) -> bool:
    try:
        return is_right(page)
    except (ValueError, KeyError, TypeError):  # no JSON, or another one
        return False
