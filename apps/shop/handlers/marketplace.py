"""An order that customers have placed on a marketplace: what each department does with it, and when it is ready.

The marketplace tells of an order until it is told 202, so often twice; departments work beside each other, and none
waits for another one. Each of these functions is a department of its own.
"""

from typing import Any
from uuid import uuid4

from orders import goods_of, take_from_stock

from serverless_patterns_runtime import Attr, Completion, Effects, Invocation, PermanentError, Put

MARKETS = {"France", "Germany", "Portugal", "Poland", "Italy", "Spain", "Ireland", "Norway"}


def pick(order: dict[str, Any]) -> Effects:
    """Inventory: take the goods from stock and list them for the pickers."""
    goods = goods_of(order["lines"])
    pieces = sum(goods.values())
    row = {
        "order_id": order["order_id"],
        "goods": [{"product_id": product, "quantity": quantity} for product, quantity in goods.items()],
    }
    return Effects(
        writes=[
            Put("PICKS", row, condition=Attr("order_id").not_exists()),
            *[take_from_stock(product, quantity) for product, quantity in goods.items()],
        ],
        result={"pieces": pieces},
    )


def invoice(order: dict[str, Any]) -> Effects:
    """Invoicing: one invoice, with a number of its own. Tried again it would have another one: the first one stands."""
    number = f"I-{uuid4().hex[:12].upper()}"
    row = {
        "order_id": order["order_id"],
        "number": number,
        "customer": order["customer"],
        "cents": order["cents"],
    }
    return Effects(
        writes=[Put("INVOICES", row, condition=Attr("order_id").not_exists())],
        result={"number": number},
    )


def analyse(order: dict[str, Any], invocation: Invocation) -> dict[str, Any]:
    """Analytics, of large orders only: which market is buying. It writes nothing but a line, so it may run twice."""
    market = order["country"]
    if market not in MARKETS:
        raise PermanentError("the order is from a market that nobody has set up")
    invocation.logger.info("large order", extra={"market": market, "cents": order["cents"]})
    return {"market": market}


def finish(completion: Completion) -> Effects:
    """All departments are done: READY. Or their time is over: ATTENTION, and somebody sees to what is missing."""
    row = {
        "order_id": completion.key,
        "status": "READY" if completion.outcome == "complete" else "ATTENTION",
        "done": sorted(completion.results),
        "missing": [*completion.missing],
        "invoice": completion.results.get("Invoicing", {}).get("number"),
    }
    return Effects(writes=[Put("PLACED", row, condition=Attr("order_id").not_exists())])
