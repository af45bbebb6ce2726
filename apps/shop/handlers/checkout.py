"""A checkout's own part: goods that are set aside, given back, or sent. The card is in `card.py`."""

from decimal import Decimal
from typing import Any

from orders import goods_of, line_total

from serverless_patterns_runtime import Attr, Effects, Invocation, PermanentError, Put, StepInput, Update


class OutOfStock(PermanentError):
    """Nothing was set aside."""


class CheckedOut(PermanentError):
    """Nothing was set aside: another execution has the basket."""


def reserve(step: StepInput, invocation: Invocation) -> Effects:
    """Take the goods from stock and say what they cost, in cents; all of them or none. A basket is checked out once."""
    lines: list[Any] = step.input["lines"]
    goods = goods_of(lines)
    amount = int(sum(map(line_total, lines), Decimal(0)) * 100)
    checkout = {
        "checkout_id": step.input["checkout_id"],
        "status": "RESERVED",
        "execution": invocation.correlation_id,
        "customer": step.input["customer"],
        "lines": [{"product_id": product, "quantity": quantity} for product, quantity in goods.items()],
        "amount": amount,
    }
    return Effects(
        writes=[
            Put(
                "CHECKOUTS",
                checkout,
                condition=Attr("checkout_id").not_exists() | (Attr("status") == "CANCELLED"),
                otherwise=CheckedOut("this checkout is under way, or done"),
            ),
            *[_take(product, quantity) for product, quantity in goods.items()],
        ],
        result={"amount": amount},
    )


def release(step: StepInput) -> Effects:
    """Put the goods back."""
    goods = goods_of(step.input["lines"])
    return Effects(
        writes=[
            Update(
                "CHECKOUTS",
                {"checkout_id": step.input["checkout_id"]},
                set={"status": "CANCELLED"},
                condition=Attr("status") == "RESERVED",
            ),
            *[Update("STOCK", {"product_id": product}, add={"on_hand": n}) for product, n in goods.items()],
        ]
    )


def ship(step: StepInput) -> Effects:
    """Hand the goods to the carrier: paid for, so this only ever goes forward."""
    checkout_id = step.input["checkout_id"]
    return Effects(
        writes=[
            Update(
                "CHECKOUTS",
                {"checkout_id": checkout_id},
                set={"status": "SHIPPED", "charge_id": step.results["ChargeCard"]["charge_id"]},
                condition=Attr("status") == "RESERVED",
            )
        ],
        result={"parcel": f"parcel of {checkout_id}"},
    )


def _take(product: int, quantity: int) -> Update:
    return Update(
        "STOCK",
        {"product_id": product},
        add={"on_hand": -quantity},
        condition=Attr("on_hand") >= quantity,  # also false for a product that is not in the table
        otherwise=OutOfStock(f"out of stock or unknown: product {product}"),
    )
