"""A view, its write model and its control table in memory, and the doors in front of them."""

import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from serverless_patterns_runtime import Invocation, Request, Response
from serverless_patterns_runtime.attribute_values import serialize_item
from serverless_patterns_runtime.cqrs_queries.newness import Newness, Patience
from serverless_patterns_runtime.cqrs_queries.pages import Pages
from serverless_patterns_runtime.cqrs_queries.pointer import Pointer
from serverless_patterns_runtime.cqrs_queries.query_door import Door
from serverless_patterns_runtime.cqrs_queries.reading import Rows
from serverless_patterns_runtime.cqrs_queries.tokens import Tokens
from serverless_patterns_runtime.cqrs_queries.totals_reading import Totals
from serverless_patterns_runtime.cqrs_table.aggregate import Schema
from serverless_patterns_runtime.cqrs_table.settings import WriteModel
from serverless_patterns_runtime.cqrs_views.contract import ViewTold
from serverless_patterns_runtime.cqrs_views.row_items import item_of
from serverless_patterns_runtime.cqrs_views.sink import RowChange, RowKey
from serverless_patterns_runtime.cqrs_views.stores import store_of
from serverless_patterns_runtime.cqrs_views.views import View
from tests.simulation.dynamodb_model import DynamoDB, Table
from tests.simulation.interleavings import Direct

from ..consumer import Clock

CONTROL, ROWS, NUMBERED, TOTALS, ORDERS = "control", "rows", "numbered", "totals", "orders"

BY_CUSTOMER: ViewTold = {
    "name": "ByCustomer", "kind": "rows", "call": "", "pk": "customer_id", "sk": "order_id", "sink": "dynamodb"
}  # fmt: skip
BY_TIME: ViewTold = {
    "name": "ByTime", "kind": "rows", "call": "", "pk": "customer_id", "sk": "at", "sk_type": "N", "sink": "dynamodb"
}  # fmt: skip
LATEST: ViewTold = {"name": "Latest", "kind": "rows", "call": "", "pk": "customer_id", "sink": "dynamodb"}
REVENUE: ViewTold = {"name": "Revenue", "kind": "totals", "call": "", "pk": "product_id", "sink": "dynamodb"}
_TABLES = {"ByCustomer": ROWS, "Latest": ROWS, "ByTime": NUMBERED, "Revenue": TOTALS}


def tables() -> dict[str, Table]:
    return {
        CONTROL: Table({"item": "S"}),
        ROWS: Table({"pk": "S", "sk": "S"}),
        NUMBERED: Table({"pk": "S", "sk": "N"}),
        TOTALS: Table({"pk": "S", "sk": "N"}),
        ORDERS: Table({"order_id": "S"}),
    }


_NO_STORE: Any = None
"""A query writes nothing."""


class Shop:
    """`made`: of an order, the rows of the view, or what it contributes."""

    def __init__(
        self,
        told: ViewTold = BY_CUSTOMER,
        *,
        made: Callable[[Any], Any] = lambda order: [order],
        seconds: float = 20,
        live: int | None = 1,
    ) -> None:
        self.told = told
        self.clock = Clock()
        self.dynamodb = DynamoDB(tables(), self.clock, random.Random(4))
        self.client: Any = Direct({"dynamodb": self.dynamodb}, "dynamodb")
        self.table = _TABLES[told["name"]]
        self.keys = [b"key"]
        self.made = made
        if live is not None:
            self.point(live=live)
        model = WriteModel(self.client, ORDERS, "order_id", Schema(1), self.clock.sleep, random.Random(5))
        store = store_of(self.table, told["kind"], told["pk"], told.get("sk"))
        pointer = Pointer(self.client, CONTROL, told["name"], store, self.clock)
        rows = Rows(self.client, self.table, "sk" in told)
        tokens = Tokens(lambda: self.keys, lambda: (), self.clock)
        self.pages = Pages(told["name"], rows, pointer, tokens)
        self.door = Door(
            told,
            pointer,
            self.pages,
            Totals(self.client, self.table),
            Newness(model, View.of(told, lambda state: self.made(state), _NO_STORE)),
            Patience(seconds, self.clock, self.clock.sleep, random.Random(6)),
        )

    def point(self, **generations: int) -> None:
        item = serialize_item({"item": f"view/{self.told['name']}", **generations})
        self.dynamodb.put_item(TableName=CONTROL, Item=item)

    def write(
        self, row: Mapping[str, Any] | None, key: RowKey, *, version: int = 1, source: str = "", of: int = 1
    ) -> None:
        """Without a row a tombstone."""
        change = RowChange(key, version, source or str(key.sort), row)
        item = item_of(of, change, 9_000_000_000, "" if row else f"mark-{version}")
        self.dynamodb.put_item(TableName=self.table, Item=item)

    def order(self, order_id: str, version: int, state: Mapping[str, Any] | None) -> None:
        """The aggregate itself; without a state it is deleted."""
        about = {"version": version} | ({"deleted": True} if state is None else {})
        item = serialize_item({**(state or {}), "order_id": order_id, "_aggregate": about})
        self.dynamodb.put_item(TableName=ORDERS, Item=item)

    def ask(self, partition: str = "c", *, remaining: float = 30.0, **query: Any) -> Response:
        route = f"GET /{{{self.told['pk']}}}"
        request = Request.fake(route, params={self.told["pk"]: partition}, query=query)
        ends = self.clock.now + remaining
        return self.door.answer(request, Invocation.fake(remaining=lambda: ends - self.clock.now))

    def all_of(self, partition: str = "c", **query: Any) -> list[dict[str, Any]]:
        """Page after page."""
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            body = self.ask(partition, **query, **cursor).body
            found += body["rows"]
            if body["cursor"] is None:
                return found
            assert body["rows"], "a page that is not the last one is not empty"
            cursor = {"cursor": body["cursor"]}


def row(order_id: str, customer_id: str = "c", **more: Any) -> dict[str, Any]:
    return {"customer_id": customer_id, "order_id": order_id, **more}


def keys(rows: Iterable[Mapping[str, Any]]) -> list[Any]:
    return [one["order_id"] for one in rows]
