"""The site behind its paths.

- `GET /`, `/login`, `/account`, and every 404: pages
- `POST /login` (`customer`, `password`), `POST /logout`: another session, two cookies, 303
- `GET`, `PUT /profile/{id}`: JSON, for who is logged in as this customer
- `GET /catalogue?q=...&tag=...&tag=...&page=...`: JSON
- `GET`, `POST /basket` (`{"product_id", "quantity"}`, with an `Idempotency-Key`): JSON, for who is logged in
- `GET /downloads/{name}`: bytes; `GET /reports/slow?seconds=...`: a page that takes its time, sent piece by piece
- `GET /old`, `/old/...`: 302, to where it is now
"""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

from legacy import pages
from legacy.answer import Answer, Asked, Refused, data, page, redirect
from legacy.books import PAGE, Books, KeyReused
from legacy.downloads import download
from legacy.sessions import COOKIE, PASSWORD, Sessions
from legacy.stocklist import Profile, products

MOST_SECONDS = 40.0
PIECES = 8


class Site:
    """Safe to use from several threads: they take turns, all but slow ones."""

    def __init__(
        self, database: sqlite3.Connection, session_key: str, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        self._books, self._sessions = Books(database), Sessions(database, session_key)
        self._sleep, self._lock = sleep, threading.Lock()

    def answer(self, asked: Asked) -> Answer:
        with self._lock:
            try:
                return self._answer(asked)
            except Refused as refused:
                return refused.answer

    def effects(self) -> list[dict[str, Any]]:
        """Everything that was ever put in a basket."""
        with self._lock:
            return self._books.effects()

    def _answer(self, asked: Asked) -> Answer:
        method = "GET" if asked.method == "HEAD" else asked.method
        first, _, rest = asked.path.removeprefix("/").partition("/")
        answered = None
        match method, f"/{first}", rest:
            case "GET", "/" | "/login" | "/account", "":
                answered = self._page(asked, first)
            case "POST", "/login" | "/logout", "":
                answered = self._log_in(asked) if first == "login" else self._log_out(asked)
            case "GET" | "PUT", "/profile", _:
                answered = self._profile(asked, method, rest)
            case "GET", "/catalogue", "":
                answered = self._catalogue(asked)
            case "GET" | "POST", "/basket", "":
                answered = self._basket(asked, method)
            case "GET", "/downloads", _:
                answered = download(asked, rest)
            case "GET", "/reports", "slow":
                answered = self._report(asked)
            case "GET", "/old", _:
                answered = redirect(f"{asked.origin}/{rest or 'catalogue'}")
            case _:
                pass
        return answered or page(pages.not_found(asked.origin, asked.path), 404)

    def _page(self, asked: Asked, name: str) -> Answer:
        if name == "login":
            return page(pages.login(asked.origin))
        customer = self._sessions.customer(asked.cookies.get(COOKIE, ""))
        if name == "account":
            profile = self._books.profile(customer or "")
            return page(pages.account(asked.origin, profile)) if profile else redirect(f"{asked.origin}/login")
        # Who comes for the first time gets a session too, which a login replaces.
        cookies = self._sessions.begin() if customer is None else ()
        early = [("Link", f"<{asked.origin}/{style}.css>; rel=preload") for style in ("screen", "print")]
        return page(pages.front(asked.origin, len(products())), 200, *early, *cookies)

    def _log_in(self, asked: Asked) -> Answer:
        given = asked.form()
        customer = given.get("customer", "")
        if given.get("password") != PASSWORD or not self._books.profile(customer):
            return page(pages.login(asked.origin), 403)
        cookies = self._sessions.begin(customer, instead_of=asked.cookies.get(COOKIE, ""))
        return redirect(f"{asked.origin}/account", 303, *cookies)

    def _log_out(self, asked: Asked) -> Answer:
        return redirect(f"{asked.origin}/", 303, *self._sessions.end(asked.cookies.get(COOKIE, "")))

    def _profile(self, asked: Asked, method: str, customer: str) -> Answer | None:
        if self._customer(asked) != customer:
            return data({"error": "not yours"}, 403)
        profile = self._books.profile(customer)
        if profile and method == "PUT":
            changed = _body(asked)
            if not isinstance(changed, dict) or not all(isinstance(value, str) for value in changed.values()):
                return data({"error": "a profile is an object of texts"}, 400)
            told = {name: changed.get(name, known) for name, known in profile.items()}
            profile = cast("Profile", {**told, "customer_id": customer})
            self._books.change_profile(profile)
        return data(profile) if profile else None

    def _catalogue(self, asked: Asked) -> Answer:
        words, tags = asked.query.get("q", [""])[-1], asked.query.get("tag", [])
        number = asked.query.get("page", ["1"])[-1]
        if not number.isascii() or not number.isdigit() or not 1 <= int(number) <= 1_000:
            return data({"error": "page is a number from 1"}, 400)
        found, total = self._books.search(words, tags, int(number))
        more = int(number) * PAGE < total
        told = {"products": found, "total": total, "page": int(number), "more": more}
        return data(told, 200, ("Cache-Control", "max-age=5"))

    def _basket(self, asked: Asked, method: str) -> Answer:
        customer = self._customer(asked)
        if method == "GET":
            return data({"customer_id": customer, "lines": self._books.basket(customer)})
        wanted = _body(asked)
        product, quantity = (
            wanted.get(name) if isinstance(wanted, dict) else None for name in ("product_id", "quantity")
        )
        known = [one["product_id"] for one in products()]
        if type(quantity) is not int or not 1 <= quantity <= 1_000 or type(product) is not int or product not in known:
            return data({"error": "a product_id that we have, and a quantity from 1 to 1,000"}, 400)
        try:
            done, before = self._books.put_in_basket(customer, product, quantity, asked.header("Idempotency-Key"))
        except KeyReused:
            return data({"error": "the key was used for something else"}, 422)
        return data(done, 201, *([("Idempotent-Replayed", "true")] if before else []))

    def _customer(self, asked: Asked) -> str:
        """Raises Refused for who is not logged in."""
        customer = self._sessions.customer(asked.cookies.get(COOKIE, ""))
        if not customer:
            raise Refused(data({"error": "log in first"}, 401))
        return customer

    def _report(self, asked: Asked) -> Answer:
        try:
            seconds = min(max(float(asked.query.get("seconds", ["2"])[-1]), 0), MOST_SECONDS)
        except ValueError:
            return data({"error": "seconds is a number"}, 400)
        return Answer(200, [("Content-Type", "text/html; charset=utf-8")], pieces=self._rows(asked.origin, seconds))

    def _rows(self, origin: str, seconds: float) -> Iterator[bytes]:
        """Computed while it is sent, outside of the turns."""
        sold = [(one["name"], one["price_cents"]) for one in products()]
        yield pages.report_head(origin).encode()
        for piece in range(PIECES):
            self._sleep(seconds / PIECES)
            yield pages.report_rows(sold[piece * len(sold) // PIECES : (piece + 1) * len(sold) // PIECES]).encode()
        yield pages.REPORT_END.encode()


def _body(asked: Asked) -> Any:
    """JSON, or Refused."""
    try:
        return json.loads(asked.body)
    except ValueError:
        raise Refused(data({"error": "the body is no JSON"}, 400)) from None
