"""A document in every order of requests: who changes its source and marks it, deliveries to its builder, sweeps.

A delivery may come at any time, with a message or without: late, twice, or before there is anything to build. Once all
is done, every message that was sent is delivered, and a sweep looks for lost ones; then the document is what its
function makes of its source.
"""

import contextlib
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from serverless_patterns_runtime import Invocation, Sources
from serverless_patterns_runtime.attribute_values import serialize_item
from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.cqrs_queries.contract import Reading
from serverless_patterns_runtime.cqrs_views.building import Building
from serverless_patterns_runtime.cqrs_views.contents import Contents
from serverless_patterns_runtime.cqrs_views.document_builder import Builder
from serverless_patterns_runtime.cqrs_views.documents import Documents
from serverless_patterns_runtime.cqrs_views.dynamodb_sink import DynamoDbSink
from serverless_patterns_runtime.cqrs_views.sink import RowChange, RowKey
from serverless_patterns_runtime.cqrs_views.together import Together

from .dynamodb_model import DynamoDB, Table
from .interleavings import FAULTS, Actor, Call, Clients, Direct, Explorer, State, Step, World
from .s3_model import S3

__all__ = ["Scene"]

NOW = 1_700_000_000.0
LATER = NOW + 10_000
READING: Reading = {
    "view": "ByCustomer", "kind": "rows", "pk": "customer", "sk": "order", "table": "rows", "control": "control"
}  # fmt: skip
TOLD: Any = {"Sales": {"queue": "https://sqs.invalid/sales", "seconds": 10, "sources": ["ByCustomer"]}}


class Queue:
    """What was sent; a message is nothing but its number."""

    def __init__(self) -> None:
        self.sent = 0

    def send_message(self, *, QueueUrl: str, MessageBody: str, DelaySeconds: int) -> dict[str, Any]:
        assert (QueueUrl, json.loads(MessageBody)) == (TOLD["Sales"]["queue"], {"document": "Sales"})
        assert DelaySeconds in (0, 10)
        self.sent += 1
        return {"MessageId": str(self.sent)}


class Silent:
    def info(self, *_: Any, **__: Any) -> None: ...

    debug = warning = error = info


