"""What it means to fulfil a wholesale order, and to ask for one. No AWS in here: the runtime reads and writes."""

from collections import Counter
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from auth import require

from serverless_patterns_runtime import Attr, Effects, Invocation, PermanentError, Put, Request, Update

CENT = Decimal("0.01")
MAX_AMOUNT = 1_000_000  # for a price, a freight or a quantity: more is a slip of the keyboard
MAX_PRODUCTS = 98  # one DynamoDB transaction holds 100 writes: the claim, the order, and one per product
SHOWN = ("order_id", "status", "customer", "ship_to", "lines", "total")  # to callers; the rest is ours


def fulfil(order: dict[str, Any], invocation: Invocation) -> Effects:
    """Take an order's goods from stock and record it as fulfilled, or refuse it for good."""
    lines: Any = order.get("lines")
    wanted = goods_of(lines)
    row = {
        "order_id": order["order_id"],
        "status": "FULFILLED",
        "customer": order.get("customer"),
        "ship_to": order.get("ship_to"),
        "lines": [{"product_id": product, "quantity": quantity} for product, quantity in wanted.items()],
        "total": sum((line_total(line) for line in lines), _amount(order.get("freight", 0), "freight")),
        "correlation_id": invocation.correlation_id,
    }
    return Effects(
        writes=[
            # Claims are forgotten after their retention; an order that is already in the table never is.
            Put("ORDERS", row, condition=Attr("order_id").not_exists(), otherwise=PermanentError("already fulfilled")),
            *[take_from_stock(product, quantity) for product, quantity in wanted.items()],
        ],
        result={"order_id": order["order_id"]},
    )


def get(request: Request, invocation: Invocation) -> dict[str, Any]:
    """What became of an order."""
    require("orders", request)
    order = invocation.table("ORDERS").get(order_id=request.params["order_id"])
    if order is None:
        raise PermanentError("no such order, or it is not fulfilled yet", status=404)
    return {name: order[name] for name in SHOWN}


def line_total(line: Mapping[str, Any]) -> Decimal:
    """Price x quantity less the discount, rounded half up to the cent: per line, as the invoice prints it."""
    price, discount = _amount(line.get("unit_price"), "unit_price"), _amount(line.get("discount", 0), "discount")
    if discount >= 1:
        raise PermanentError(f"discount must be below 1, got {discount}")
    return (price * _quantity(line) * (1 - discount)).quantize(CENT, ROUND_HALF_UP)


def goods_of(lines: Any) -> Counter[int]:
    """How many of each product. A product on several lines is one write: DynamoDB takes one per item."""
    if not isinstance(lines, list) or not lines:
        raise PermanentError("an order needs at least one line")
    wanted: Counter[int] = Counter()
    for line in lines:
        if not isinstance(line, dict) or not _is_whole(line.get("product_id")):
            raise PermanentError("every line needs a product_id, a whole number")
        wanted[line["product_id"]] += _quantity(line)
    if len(wanted) > MAX_PRODUCTS:
        raise PermanentError(f"an order may name at most {MAX_PRODUCTS} products, this one names {len(wanted)}")
    return wanted


def take_from_stock(product: int, quantity: int) -> Update:
    """So many pieces less on hand, or a refusal for good."""
    return Update(
        "STOCK",
        {"product_id": product},
        add={"on_hand": -quantity},
        condition=Attr("on_hand") >= quantity,  # also false for a product that is not in the table
        otherwise=PermanentError(f"out of stock or unknown: product {product}, {quantity} wanted"),
    )


def _quantity(line: Mapping[str, Any]) -> int:
    quantity = line.get("quantity")
    if not _is_whole(quantity) or not 1 <= quantity <= MAX_AMOUNT:
        raise PermanentError(f"quantity must be a whole number from 1 to {MAX_AMOUNT:,}")
    return quantity


def _amount(value: Any, name: str) -> Decimal:
    """A JSON number, exactly as it was written: `str` of a float is the shortest text that means the same."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= MAX_AMOUNT:
        raise PermanentError(f"{name} must be a number from 0 to {MAX_AMOUNT:,}")
    return Decimal(str(value))


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
