"""Reading one's writes in every order of requests: commands, their projections, a rebuild's flip, and a query.

An order has version 1, projected long ago, and version 2, whose token the query has. A later command may commit at any
moment; records are projected in any order, by invocations that die and come again; another generation may be shown.
"""

import contextlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from serverless_patterns_runtime import Invocation, Request
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
from serverless_patterns_runtime.cqrs_views.dynamodb_sink import DynamoDbSink
from serverless_patterns_runtime.cqrs_views.sink import RowChange, RowKey
from serverless_patterns_runtime.cqrs_views.statements import Contribution
from serverless_patterns_runtime.cqrs_views.together import Together
from serverless_patterns_runtime.cqrs_views.totals import Totals as KeptTotals
from serverless_patterns_runtime.cqrs_views.views import View
from serverless_patterns_runtime.errors import NotNow

from .dynamodb_model import DynamoDB, Table
from .interleavings import Actor, Clients, Direct, End, Explorer, State, Step, World

__all__ = ["Scene"]

NOW = 1_700_000_000.0
LOOKS = 3
"""Of the query, before it gives up."""

Rows_ = Mapping[str, int]
"""What a state has: sort key to content."""


class Certain(random.Random):
    """DynamoDB answers all that it is asked for, and jitter is always the longest."""

    def random(self) -> float:
        return 0.999


