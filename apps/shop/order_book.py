"""The order book: customers' orders, written by commands; lists, revenue and a dashboard follow."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import Duration
from constructs import Construct
from schemas import ADDED_LINE, PLACED_ORDER, RECEIVED

from serverless_patterns import CqrsTable, Handler, LambdaAuthorizer, Route

CODE = Path(__file__).parent / "handlers"
# How often the dashboard is built at most, while orders change.
EVERY = Duration.seconds(5)


@dataclass(frozen=True)
class OrderBook:
    orders: CqrsTable

    def routes(self, seller: LambdaAuthorizer) -> list[Route]:
        """Commands and queries, for callers whose token was issued for orders."""
        command, order = self.orders.command, "/order-book/{order_id}"
        return [
            Route("POST /order-book", command("place"), body=PLACED_ORDER, authorizer=seller),
            Route(f"POST {order}/lines", command("add"), body=ADDED_LINE, authorizer=seller),
            Route(f"POST {order}/pay", command("pay"), body=RECEIVED, authorizer=seller),
            Route(f"POST {order}/ship", command("ship"), authorizer=seller),
            Route(f"POST {order}/cancel", command("cancel"), authorizer=seller),
            Route(f"GET {order}", self.orders.get(), authorizer=seller),
            Route("GET /customers/{customer_id}/orders", self.orders.views["ByCustomer"].query(), authorizer=seller),
            Route("GET /revenue/{product_id}", self.orders.views["Revenue"].query(), authorizer=seller),
            Route("GET /sales", self.orders.documents["Sales"].query(), authorizer=seller),
        ]

    def outputs(self) -> Iterator[tuple[str, str]]:
        """What the demo looks at."""
        assert self.orders.projection
        (projector,) = self.orders.projection.projectors
        yield "OrderBookTable", self.orders.table.table_name
        yield "OrdersByCustomerTable", self.orders.views["ByCustomer"].table.table_name
        yield "OrderBookControl", self.orders.projection.control.function_name
        yield "OrderBookProjector", projector.function.function_name
        yield "OrderBookParked", self.orders.projection.parked.bucket_name


def order_book(scope: Construct) -> OrderBook:
    orders = CqrsTable(
        scope,
        "OrderBook",
        key="order_id",
        decide=Handler(CODE, "bookkeeping:decide"),
        commands=["place", "add", "pay", "ship", "cancel"],
    )
    by_customer = orders.view(
        "ByCustomer",
        project=Handler(CODE, "bookkeeping:by_customer"),
        partition_key="customer_id",
        sort_key="order_id",
    )
    revenue = orders.totals("Revenue", contributes=Handler(CODE, "bookkeeping:revenue"), group="product_id")
    orders.document("Sales", sources=[by_customer, revenue], build=Handler(CODE, "bookkeeping:sales"), every=EVERY)
    return OrderBook(orders)
