"""A marketplace's orders without AWS: the shop's own functions, and the few rules of a topic with a fan-in."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import marketplace
from demo.api import Answer, Call
from demo.placed.orders import ANALYTICS, DEPARTMENTS, INVENTORY, INVOICING, Placement, pieces, plan
from demo.placed.outcome import CORRELATION, DEADLINE, LATE, STALLED, WELL, Department, Placed
from demo.placed.placing import ROUTE
from showing.deployed import DeadLetter
from showing.fan_out import Struck
from showing.timeline import Handled

from serverless_patterns_runtime import Completion, Effects, Invocation, PermanentError
from serverless_patterns_runtime.testing import Table, commit

NOON = 1_790_000_000.0
FUNCTIONS: dict[str, Callable[..., Any]] = {
    INVENTORY: lambda order, _: marketplace.pick(order),
    INVOICING: lambda order, _: marketplace.invoice(order),
    ANALYTICS: marketplace.analyse,
}
CLOSED, DUE, OPENED = NOON + 10, NOON + 30, NOON + 31


@dataclass
class Shop:
    stock: Table
    tables: dict[str, Table] = field(init=False)
    results: dict[tuple[str, str], Any] = field(default_factory=dict)
    """By order and department."""
    handled: dict[str, list[Handled]] = field(default_factory=lambda: {name: [] for name in (*DEPARTMENTS, "ends")})
    dead: dict[str, list[DeadLetter]] = field(default_factory=lambda: {name: [] for name in DEPARTMENTS})

    def __post_init__(self) -> None:
        by_order = {name: Table(key=("order_id",)) for name in ("PICKS", "INVOICES", "PLACED")}
        self.tables = {"STOCK": self.stock, **by_order}

    def take(self, department: str, order: Placement, at: float) -> None:
        """As a queue's consumer takes a message: refused for good, done before, or done."""
        if (order.order_id, department) in self.results:
            return self._say(department, order, "Duplicate", at)
        try:
            made = FUNCTIONS[department](order.body, Invocation.fake())
            self.results[order.order_id, department] = commit(made, self.tables) if isinstance(made, Effects) else made
        except PermanentError as error:
            letter = DeadLetter("dead", order.text.decode(), error.message, "PermanentError", _correlation(order))
            self.dead[department].append(letter)
            return self._say(department, order, "Refused", at)
        return self._say(department, order, "Succeeded", at)

    def end(self, order: Placement, at: float) -> None:
        """With what there is."""
        results = {name: self.results[order.order_id, name] for name in order.expected if self._has(order, name)}
        completion = Completion(
            key=order.order_id,
            outcome="deadline" if order.missing else "complete",
            results=results,
            missing=sorted(order.expected - results.keys()),
        )
        commit(marketplace.finish(completion), self.tables)
        self._say("ends", order, "Succeeded", at)

    def seen(self, name: str) -> Department:
        return Department(self.handled[name], self.dead.get(name, []), undelivered=0, left=0)

    def by_order(self, table: str) -> dict[str, Any]:
        return {row["order_id"]: row for row in self.tables[table].items}

    def _has(self, order: Placement, department: str) -> bool:
        return (order.order_id, department) in self.results

    def _say(self, name: str, order: Placement, outcome: str, at: float) -> None:
        self.handled[name].append(Handled(at, f"{order.order_id} to {name}", _correlation(order), outcome, 1))


def play(count: int = 40) -> Placed:
    """As the demo's, with nothing wrong but what is to be."""
    planned = plan(count)
    opening = {product: number + 5 for product, number in pieces(planned).items()}
    rows = [{"product_id": product, "on_hand": number} for product, number in opening.items()]
    shop = Shop(Table(key=("product_id",), items=rows))
    answers: list[Answer] = []
    for number, order in enumerate(planned):
        at = (CLOSED if order.stalled else NOON) + 1 + number / 100
        answers += [_answer(order, at)] * order.tellings
        closed = {ANALYTICS} if order.stalled else set()
        for _ in range(order.tellings):
            for name in order.expected - closed:
                shop.take(name, order, at + 0.5)
        shop.end(order, DUE if order.missing else at + 1)
    for order in planned:
        if order.stalled and ANALYTICS in order.expected:
            for _ in range(order.tellings):
                shop.take(ANALYTICS, order, OPENED + 1)
    return Placed(
        orders=planned,
        answers=answers,
        rows=shop.by_order("PLACED"),
        invoices=shop.by_order("INVOICES"),
        picks=shop.by_order("PICKS"),
        opening=opening,
        stock={row["product_id"]: row["on_hand"] for row in shop.stock.items},
        departments={name: shop.seen(name) for name in DEPARTMENTS},
        completions=shop.seen("ends"),
        late={order.order_id: frozenset({ANALYTICS}) for order in planned if order.stalled and order.missing},
        struck=[Struck("Result <lost>", "cut", 3)],
        phases=_phases(),
        stalled=(CLOSED, OPENED),
    )


def _phases() -> dict[str, tuple[float, float]]:
    times: Sequence[float] = (NOON, CLOSED, CLOSED + 10, OPENED, OPENED + 2)
    return dict(zip((WELL, STALLED, DEADLINE, LATE), pairwise(times), strict=True))


def _answer(order: Placement, at: float) -> Answer:
    headers = {"X-Correlation-Id": _correlation(order)}
    call = Call(ROUTE, (202,), body=order.text, headers=headers, caller="marketplace")
    return Answer(
        call, 202, {"content-type": "application/json"}, json.dumps({"key": order.order_id}).encode(), at, 0.1
    )


def _correlation(order: Placement) -> str:
    return f"{CORRELATION}{order.order_id}"