@dataclass
class Scene:
    states: Sequence[Rows_ | None]
    """Of the versions 1, 2, ...: of those after 2 each is committed at some moment, in this order."""
    totals: bool = False
    flip: bool = False
    limit: str = "50"
    cached: bool = True
    """Whether the query's function knows the generations from a moment before."""
    explorer: Explorer = field(init=False)
    shown: int = 0
    """Orders' ends at which it was shown, and not given up."""

    def __post_init__(self) -> None:
        tables = {
            "control": Table({"item": "S"}),
            "view": Table({"pk": "S", "sk": "N" if self.totals else "S"}),
            "orders": Table({"order_id": "S"}),
        }
        self._dynamodb = DynamoDB(tables, lambda: NOW, Certain(0))
        self._services = {"dynamodb": self._dynamodb}
        direct: Any = Direct(self._services, "dynamodb")
        self._point(direct, live=1)
        for generation in (1, 2):
            self._project(direct, generation, 1)
        self._commit(direct, 2)
        actors = [Actor("query", self._query, lambda _: False, lambda _: False)]
        for version in range(2, len(self.states) + 1):
            actors.append(Actor(f"record {version}", self._recording(version), lambda _: False, lambda _: False))
        if self.flip:
            run = lambda clients, _: self._point(clients("dynamodb"), live=2, previous=1)  # noqa: E731
            actors.append(Actor("flip", run, lambda _: False, lambda _: False))
        world = World(self._services, self._save, self._load, repr)
        self.explorer = Explorer(world, actors, self._judge, lambda _: None, ("crash before", "crash after"))

    def explore(self, faults: int = 0) -> int:
        return self.explorer.explore(faults)

    # What runs.

    def _recording(self, version: int) -> Any:
        """A command commits; its record is projected into both generations, as of a projector that knows of both."""

        def run(clients: Clients, _: int) -> None:
            client = clients("dynamodb")
            if version > 2:
                self._commit(client, version)
            self._project(client, 1, version)
            if self.flip:
                self._project(client, 2, version)

        return run

    def _commit(self, client: Any, version: int) -> None:
        """Whoever comes later has read the one before: a lower version is never written over a higher one."""
        state = self.states[version - 1]
        about = {"version": version} | ({"deleted": True} if state is None else {"rows": state})
        item = {"order_id": "o", "rows": state or {}, "_aggregate": about}
        with contextlib.suppress(ClientError):
            client.put_item(
                TableName="orders",
                Item=serialize_item(item),
                ConditionExpression="attribute_not_exists(#id) OR #about.#version < :version",
                ExpressionAttributeNames={"#id": "order_id", "#about": "_aggregate", "#version": "version"},
                ExpressionAttributeValues={":version": {"N": str(version)}},
            )

    def _project(self, client: Any, generation: int, version: int) -> None:
        before = self.states[version - 2] if version > 1 else None
        after = self.states[version - 1]
        if self.totals:
            said = Contribution("o", version, _amounts(before), _amounts(after))
            if said.before != said.after:
                KeptTotals(client, "view", lambda: NOW).write(generation, said)
            return
        old, new = before or {}, after or {}
        changes = [RowChange(_key(sort), version, "o", _row(sort, n)) for sort, n in new.items() if old.get(sort) != n]
        changes += [RowChange(_key(sort), version, "o", None) for sort in old if sort not in new]
        names = iter(range(100))
        sink = DynamoDbSink(
            client, "view", True, Together(), lambda: NOW, lambda _: None, lambda: f"{version} {next(names)}"
        )
        sink.write(generation, changes)

    def _query(self, clients: Clients, _: int) -> Any:
        client, clock = clients("dynamodb"), Slept()
        told: ViewTold = {"name": "V", "kind": "rows", "call": "", "pk": "customer_id", "sk": "order_id", "sink": ""}
        if self.totals:
            told = {"name": "V", "kind": "totals", "call": "", "pk": "customer_id", "sink": ""}
        pointer = Pointer(client, "control", "V", "view", clock)
        if self.cached:
            pointer.read()
        rows = Rows(client, "view", not self.totals)
        model = WriteModel(client, "orders", "order_id", Schema(1), clock.sleep, Certain(0))
        made = (lambda order: {"c": {"n": sum(order["rows"].values())}}) if self.totals else _rows_of
        no_store: Any = None
        door = Door(
            told,
            pointer,
            Pages("V", rows, pointer, Tokens(lambda: (b"key",), lambda: (), clock)),
            Totals(client, "view"),
            Newness(model, View.of(told, made, no_store)),
            Patience(0.05 * (2**LOOKS - 1) - 0.05 * 2 ** (LOOKS - 1), clock, clock.sleep, Certain(0)),
        )
        query = {"min_version": "2@o"} | ({} if self.totals else {"limit": self.limit})
        request = Request.fake("GET /{customer_id}", params={"customer_id": "c"}, query=query)
        try:
            return door.answer(request, Invocation.fake(remaining=lambda: 30.0)).body
        except NotNow:
            return None

    # What must be so.

    def _judge(self, before: State, step: Step) -> None:
        if step.ended != 0:
            return
        end = self.explorer._next(0, *before.places[0])
        assert isinstance(end, End)
        assert not end.error
        if end.answer is None:
            return
        self.shown += 1
        later = [self.states[version - 1] or {} for version in range(2, len(self.states) + 1)]
        if self.totals:
            assert end.answer.get("n", 0) in [sum(state.values()) for state in later], f"shown: {end.answer}"
            return
        shown = {row["order_id"]: row["n"] for row in end.answer["rows"]}
        upto = max(shown, default="") if end.answer["cursor"] else "~"
        for sort in {sort for state in self.states for sort in state or {} if sort <= upto}:
            known = [state.get(sort) for state in later]
            assert shown.get(sort) in known, f"{sort} is shown as {shown.get(sort)}: since version 2 it is {known}"

    def _point(self, client: Any, **generations: int) -> None:
        client.put_item(TableName="control", Item=serialize_item({"item": "view/V", **generations}))

    def _save(self) -> Any:
        return {name: dict(sorted(table.items.items())) for name, table in self._dynamodb.tables.items()}

    def _load(self, saved: Any) -> None:
        for name, items in saved.items():
            self._dynamodb.tables[name].items = dict(items)


class Slept:
    """A clock that only sleep moves."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def _key(sort: str) -> RowKey:
    return RowKey("c", sort)


def _row(sort: str, n: int) -> dict[str, Any]:
    return {"customer_id": "c", "order_id": sort, "n": n}


def _rows_of(order: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [_row(sort, n) for sort, n in order["rows"].items()]


def _amounts(state: Rows_ | None) -> dict[str, dict[str, Any]]:
    total = sum((state or {}).values())
    return {"c": {"n": total}} if total else {}
