"""Customers at once: each gives one command after the other, and looks at his list after each order."""

import itertools
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from demo.book.counter import Counter
from demo.book.ledger import Booked, Entry, fold
from demo.book.orders import life


@dataclass(frozen=True)
class OwnWrite:
    """A look at one's own list, right after a command was accepted, with its token."""

    order_id: str
    expected: Mapping[str, Any] | None
    seen: Mapping[str, Any] | None
    seconds: float


@dataclass
class Customer:
    name: str
    counter: Counter
    looks: list[OwnWrite] = field(default_factory=list[OwnWrite])

    def order(self, number: int) -> None:
        """All that becomes of one order; then a look."""
        entries = [entry for command in life(self.name, number) if (entry := self.counter.send(command))]
        self._look(entries)

    def _look(self, entries: Sequence[Entry]) -> None:
        order_id, last = entries[-1].command.order_id, entries[-1]
        answer = self.counter.page(self.name, min_version=last.token, prefix=order_id)
        rows = {row["order_id"]: shown(row) for row in answer.said("rows") or ()}
        expected: Booked = fold(entries)[order_id]
        self.looks.append(OwnWrite(order_id, expected.row, rows.get(order_id), answer.seconds))


class Crowd:
    """Customers order from the beginning of the block until it ends and each has had his share."""

    def __init__(self, customers: Sequence[Customer], orders: int) -> None:
        """`orders`: of each, at least."""
        self._customers, self._orders = customers, orders
        self._closed = threading.Event()
        self._pool = ThreadPoolExecutor(len(customers))
        self._running: list[Future[None]] = []

    def __enter__(self) -> "Crowd":
        self._running = [self._pool.submit(self._shop, customer) for customer in self._customers]
        return self

    def __exit__(self, *_: object) -> None:
        """Every order that was begun comes to its end. Raises what a customer has met."""
        self._closed.set()
        self._pool.shutdown()
        for one in self._running:
            one.result()

    def _shop(self, customer: Customer) -> None:
        for number in itertools.count(1):
            if number > self._orders and self._closed.is_set():
                return
            customer.order(number)


def shown(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a list's row says of an order, as the ledger does."""
    return {name: row[name] for name in ("status", "lines", "cents")}
