"""The shop whose orders by customer are rows in another store; the rest of it is where it was."""

import random
from typing import Any

from serverless_patterns_runtime.cqrs_views.projection import Projection
from serverless_patterns_runtime.cqrs_views.sink import Sink

from ..cqrs_views.shop import ORDERS, Shop, by_customer
from .sinks import Store

__all__ = ["ShopElsewhere", "a_shop", "expected", "history"]


class ShopElsewhere(Shop):
    """Comes before another kind of shop."""

    def __init__(self, store: Store, *arguments: Any, **named: Any) -> None:
        self.store = store
        self.sink = store.sink()
        """Past everything that is tested."""
        super().__init__(*arguments, **named)

    def new_sink(self) -> Sink:
        """As another environment has it."""
        return self.store.sink()

    def new_projection(self) -> Projection:
        made = super().new_projection()
        views = {**made.projector.views, ORDERS: made.projector.views[ORDERS]._replace(store=self.new_sink())}
        return made._replace(projector=made.projector._replace(views=views))

    def stored(self, generation: int = 1) -> list[Any]:
        found: list[Any] = []
        resume: str | None = None
        while True:
            page = self.sink.rows(generation, 0, 1, resume)
            found += page.rows
            if (resume := page.resume) is None:
                return found


def a_shop(store: Store) -> ShopElsewhere:
    sink = store.sink()
    for generation in (1, 2):
        sink.prepare(generation)
    return ShopElsewhere(store)


def expected(shop: Shop) -> dict[tuple[str, Any], Any]:
    found: dict[tuple[str, Any], Any] = {}
    for item in shop.service.tables["orders"].items.values():
        if "deleted" not in item["_aggregate"]["M"]:
            state = {
                "order_id": item["order_id"]["S"],
                "customer": item["customer"]["S"],
                "status": item["status"]["S"],
                "lines": [line["S"] for line in item["lines"]["L"]],
            }
            found |= {(row["customer"], row["order"]): row for row in by_customer(state)}
    return found


def history(shop: Shop, chance: random.Random) -> None:
    for key in ("o-1", "o-2", "o-3"):
        for version in range(1, 7):
            if chance.random() < 0.25:
                shop.delete(key, version)
            else:
                lines = chance.sample("abcd", chance.randrange(5))
                shop.put(key, version, chance.choice(["ada", "bob"]), lines)
