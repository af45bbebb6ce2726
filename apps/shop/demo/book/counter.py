"""Where commands and queries are sent from: by HTTP, and every answer kept."""

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from demo.api import Answer, Api, Call
from demo.book.ledger import Entry
from demo.book.orders import PLACE, Command
from demo.hostile import JSON

ORDER, LIST = "GET /order-book/{order_id}", "GET /customers/{customer_id}/orders"
REVENUE, SALES = "GET /revenue/{product_id}", "GET /sales"
TRIES = 10
NOT_NOW = (429, 500, 502, 503, 504)
"""Nobody knows what became of it: whoever wants it sends it again, under the same id."""


@dataclass
class Counter:
    api: Api
    caller: str
    headers: Mapping[str, str]
    """That say who it is."""
    answers: list[Answer] = field(default_factory=list[Answer])
    """To commands and queries, the last one to each sending."""
    entries: list[Entry] = field(default_factory=list[Entry])
    asked_again: list[Answer] = field(default_factory=list[Answer])
    """Of what was sent again, with the same id."""
    unlike: list[str] = field(default_factory=list[str])
    """Ids of commands whose second answer was another one than the first."""
    replays: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, command: Command) -> Entry | None:
        """As often as it is told; None when it is refused."""
        answers = [self._call(self._command(command)) for _ in range(command.tellings)]
        first = answers[0]
        with self._lock:
            self.replays += sum(answer.is_replay for answer in answers[1:])
            if any(answer.json != first.json or not answer.is_replay for answer in answers[1:]):
                self.unlike.append(command.id)
            if not first.ok:
                return None
            entry = Entry(command, first.json["version"], first.json["token"])
            self.entries.append(entry)
        return entry

    def page(self, customer: str, expected: tuple[int, ...] = (200,), **asked: Any) -> Answer:
        """Of a customer's list."""
        return self._call(self._query(LIST, f"/customers/{customer}/orders", expected, asked))

    def rows(self, customer: str, **asked: Any) -> list[Mapping[str, Any]]:
        """All of it, page by page."""
        found: list[Mapping[str, Any]] = []
        while True:
            answer = self.page(customer, **asked)
            found += answer.said("rows") or ()
            cursor = answer.said("cursor")
            if not cursor:
                return found
            asked["cursor"] = cursor

    def order(self, order_id: str) -> Answer:
        """As it is now."""
        return self._call(self._query(ORDER, f"/order-book/{order_id}", (200,), {}))

    def revenue(self, product: int) -> Answer:
        return self._call(self._query(REVENUE, f"/revenue/{product}", (200,), {}))

    def sales(self) -> Any:
        """The dashboard."""
        return self._call(self._query(SALES, "/sales", (200,), {})).json

    def _command(self, command: Command) -> Call:
        path = command.route.partition(" ")[2].replace("{order_id}", command.order_id)
        return Call(
            command.route,
            (404, 409) if command.why else (200,),
            why=command.why,
            path=path,
            body=json.dumps(command.body).encode() if command.body or command.name == PLACE else b"",
            headers={**JSON, **self.headers, "Idempotency-Key": command.id},
            caller=self.caller,
        )

    def _query(self, route: str, path: str, expected: tuple[int, ...], asked: Mapping[str, Any]) -> Call:
        full = f"{path}?{urlencode(asked, quote_via=quote)}" if asked else path
        why = "" if expected == (200,) else "a cursor that somebody has changed"
        return Call(route, expected, why=why, path=full, headers=self.headers, caller=self.caller)

    def _call(self, call: Call) -> Answer:
        answer = self.api.call(call)
        for _ in range(TRIES):
            if answer.status not in NOT_NOW:
                break
            with self._lock:
                self.asked_again.append(answer)
            time.sleep(float(answer.headers.get("retry-after", 1)))
            answer = self.api.call(call)
        self._keep(answer)
        return answer

    def _keep(self, answer: Answer) -> None:
        with self._lock:
            self.answers.append(answer)
