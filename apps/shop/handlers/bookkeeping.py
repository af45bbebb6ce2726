"""The order book: what becomes of a customer's order, and what is seen of all of them. No AWS, no clock, no table.

`decide` is asked for each command; the others make rows and sums of one order, and the dashboard of those.
"""

from collections import Counter
from typing import Any

from serverless_patterns_runtime import Command, Decision, PermanentError, Sources

Order = dict[str, Any]

PLACED, PAID, SHIPPED, CANCELLED = "PLACED", "PAID", "SHIPPED", "CANCELLED"
MAX_LINES = 200
BEST = 5


def decide(order: Order | None, command: Command) -> Decision:
    """Place an order, add a line to it, pay, ship or cancel it: or refuse, with what stands in the way."""
    if command.name == "place":
        if order is not None:
            raise PermanentError(f"there is an order {command.key} already", status=409)
        placed = {"customer_id": command.body["customer_id"], "lines": command.body["lines"], "status": PLACED}
        return _decided(placed)
    if order is None:
        raise PermanentError("no such order", status=404)
    match command.name, order["status"]:
        case "add", "PLACED" if len(order["lines"]) < MAX_LINES:
            return _decided({**order, "lines": [*order["lines"], command.body["line"]]})
        case "pay", "PLACED" if command.body["cents"] == total(order):
            return _decided({**order, "status": PAID})
        case "pay", "PLACED":
            raise PermanentError(f"the order costs {total(order)} cents by now", status=409)
        case "ship", "PAID":
            return _decided({**order, "status": SHIPPED})
        case "cancel", "PLACED" | "PAID":
            return _decided({**order, "status": CANCELLED})
    raise PermanentError(f"{command.name}: not with an order that is {order['status']}", status=409)


def by_customer(order: Order) -> list[dict[str, Any]]:
    """A row for the list of a customer's orders; one that is cancelled is not in it."""
    if order["status"] == CANCELLED:
        return []
    row = {name: order[name] for name in ("customer_id", "order_id", "status")}
    return [{**row, "lines": len(order["lines"]), "cents": total(order)}]


def revenue(order: Order) -> dict[str, dict[str, int]]:
    """What an order adds to the revenue of each of its products: nothing unless it is paid."""
    if order["status"] not in (PAID, SHIPPED):
        return {}
    cents, pieces = Counter[str](), Counter[str]()
    for line in order["lines"]:
        product = str(line["product_id"])
        cents[product] += line["cents"] * line["quantity"]
        pieces[product] += line["quantity"]
    return {product: {"cents": cents[product], "pieces": pieces[product]} for product in cents}


def sales(sources: Sources) -> dict[str, Any]:
    """The dashboard: orders by status, the revenue, and the products that bring most of it."""
    orders = Counter(row["status"] for row in sources.rows("ByCustomer"))
    products = sorted(sources.totals("Revenue"), key=lambda it: (-it.get("cents", 0), it["product_id"]))
    return {
        "orders": dict(sorted(orders.items())),
        "cents": sum(product.get("cents", 0) for product in products),
        "best": [{"product_id": it["product_id"], "cents": it.get("cents", 0)} for it in products[:BEST]],
    }


def total(order: Order) -> int:
    """In cents."""
    return sum(line["cents"] * line["quantity"] for line in order["lines"])


def _decided(order: Order) -> Decision:
    return Decision(order, result={"status": order["status"], "cents": total(order)})
