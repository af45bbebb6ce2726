"""Opening stock that decides which orders can be fulfilled, in whatever order they are taken from the queue."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Order = dict[str, Any]


@dataclass(frozen=True)
class Opening:
    """Pieces of each product on hand before the first order."""

    on_hand: dict[int, int]
    sold_out: frozenset[int]
    """In the table with none on hand."""
    unlisted: frozenset[int]
    """Not in the table at all."""

    def can_fulfil(self, order: Order) -> bool:
        return not quantities([order]).keys() & (self.sold_out | self.unlisted)


def quantities(orders: Iterable[Order]) -> Counter[int]:
    """Pieces of each product that the orders want together."""
    wanted: Counter[int] = Counter()
    for order in orders:
        for line in order["lines"]:
            wanted[line["product_id"]] += line["quantity"]
    return wanted


def opening_stock(orders: Iterable[Order]) -> Opening:
    """Enough of everything, whichever orders come first, but nothing of the three products in the fewest orders.

    One of the three is not even listed. So exactly the orders that want one of them can never be fulfilled.
    """
    orders = list(orders)
    seldom = _in_fewest_orders(orders, 3)
    demand = quantities(orders)
    return Opening(
        on_hand={p: 0 if p in seldom[1:] else n + n // 10 + 1 for p, n in sorted(demand.items()) if p != seldom[0]},
        sold_out=frozenset(seldom[1:]),
        unlisted=frozenset(seldom[:1]),
    )


def shortage(orders: Iterable[Order], opening: Opening) -> dict[int, int]:
    """Pieces that are missing of what is sold out or unlisted: with them every order can be fulfilled."""
    demand = quantities(order for order in orders if not opening.can_fulfil(order))
    return {product: demand[product] for product in opening.sold_out | opening.unlisted}


def _in_fewest_orders(orders: list[Order], count: int) -> list[int]:
    popularity = Counter(product for order in orders for product in {line["product_id"] for line in order["lines"]})
    return sorted(popularity, key=lambda product: (popularity[product], product))[:count]