@dataclass
class Scene:
    changes: int = 1
    """Each of another order, by an invocation of its own."""
    deliveries: int = 1
    sweeps: int = 0
    in_bucket: bool = False
    flips: bool = False
    """Whether another generation, made by newer code, is shown meanwhile."""
    kinds: Sequence[str] = FAULTS
    most_builds: int | None = None
    explorer: Explorer = field(init=False)
    _quiet: bool = False
    """Nothing goes wrong."""

    def __post_init__(self) -> None:
        tables = {"control": Table({"item": "S"}), "rows": Table({"pk": "S", "sk": "S"})}
        self._dynamodb = DynamoDB(tables, lambda: NOW, random.Random(0))
        self._s3, self._queue = S3(["documents"]), Queue()
        self._services = {"dynamodb": self._dynamodb, "s3": self._s3, "sqs": self._queue}
        self._point(live=1)
        for order in range(self.changes):
            self._write(Direct(self._services, "dynamodb"), 2, order, newer=True)
        actors = [Actor(f"change {n}", self._changing(n), lambda _: False, self._alone) for n in range(self.changes)]
        actors += [
            Actor(f"delivery {n}", lambda clients, _: self._build(clients), lambda _: False, self._alone)
            for n in range(self.deliveries)
        ]
        actors += [
            Actor(
                f"sweep {n}",
                lambda clients, _: self._documents(clients, "sweep", LATER).sweep(),
                lambda _: False,
                self._alone,
            )
            for n in range(self.sweeps)
        ]
        if self.flips:
            actors.append(Actor("flip", lambda clients, _: self._flip(clients), lambda _: False, self._alone))
        world = World(self._services, self._save, self._load, lambda saved: repr(saved))
        self.explorer = Explorer(world, actors, self._judge_step, self._judge_end, self.kinds)

    def explore(self, faults: int = 0) -> int:
        self._quiet = not faults and not self.sweeps
        return self.explorer.explore(faults)

    # What runs.

    def _changing(self, order: int) -> Any:
        def change(clients: Clients, _: int) -> None:
            self._write(clients("dynamodb"), 1, order)
            if self.flips:
                self._write(clients("dynamodb"), 2, order, newer=True, version=2)
            self._documents(clients, f"change {order}").mark({"ByCustomer"})

        return change

    def _write(self, client: Any, generation: int, order: int, *, newer: bool = False, version: int = 1) -> None:
        sink = DynamoDbSink(client, "rows", True, Together(), lambda: NOW, lambda _: None)
        row = {"customer": "ada", "order": f"o-{order}", "n": version, "newer": newer}
        sink.write(generation, [RowChange(RowKey("ada", f"o-{order}"), version, f"o-{order}", row)])

    def _documents(self, clients: Clients, who: str, now: float = NOW) -> Documents:
        return Documents(clients("dynamodb"), clients("sqs"), "control", TOLD, Silent(), lambda: now, lambda: who)

    def _build(self, clients: Clients) -> None:
        bucket = "documents" if self.in_bucket else ""
        contents = Contents(clients("dynamodb"), lambda: clients("s3"), "control", bucket, "Sales")
        building = Building(clients("dynamodb"), "control", "Sales", contents, lambda: NOW)
        function = BusinessFunction(_made, "sales", False, False)
        Builder(building, function, [READING], clients("dynamodb")).build(Invocation.fake(logger=Silent()))

    def _flip(self, clients: Clients) -> None:
        """As a rebuild's last step: show it, then have the documents built."""
        item = serialize_item({"item": "view/ByCustomer", "live": 2, "previous": 1})
        clients("dynamodb").put_item(TableName="control", Item=item)
        self._documents(clients, "flip").mark({"ByCustomer"})

    # What must be so.

    def _judge_step(self, before: State, step: Step) -> None:
        old, new = (self._content(state.saved) for state in (before, step.after))
        if old is not None:
            assert new is not None
            assert int(old["build"]["N"]) <= int(new["build"]["N"]), "a later build was replaced by an earlier one"
            assert new == old or new["build"] != old["build"], "a build was kept twice, with other content"

    def _judge_end(self, state: State) -> None:
        self._load(state.saved)

        def clients(service: str) -> Any:
            return Direct(self._services, service)

        builds = self._number()
        if self.most_builds is not None:
            assert builds <= self.most_builds, f"{builds} builds of {self.changes} changes"
        if self._quiet:
            marked = "dirty_at" in self._dynamodb.tables["control"].items.get(("document/Sales",), {})
            assert self._queue.sent <= builds + marked, "one mark has several messages"
        for _ in range(self._queue.sent):
            self._build(clients)
        if self._documents(clients, "sweep", LATER).sweep():
            self._build(clients)
        with contextlib.suppress(KeyError):
            assert int(self._item("document")["build"]["N"]) == int(self._item("content")["build"]["N"])
        live = self._dynamodb.tables["control"].items[("view/ByCustomer",)]["live"]["N"]
        wanted = sorted(key for key in self._dynamodb.tables["rows"].items if key[0].startswith(f"{live}#"))
        found = self._text()
        assert found is not None, "a change was never built"
        assert len(found["rows"]) == len(wanted), "the document is behind its source"
        assert all(row["newer"] == (live == "2") for row in found["rows"]), "the document is of another generation"
        assert not self.flips or all(row["n"] == 2 for row in found["rows"]), "the document is behind its source"
        if self.in_bucket and not self.kinds:
            assert len(self._s3.objects["documents"]) == 1, "objects that nobody needs are left"

    def _text(self) -> Any:
        content = self._item("content") if ("content/Sales",) in self._dynamodb.tables["control"].items else None
        if content is None:
            return None
        if "object" in content:
            return json.loads(self._s3.objects["documents"][content["object"]["S"]])
        return json.loads(content["text"]["S"])

    def _number(self) -> int:
        item = self._dynamodb.tables["control"].items.get(("document/Sales",), {})
        return int(item.get("build", {}).get("N", 0))

    def _item(self, kind: str) -> Mapping[str, Any]:
        return self._dynamodb.tables["control"].items[(f"{kind}/Sales",)]

    def _content(self, saved: Any) -> Any:
        return saved[0]["control"].get(("content/Sales",))

    def _point(self, **generations: int) -> None:
        item = serialize_item({"item": "view/ByCustomer", **generations})
        self._dynamodb.put_item(TableName="control", Item=item)

    def _alone(self, _: Call) -> bool:
        return False

    def _save(self) -> Any:
        tables = {name: dict(sorted(table.items.items())) for name, table in self._dynamodb.tables.items()}
        return tables, dict(sorted(self._s3.objects["documents"].items())), self._queue.sent

    def _load(self, saved: Any) -> None:
        tables, objects, self._queue.sent = saved
        for name, items in tables.items():
            self._dynamodb.tables[name].items = dict(items)
        self._s3.objects["documents"] = dict(objects)


def _made(sources: Sources) -> dict[str, Any]:
    return {"rows": sorted(sources.rows("ByCustomer"), key=lambda row: row["order"])}
