"""The shop whose orders by customer are rows in another store; the rest of it is where it was."""

from typing import Any

from serverless_patterns_runtime.cqrs_views.projection import Projection
from serverless_patterns_runtime.cqrs_views.sink import Sink

from ..cqrs_views.shop import ORDERS, Shop
from .sinks import Store

__all__ = ["ShopElsewhere"]


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
