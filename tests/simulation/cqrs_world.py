"""One simulated account: aggregates, their stream, the shipped projector, views with generations, and what goes wrong.

The control table says which generations there are: whatever rebuilds views writes it, as `cqrs_rebuild` does.
"""

import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from serverless_patterns_runtime.attribute_values import serialize_item
from serverless_patterns_runtime.cqrs_table.aggregate import Schema, version_of
from serverless_patterns_runtime.cqrs_table.settings import WriteModel
from serverless_patterns_runtime.cqrs_views import contract, projector_handler
from serverless_patterns_runtime.cqrs_views.dynamodb_sink import DynamoDbSink
from serverless_patterns_runtime.cqrs_views.generations import Pointers, view_item
from serverless_patterns_runtime.cqrs_views.parked_objects import UNDELIVERED
from serverless_patterns_runtime.cqrs_views.parking import Parking
from serverless_patterns_runtime.cqrs_views.projection import Projection
from serverless_patterns_runtime.cqrs_views.projector import Projector
from serverless_patterns_runtime.cqrs_views.retrying import SWEPT_REASONS
from serverless_patterns_runtime.cqrs_views.row_items import row_of
from serverless_patterns_runtime.cqrs_views.sink import Sink, StoredRow
from serverless_patterns_runtime.cqrs_views.together import Together
from serverless_patterns_runtime.cqrs_views.totals import Totals
from serverless_patterns_runtime.cqrs_views.views import View

from . import cqrs_shop
from .attribute_values import Item
from .cqrs_shop import AGGREGATES, BUCKET, CONTROL, KEY, ROWS, TOTALS, tables
from .dynamodb_model import DynamoDB
from .executor_model import SimulatedExecutor
from .faults import Faults, NoFaults
from .lambda_model import Function, Sandbox
from .network import Client, Network
from .s3_model import S3
from .stream_model import Polled, Stream, StreamMapping, undelivered
from .virtual_time import Schedule
from .world import Log, Metrics

__all__ = ["START", "CqrsWorld", "Plan"]

START = 1_700_000_000.25
LONGEST_SECONDS = 30 * 24 * 3600.0
SWEEP_SECONDS = 300
MOST_SWEEPS = 15


@dataclass(frozen=True, kw_only=True)
class Plan:
    shards: int = 2
    batch_size: int = 10
    retries: int = 3
    delay: float = 5.0
    """At most, from a change until its record can be read."""
    timeout: float = 30.0
    groups: int = 99
    """Of totals, in one transaction."""
    live: bool = True
    """Whether views are there from the beginning, empty."""


@dataclass
class Ledger:
    """The test's own books."""

    fixed: bool = False
    """Functions of views refuse nothing any more."""
    latest: dict[str, int] = field(default_factory=dict)
    """The last version of each aggregate; after a removal one more."""
    reasons: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    """Aggregates, past the commands: `Expired` by time, `Removed` by hand."""
    counted: Counter[str] = field(default_factory=Counter)
    """By the projector, as metrics."""
    trace: list[tuple[float, tuple[Any, ...]]] = field(default_factory=list)


