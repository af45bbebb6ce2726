"""A write model with its stream, views over it, and a projector: everything in memory."""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from serverless_patterns_runtime.attribute_values import serialize_item
from serverless_patterns_runtime.cqrs_table.aggregate import Schema
from serverless_patterns_runtime.cqrs_table.settings import WriteModel
from serverless_patterns_runtime.cqrs_views.dynamodb_sink import DynamoDbSink
from serverless_patterns_runtime.cqrs_views.generations import Pointers
from serverless_patterns_runtime.cqrs_views.parking import Parking
from serverless_patterns_runtime.cqrs_views.projection import Projection
from serverless_patterns_runtime.cqrs_views.projector import Projector
from serverless_patterns_runtime.cqrs_views.projector_handler import process
from serverless_patterns_runtime.cqrs_views.row_items import row_of
from serverless_patterns_runtime.cqrs_views.together import Together
from serverless_patterns_runtime.cqrs_views.totals import Totals
from serverless_patterns_runtime.cqrs_views.views import View

from ...simulation.attribute_values import Item
from ...simulation.dynamodb_model import DynamoDB, Table
from ...simulation.s3_model import S3
from ...simulation.stream_records import stream_record
from .modelled import Modelled

__all__ = ["ORDERS", "REVENUE", "AtOnce", "Shop", "by_customer", "revenue"]

ORDERS, REVENUE = "ByCustomer", "Revenue"
YEAR = 1_700_000_000.0


def by_customer(order: dict[str, Any]) -> list[dict[str, Any]]:
    if order.get("bad"):
        raise RuntimeError("no such order")
    said = {"customer": order["customer"], "order": order["order_id"], "status": order["status"]}
    return [said | {"order": f"{order['order_id']}/{line}"} for line in order["lines"]]


def revenue(order: dict[str, Any]) -> dict[str, dict[str, Any]]:
    if order.get("bad"):
        raise RuntimeError("no such order")
    return {line: {"revenue": Decimal("2.5"), "sold": 1} for line in order["lines"]}


class Log:
    def __init__(self) -> None:
        self.lines: list[tuple[str, Mapping[str, Any]]] = []
        self.counted: dict[str, float] = {}

    def info(self, text: str, *, extra: Mapping[str, Any]) -> None:
        self.lines.append((text, extra))

    warning = error = info

    def append_keys(self, **_: Any) -> None: ...

    def add_metric(self, name: str, unit: str, value: float) -> None:  # noqa: ARG002
        self.counted[name] = value

    def flush_metrics(self) -> None: ...


class AtOnce(Together):
    """No threads: an order of requests that a seed gives again. The model of DynamoDB is for one thread."""

    def __call__(self, works: Any) -> list[Any]:
        return [work() for work in works]


