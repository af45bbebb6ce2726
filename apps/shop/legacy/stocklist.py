"""What the site knew when it opened: the products and the customers of the demo's orders. No HTTP in here."""

import functools
from collections.abc import Sequence
from typing import TypedDict

from demo import wholesale


class Product(TypedDict):
    product_id: int
    name: str
    price_cents: int
    tags: list[str]
    """The words of its name: `æbelø`, `oat`, `crackers`."""


class Profile(TypedDict):
    customer_id: str
    name: str
    street: str
    city: str
    country: str


@functools.cache
def products() -> Sequence[Product]:
    """By id."""
    prices = {line["product_id"]: line["unit_price"] for order in wholesale.generate() for line in order["lines"]}
    return [
        Product(product_id=number, name=name, price_cents=round(100 * prices[number]), tags=name.lower().split())
        for number, name in sorted(wholesale.product_names().items())
    ]


@functools.cache
def profiles() -> Sequence[Profile]:
    """By id: everybody who has ever ordered."""
    known = {order["customer"]["customer_id"]: order for order in wholesale.generate()}
    return [
        Profile(
            customer_id=customer,
            name=order["customer"]["name"],
            **{part: order["ship_to"][part] for part in ("street", "city", "country")},
        )
        for customer, order in sorted(known.items())
    ]
