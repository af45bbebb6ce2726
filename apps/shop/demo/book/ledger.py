"""The demo's own ledger: what was accepted, and what has to be seen of it. By none of the shop's code."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demo.book.orders import ADD, CANCEL, CANCELLED, PAID, PAY, PLACE, PLACED, SHIP, SHIPPED, Command, Line, total

_BECOMES = {PAY: PAID, SHIP: SHIPPED, CANCEL: CANCELLED}
COUNTED = (PAID, SHIPPED)
"""As revenue."""


@dataclass(frozen=True)
class Entry:
    """A command that was accepted, as its first answer says."""

    command: Command
    version: int
    token: str


@dataclass(frozen=True)
class Booked:
    """An order, as its entries leave it."""

    customer: str
    status: str
    lines: Sequence[Line]
    version: int

    @property
    def row(self) -> Mapping[str, Any] | None:
        """In its customer's list."""
        if self.status == CANCELLED:
            return None
        return {"status": self.status, "lines": len(self.lines), "cents": total(self.lines)}


def by_order(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """In the order in which they were decided."""
    found: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=lambda one: one.version):
        found.setdefault(entry.command.order_id, []).append(entry)
    return found


def fold(entries: Iterable[Entry]) -> dict[str, Booked]:
    """Orders by their id."""
    return {id: _folded(history) for id, history in by_order(entries).items()}


def lists(orders: Mapping[str, Booked]) -> dict[str, dict[str, Mapping[str, Any]]]:
    """Rows by customer and order."""
    found: dict[str, dict[str, Mapping[str, Any]]] = {order.customer: {} for order in orders.values()}
    for id, order in orders.items():
        if order.row is not None:
            found[order.customer][id] = order.row
    return found


def revenue(orders: Mapping[str, Booked]) -> dict[int, dict[str, int]]:
    """Cents and pieces by product."""
    cents, pieces = Counter[int](), Counter[int]()
    for order in orders.values():
        for line in order.lines if order.status in COUNTED else ():
            cents[line["product_id"]] += line["cents"] * line["quantity"]
            pieces[line["product_id"]] += line["quantity"]
    return {product: {"cents": cents[product], "pieces": pieces[product]} for product in sorted(cents)}


def dashboard(orders: Mapping[str, Booked]) -> dict[str, Any]:
    """What it has to say of them."""
    products = sorted(revenue(orders).items(), key=lambda it: (-it[1]["cents"], str(it[0])))
    counts = Counter(order.status for order in orders.values() if order.row is not None)
    return {
        "orders": dict(counts),
        "cents": sum(amounts["cents"] for _, amounts in products),
        "best": [{"product_id": str(product), "cents": amounts["cents"]} for product, amounts in products[:5]],
    }


def _folded(history: Sequence[Entry]) -> Booked:
    customer, status, lines = "", "", list[Line]()
    for entry in history:
        body = entry.command.body
        if entry.command.name == PLACE:
            customer, status, lines = body["customer_id"], PLACED, [*body["lines"]]
        elif entry.command.name == ADD:
            lines.append(body["line"])
        else:
            status = _BECOMES[entry.command.name]
    return Booked(customer, status, lines, history[-1].version)