class CqrsWorld:
    def __init__(self, plan: Plan, seed: int | str, faults: Faults | None = None) -> None:
        self.plan = plan
        self.chance = random.Random(seed)
        self.schedule = Schedule(self.chance, START)
        self.faults = faults or NoFaults()
        self.ledger = Ledger()
        self.dynamodb = DynamoDB(tables(), lambda: self.schedule.now, self.chance)
        self.dynamodb.page = 3
        self.s3 = S3([BUCKET])
        services = {"dynamodb": self.dynamodb, "s3": self.s3, **self.more_services()}
        self.network = Network(self.schedule, services, self.faults, self.chance, self.trace)
        self.quiet = Network(self.schedule, services, NoFaults(), self.chance, self.trace)
        """Where nothing goes wrong."""
        self.stream = Stream(self.schedule, self.chance, plan.shards, KEY, plan.delay)
        self._by_time = False
        self.function = Function(
            self.schedule,
            plan.timeout,
            self.chance,
            lambda sandbox: self.projection(sandbox, self.network),
            projector_handler.process,
            self.trace,
            called=_called,
        )
        polled = Polled(batch_size=plan.batch_size, retries=plan.retries)
        self.mapping = StreamMapping(
            self.schedule, self.stream, self.function, polled, self.chance, self._undelivered, self.faults
        )
        self._given_up = 0
        self._sweeping, self._sweeps = False, 0
        self.dynamodb.changes.append(self._see)
        for view in (ROWS, TOTALS):
            if plan.live:
                self.point(view, live=1, started_at={1: 0})

    # What is deployed.

    def more_services(self) -> Mapping[str, Any]:
        """That functions call besides."""
        return {}

    def sink(self, network: Network, together: Together, sandbox: Sandbox) -> Sink:
        """Where the rows are, as a function has it."""
        marks = random.Random(self.chance.getrandbits(64))
        client = Client(network, sandbox, "dynamodb")
        return DynamoDbSink(
            client, ROWS, True, together, sandbox.clock, sandbox.sleep, lambda: f"{marks.getrandbits(64):x}"
        )

    def prepare(self, view: str, generation: int) -> None:
        """As a rebuild does, before anybody knows of the generation."""

    def publish(self, view: str, generation: int) -> None:
        """Likewise, once it is live."""

    def views(self, network: Network, together: Together, sandbox: Sandbox) -> dict[str, View]:
        """Of a function that has the views' code."""

        def judged(call: Any) -> Any:
            return lambda state: call(state, fixed=self.ledger.fixed)

        sink = self.sink(network, together, sandbox)
        totals = Totals(Client(network, sandbox, "dynamodb"), TOTALS, sandbox.clock, self.plan.groups)
        return {
            ROWS: View(ROWS, "rows", judged(cqrs_shop.rows), "customer", "line", sink),
            TOTALS: View(TOTALS, "totals", judged(cqrs_shop.totals), "line", None, totals),
        }

    def projector(self, sandbox: Sandbox, network: Network) -> Projector:
        client = Client(network, sandbox, "dynamodb")
        together = Together(SimulatedExecutor, most=4)
        chance = random.Random(self.chance.getrandbits(64))
        return Projector(
            views=self.views(network, together, sandbox),
            write_model=WriteModel(client, AGGREGATES, KEY, Schema(1), sandbox.sleep, chance),
            pointers=Pointers(client, CONTROL, sandbox.sleep, chance),
            parking=Parking(Client(network, sandbox, "s3"), BUCKET, sandbox.clock),
            together=together,
            clock=sandbox.clock,
            sleep=sandbox.sleep,
            random=chance,
            logger=Log(self.heard),
        )

    def projection(self, sandbox: Sandbox, network: Network) -> Projection:
        return Projection(
            self.projector(sandbox, network), lambda _: None, Log(self.heard), Counted(self.ledger.counted)
        )

    def point(self, view: str, *, started_at: Mapping[int, int], **generations: int | None) -> None:
        """What the control table says of a view from now on."""
        numbers = {name: number for name, number in generations.items() if number is not None}
        item = {"item": view_item(view), **numbers, "started_at": {str(n): at for n, at in started_at.items()}}
        self.dynamodb.put_item(TableName=CONTROL, Item=serialize_item(item))

    # The write model, as its functions leave it; and others, past them.

    def put(self, key: str, state: Mapping[str, Any] | None) -> None:
        """By a command. None: deleted."""
        version = self.version(key)
        about = {"version": int(self.schedule.now * 1000) if version is None else version + 1}
        if state is None:
            item = {KEY: key, "_aggregate": {**about, "deleted": True}}
        else:
            item = {KEY: key, **state, "_aggregate": about}
        self.dynamodb.put_item(TableName=AGGREGATES, Item=serialize_item(item))

    def put_past(self, key: str, state: Mapping[str, Any], *, versioned: bool) -> None:
        """By hand: with the version that it had, or without one."""
        version = self.version(key)
        about = {"_aggregate": {"version": version}} if versioned and version is not None else {}
        self.dynamodb.put_item(TableName=AGGREGATES, Item=serialize_item({KEY: key, **state, **about}))

    def expire(self) -> None:
        """What DynamoDB's time to live has come to by now."""
        self.dynamodb.delete_expired(self.chance)

    def remove(self, key: str, *, by_time: bool) -> None:
        if (key,) not in self.dynamodb.tables[AGGREGATES].items:
            return
        self.ledger.removed[contract.METRIC_EXPIRED if by_time else contract.METRIC_REMOVED] += 1
        self._by_time = by_time
        self.dynamodb.delete_item(TableName=AGGREGATES, Key={KEY: {"S": key}})
        self._by_time = False

    def version(self, key: str) -> int | None:
        item = self.dynamodb.tables[AGGREGATES].items.get((key,))
        return None if item is None else version_of(item)

    def states(self) -> dict[str, tuple[int, dict[str, Any] | None]]:
        """Of aggregates with a version: it, and the state."""
        model = WriteModel(None, AGGREGATES, KEY, Schema(1))
        found = [model.aggregate(item) for item in self.dynamodb.tables[AGGREGATES].items.values()]
        return {one.key: (one.version, one.state) for one in found if one.version is not None}

    def stored(self, generation: int) -> list[StoredRow]:
        """All rows, with tombstones."""
        items = self.dynamodb.tables[ROWS].items.values()
        return [row_of(item, has_sort=True) for item in items if item["pk"]["S"].startswith(f"{generation}#")]

    # What happens.

    def run(self) -> None:
        """Until nothing is left to happen."""
        self.schedule.run(until=self.schedule.now + LONGEST_SECONDS)
        assert self.stream.drained, "the stream is not drained"

    def retry_all(self) -> None:
        """By hand, as often as it helps, while nothing goes wrong."""
        for _ in range(8):
            names = sorted(self.s3.objects[BUCKET])
            if not names:
                return
            self.function.invoke({"retry": names}, lambda _: None)
            self.run()

    def close(self) -> None:
        self.schedule.close()

    def _undelivered(self, records: Sequence[Mapping[str, Any]]) -> None:
        self._given_up += 1
        self.trace("poller", "gives up", len(records))
        undelivered(BUCKET, self.s3, [dict(record) for record in records], self._given_up)
        self._keep_sweeping()

    def _keep_sweeping(self) -> None:
        if not self._sweeping:
            self._sweeping = True
            self.schedule.after(SWEEP_SECONDS, self._sweep)

    def _sweep(self) -> None:
        """As the control function does: what may have become possible, as long as there is such."""
        self._sweeping = False
        names = [name for name, reason in self.parked().items() if reason in SWEPT_REASONS]
        self._sweeps += 1
        if names and self._sweeps < MOST_SWEEPS:
            self.function.invoke({"retry": names}, lambda _: None)
            self._keep_sweeping()

    # What was seen.

    def parked(self) -> dict[str, str]:
        """Reasons of what is in the bucket, by its name; what Lambda gave up is unavailable."""
        objects = self.s3.objects[BUCKET].items()
        return {name: json.loads(body).get("reason", UNDELIVERED) for name, body in objects}

    def trace(self, *fields: Any) -> None:
        self.ledger.trace.append((self.schedule.now - START, fields))
        if fields[1] == "PutObject":
            self._keep_sweeping()
        if fields[1] == "answered":
            expected = not isinstance(fields[2], str) or fields[2] in ("crashed", "timed out")
            assert expected, f"the function raised: {fields[2]}"

    def heard(self, text: str, fields: Mapping[str, Any]) -> None:
        shown = ("view", "version", "reason", "error_type")
        self.trace("log", text, {name: fields[name] for name in shown if name in fields})
        if text == "change parked":
            self.ledger.reasons[fields["reason"]] += 1

    def _see(self, table: str, before: Item | None, after: Item | None) -> None:
        if table == AGGREGATES:
            self._see_aggregate(before, after)
        elif table == ROWS:
            self._see_row(before, after)
        if table != CONTROL:
            self.trace("table", table, _shown(after if after is not None else {"gone": before}))

    def _see_aggregate(self, before: Item | None, after: Item | None) -> None:
        record = self.stream.add(before, after, by_time=self._by_time)
        key = (before or after or {})[KEY]["S"]
        version = None if after is None else version_of(after)
        if version is None and before is not None and (was := version_of(before)) is not None:
            version = was + 1
        if version is not None:
            assert version >= self.ledger.latest.get(key, 0), "the history repeats a version"
            self.ledger.latest[key] = version
        self.trace("change", key, record["dynamodb"]["SequenceNumber"][-4:], version)

    def _see_row(self, before: Item | None, after: Item | None) -> None:
        """No row is of the future of its aggregate, and none goes back."""
        if after is None:
            self.trace("time to live", before)
            return
        self.see_row(None if before is None else row_of(before, has_sort=True), row_of(after, has_sort=True))

    def see_row(self, before: StoredRow | None, after: StoredRow) -> None:
        """A row, or its tombstone, is not what it was."""
        version, source = after.version, after.source
        latest = self.ledger.latest[source]
        assert version <= latest, f"a row of {source} is of its future: {version} after {latest}"
        if before is not None:
            back = before.source == source and before.version >= version
            assert not back, f"a row of {source} went back: {before.version} to {version}"


class Counted(Metrics):
    def __init__(self, counted: Counter[str]) -> None:
        self._counted = counted

    def add_metric(self, *, name: str, value: float, **_: Any) -> None:
        self._counted[name] += int(value)


def _called(event: Mapping[str, Any]) -> Any:
    if "retry" in event:
        return f"retry of {len(event['retry'])}"
    return [record["dynamodb"]["SequenceNumber"][-4:] for record in event["Records"]]


def _shown(item: Mapping[str, Any]) -> str:
    return str({name: value for name, value in item.items() if name != "expires_at"})[:160]