class Shop:
    def __init__(self, *, live: int | None = 1, started_at: float = 0.0, upcast: Any = None) -> None:
        self.now = YEAR
        tables = {
            "orders": Table({"order_id": "S"}),
            "rows": Table({"pk": "S", "sk": "S"}),
            "totals": Table({"pk": "S", "sk": "N"}),
            "control": Table({"item": "S"}),
        }
        self.service = DynamoDB(tables, lambda: self.now)
        self.service.changes.append(self._record)
        self.s3 = S3(["parked"])
        self.client, self.bucket = Modelled("dynamodb", self.service), Modelled("s3", self.s3)
        self.records: list[dict[str, Any]] = []
        self.log, self.marked = Log(), list[set[str]]()
        self.schema = Schema(1, upcast)
        self.left = 60.0
        for view in (ORDERS, REVENUE):
            self.point(view, live=live, started_at=started_at)
        self.projection = self.new_projection()

    def new_projection(self) -> Projection:
        """As another environment has it."""

        def remaining_sleep(_: float) -> None: ...

        together = AtOnce()
        views = {
            ORDERS: View(ORDERS, "rows", by_customer, "customer", "order", DynamoDbSink(
                self.client, "rows", True, together, lambda: self.now, remaining_sleep)),
            REVENUE: View(REVENUE, "totals", revenue, "product", None, Totals(self.client, "totals", lambda: self.now)),
        }  # fmt: skip
        projector = Projector(
            views=views,
            write_model=WriteModel(self.client, "orders", "order_id", self.schema, remaining_sleep),
            pointers=Pointers(self.client, "control", remaining_sleep),
            parking=Parking(self.bucket, "parked", lambda: self.now),
            together=together,
            clock=lambda: self.now,
            sleep=remaining_sleep,
            random=random.Random(1),
            logger=self.log,
        )
        return Projection(projector, lambda views: self.marked.append(set(views)), self.log, self.log)

    # The write model.

    def put(
        self, key: str, version: int | None, customer: str = "ada", lines: Sequence[str] = ("a",), **more: Any
    ) -> None:
        state = {"order_id": key, "customer": customer, "lines": list(lines), "status": "open", **more}
        about = {} if version is None else {"_aggregate": {"version": version}}
        self.service.put_item(TableName="orders", Item=serialize_item(state | about))

    def remove(self, key: str) -> None:
        """Past the commands."""
        self.service.delete_item(TableName="orders", Key={"order_id": {"S": key}})

    def delete(self, key: str, version: int) -> None:
        """By a command."""
        item = {"order_id": key, "_aggregate": {"version": version, "deleted": True}}
        self.service.put_item(TableName="orders", Item=serialize_item(item))

    def _record(self, table: str, before: Item | None, after: Item | None) -> None:
        if table == "orders":
            key = {"order_id": (before or after or {})["order_id"]}
            self.records.append(stream_record(key, before, after, len(self.records) + 1, self.now))

    # The projector.

    def point(self, view: str, *, started_at: float = 0.0, **generations: int | None) -> None:
        numbers = {name: number for name, number in generations.items() if number is not None}
        started = {str(number): int(started_at * 1000) for number in numbers.values()}
        self.service.put_item(
            TableName="control", Item=serialize_item({"item": f"view/{view}", **numbers, "started_at": started})
        )

    def context(self) -> Any:
        return SimpleNamespace(aws_request_id="r", get_remaining_time_in_millis=lambda: int(self.left * 1000))

    def project(self, records: Sequence[dict[str, Any]] | None = None, *, by: Projection | None = None) -> list[str]:
        """All records that there are, or these. Sequence numbers of those that come again."""
        event = {"Records": json.loads(json.dumps(self.records if records is None else records))}
        answer = process(event, self.context(), by or self.projection)
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def retry(self, names: Sequence[str] | None = None) -> Any:
        return process({"retry": list(names or self.parked())}, self.context(), self.projection)

    # What there is.

    def rows(self, generation: int = 1) -> dict[tuple[str, Any], Mapping[str, Any]]:
        return {(row.key.partition, row.key.sort): row.row for row in self.stored(generation) if row.row is not None}

    def stored(self, generation: int = 1) -> list[Any]:
        items = self.service.tables["rows"].items.values()
        return [row_of(item, has_sort=True) for item in items if item["pk"]["S"].startswith(f"{generation}#")]

    def totals(self, generation: int = 1) -> dict[str, dict[str, Decimal]]:
        found: dict[str, dict[str, Decimal]] = {}
        for item in self.service.tables["totals"].items.values():
            number, kind, group = item["pk"]["S"].split("#", 2)
            if kind == "total" and number == str(generation):
                for measure in item.keys() - {"pk", "sk"}:
                    sums = found.setdefault(group, {})
                    sums[measure] = sums.get(measure, Decimal(0)) + Decimal(item[measure]["N"])
        return {group: sums for group, sums in found.items() if any(sums.values())}

    def parked(self) -> list[str]:
        return sorted(self.s3.objects["parked"])

    def reasons(self) -> list[tuple[str, str]]:
        said = [json.loads(self.s3.objects["parked"][name]) for name in self.parked()]
        return [(one["view"], one["reason"]) for one in said]


Refusal = Callable[[str, dict[str, Any]], None]
