"""The order book without AWS: the shop's own functions decide and project, one after the other."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import bookkeeping
from demo.api import Answer, Call
from demo.book import ledger
from demo.book.counter import LIST
from demo.book.customers import OwnWrite, shown
from demo.book.ledger import Entry
from demo.book.orders import Command, hot, life, scribbled
from demo.book.outcome import HOT, PAST, QUIET, REBUILD, TRAFFIC, Book, Lag, Progress
from demo.book.readers import Look, Rows
from showing.fan_out import Struck

from serverless_patterns_runtime import Command as Asked
from serverless_patterns_runtime import PermanentError, Sources

NOON = 1_790_000_000.0
CALLER = "desk-north"


@dataclass
class Shop:
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    replays: int = 0

    def send(self, command: Command) -> None:
        before = self.orders.get(command.order_id)
        state = None if before is None else {name: it for name, it in before.items() if name != "version"}
        try:
            asked = Asked.fake(command.name, command.body, key=command.order_id)
            decision = bookkeeping.decide(state, asked)
        except PermanentError as error:
            return self._answer(command, error.status or 409, {"title": error.message})
        assert decision.state is not None
        version = 1_000 if before is None else before["version"] + 1
        self.orders[command.order_id] = {**decision.state, "order_id": command.order_id, "version": version}
        self.entries.append(Entry(command, version, f"{version}@{command.order_id}"))
        for telling in range(command.tellings):
            self.replays += telling
            self._answer(command, 200, {"version": version}, replayed=bool(telling))
        return None

    def rows(self) -> list[dict[str, Any]]:
        return [row for order in self.orders.values() for row in bookkeeping.by_customer(order)]

    def lists(self) -> dict[str, Rows]:
        found: dict[str, dict[str, Mapping[str, Any]]] = {order["customer_id"]: {} for order in self.orders.values()}
        for row in self.rows():
            found[row["customer_id"]][row["order_id"]] = shown(row)
        return {**found}

    def revenue(self) -> dict[int, dict[str, int]]:
        found: dict[int, dict[str, int]] = {}
        for order in self.orders.values():
            for product, amounts in bookkeeping.revenue(order).items():
                sums = found.setdefault(int(product), {"cents": 0, "pieces": 0})
                for name, amount in amounts.items():
                    sums[name] += amount
        return found

    def _answer(self, command: Command, status: int, body: Any, *, replayed: bool = False) -> None:
        headers = {"Idempotency-Key": command.id}
        expected = (404, 409) if command.why else (200,)
        call = Call(command.route, expected, why=command.why, headers=headers, caller=CALLER)
        kind = "application/json" if status == 200 else "application/problem+json"
        told = {"content-type": kind} | ({"idempotent-replayed": "true"} if replayed else {})
        at = NOON + len(self.answers) / 10
        self.answers.append(Answer(call, status, told, json.dumps(body).encode(), at, 0.1))


def play(customers: int = 3, orders: int = 6) -> Book:
    """As the demo's, with nothing wrong but what is to be."""
    shop = Shop()
    early = [f"early-{n}" for n in (1, 2)]
    for customer in early:
        _orders(shop.send, customer, 2)
    steady = {customer: rows for customer, rows in shop.lists().items() if customer in early}
    for n in range(1, customers + 1):
        _orders(shop.send, f"c{n}", orders)
    first, lines = hot()
    for command in (first, *lines, *scribbled()):
        shop.send(command)
    products = [{"product_id": str(product), **sums} for product, sums in shop.revenue().items()]
    book = ledger.fold(shop.entries)
    return Book(
        answers=shop.answers,
        asked_again=[_page("c1", 503)],
        entries=shop.entries,
        replays=shop.replays,
        unlike=[],
        orders=shop.orders,
        lists=shop.lists(),
        rows={row["order_id"]: row for row in shop.rows()},
        revenue=shop.revenue(),
        dashboard=bookkeeping.sales(Sources.fake({"ByCustomer": shop.rows(), "Revenue": products})),
        looks=[OwnWrite(id, order.row, order.row, 0.2) for id, order in book.items()],
        steady=steady,
        pages=[Look(NOON + 5 + n / 10, early[n % 2], 200, steady[early[n % 2]]) for n in range(10)],
        progress=[
            Progress(NOON + 5, 1, "done", 0, 0, 0),
            Progress(NOON + 6, 1, "scan", 9, 0, 0),
            Progress(NOON + 8, 2, "drop", 9, 9, 0),
        ],
        lags=[Lag(NOON + n, n % 4 / 2) for n in range(12)],
        scribbled=2,
        parked=0,
        struck=[Struck("Row <refused>", "refused", 3)],
        phases={
            TRAFFIC: (NOON, NOON + 5),
            REBUILD: (NOON + 5, NOON + 9),
            HOT: (NOON + 9, NOON + 12),
            PAST: (NOON + 12, NOON + 13),
            QUIET: (NOON + 13, NOON + 14),
        },
    )


def _orders(send: Callable[[Command], None], customer: str, count: int) -> None:
    for number in range(1, count + 1):
        for command in life(customer, number):
            send(command)


def _page(customer: str, status: int) -> Answer:
    call = Call(LIST, (200,), path=f"/customers/{customer}/orders", caller=CALLER)
    return Answer(call, status, {"content-type": "application/problem+json"}, b"{}", NOON, 0.1)
