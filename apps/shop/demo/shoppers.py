"""Checkouts of an evening: baskets of real shapes, most of which go well, and some of each trouble."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any

from demo import troubles
from demo.troubles import APPROVED_UP_TO, Trouble
from demo.wholesale import Order

MOST_LINES = 4


@dataclass(frozen=True)
class Shopper:
    checkout_id: str
    """Of the basket: the customer's own."""
    basket: Mapping[str, Any]
    """Input of the saga."""
    trouble: Trouble

    @property
    def needs_approval(self) -> bool:
        return self.amount > APPROVED_UP_TO and not self.trouble.out_of_stock

    @property
    def goods(self) -> Counter[int]:
        """Pieces by product."""
        goods: Counter[int] = Counter()
        for line in self.basket["lines"]:
            goods[line["product_id"]] += line["quantity"]
        return goods

    @property
    def amount(self) -> int:
        """Cents, each line rounded half up."""
        prices = [Decimal(str(line["unit_price"])) * line["quantity"] for line in self.basket["lines"]]
        return sum(int((100 * price).quantize(Decimal(1), ROUND_HALF_UP)) for price in prices)


def plan(orders: Sequence[Order], sold_out: Iterable[int], count: int, seed: int = 5) -> list[Shopper]:
    """`count` checkouts with the customers and lines of these orders, and with every trouble, shuffled."""
    random, none_left = Random(seed), sorted(sold_out)
    befallen = [each for each in troubles.TROUBLES for _ in range(min(each.times, 1 + count // 100))]
    chosen = befallen + [troubles.NONE] * (count - len(befallen))
    random.shuffle(chosen)
    return [
        Shopper(id, {"checkout_id": id, **_basket(random, orders, none_left, trouble)}, trouble)
        for id, trouble in ((f"checkout-{number:04}", trouble) for number, trouble in enumerate(chosen, 1))
    ]


def wanted(shoppers: Iterable[Shopper]) -> Counter[int]:
    """Pieces of each product that those want together who can get them."""
    goods: Counter[int] = Counter()
    for shopper in shoppers:
        if not shopper.trouble.out_of_stock:
            goods += shopper.goods
    return goods


def _basket(random: Random, orders: Sequence[Order], sold_out: Sequence[int], trouble: Trouble) -> Mapping[str, Any]:
    """Nobody but those who are to find nothing wants what is sold out."""
    order = random.choice(
        [order for order in orders if any(line["product_id"] not in sold_out for line in order["lines"])]
    )
    lines = [
        {"product_id": line["product_id"], "unit_price": line["unit_price"], "quantity": 1 + line["quantity"] % 3}
        for line in order["lines"]
        if line["product_id"] not in sold_out
    ][:MOST_LINES]
    if trouble.rejected:
        lines[0]["quantity"] += 2 * APPROVED_UP_TO // 100
    if trouble.out_of_stock:
        lines.append({"product_id": random.choice(sold_out), "unit_price": 1, "quantity": 1})
    return {"customer": order["customer"], "lines": lines}
