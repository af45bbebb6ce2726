"""How fast a rebuild fills a view beside a bare scan, and how late changes are meanwhile; on the embedded cloud.

The embedded cloud answers from memory: a scan costs it next to nothing, and what a rebuild takes are its writes. So the
floor is the fastest copy that there is: the same scan, and BatchWriteItem in ten threads, which looks at no condition.
Its server shares the processor with both: `rebuild_latencies` has the figures that have a goal.
"""

import os
import random
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

from bench.figure import Figure
from bench.lambda_environment import AWS
from serverless_patterns.testing import Cloud, EmbeddedCloud

NAMES = ("rebuild_rate_on_emulator", "rebuild_live_lag_on_emulator")

AGGREGATES = 4_000
BATCH = 20
"""Records of the stream at once."""

BATCHES = 15
VIEW = "ByCustomer"


def by_customer(order: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"customer": order["customer"], "order": order["order_id"], "status": order["status"]}]


def figures() -> list[Figure]:
    with EmbeddedCloud.start(progress=print) as cloud:
        os.environ |= {**AWS, **cloud.environment}
        from serverless_patterns_runtime.clients import client

        dynamodb = client("dynamodb")
        _create(cloud)
        _fill(dynamodb)
        scan = _bare_scan(dynamodb)
        copy = _bare_copy(dynamodb)
        quiet = _lag(dynamodb, "1")
        rebuild = _rebuild(dynamodb, 2)
        _standings(dynamodb).change(VIEW, lambda it: it.begun(3, "three", 1, "bench", time.time(), tolerant=True))
        ended = threading.Event()
        filling = threading.Thread(target=lambda: (_rebuild(dynamodb, 3), ended.set()))
        filling.start()
        meanwhile = _lag(dynamodb, "2", ended)
        filling.join()
    said = f"{rebuild:,.0f} aggregates a second, one row each; a bare scan {scan:,.0f}, a bare copy {copy:,.0f}"
    late = f"a batch of {BATCH} changes: {meanwhile * 1000:.0f} ms during a rebuild, {quiet * 1000:.0f} ms without"
    return [
        Figure(
            name=NAMES[0],
            value=rebuild / scan,
            unit="ratio",
            floor=copy / scan,
            better="higher",
            measured=said,
        ),
        Figure(name=NAMES[1], value=meanwhile / quiet, unit="ratio", floor=1, better="lower", measured=late),
    ]


def _create(cloud: Cloud) -> None:
    dynamodb = cloud.client("dynamodb")
    for table, keys in {"orders": ["order_id"], "rows": ["pk", "sk"], "control": ["item"]}.items():
        dynamodb.create_table(
            TableName=table,
            KeySchema=[{"AttributeName": k, "KeyType": t} for k, t in zip(keys, ("HASH", "RANGE"), strict=False)],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            BillingMode="PAY_PER_REQUEST",
        )


def item(number: int, version: int) -> dict[str, Any]:
    return {
        "order_id": {"S": f"o-{number}"},
        "customer": {"S": f"c-{number % 50}"},
        "status": {"S": f"version {version}"},
        "_aggregate": {"M": {"version": {"N": str(version)}}},
    }


def _fill(dynamodb: Any) -> None:
    for start in range(0, AGGREGATES, 25):
        items = [item(number, 1) for number in range(start, start + 25)]
        dynamodb.batch_write_item(RequestItems={"orders": [{"PutRequest": {"Item": item}} for item in items]})


def _bare_scan(dynamodb: Any) -> float:
    """Items a second, in pages as large as a rebuild's."""
    from serverless_patterns_runtime.cqrs_views.scanning import PAGE_ITEMS

    began, found, start = time.perf_counter(), 0, dict[str, Any]()
    while True:
        answer = dynamodb.scan(TableName="orders", ConsistentRead=True, Limit=PAGE_ITEMS, **start)
        found += len(answer["Items"])
        if "LastEvaluatedKey" not in answer:
            return found / (time.perf_counter() - began)
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _bare_copy(dynamodb: Any) -> float:
    """Items a second."""

    def write(items: Sequence[Any]) -> None:
        rows = [{**item, "pk": {"S": f"0#{item['customer']['S']}"}, "sk": item["order_id"]} for item in items]
        dynamodb.batch_write_item(RequestItems={"rows": [{"PutRequest": {"Item": row}} for row in rows]})

    began, start = time.perf_counter(), dict[str, Any]()
    with ThreadPoolExecutor(10) as threads:
        while True:
            answer = dynamodb.scan(TableName="orders", ConsistentRead=True, Limit=500, **start)
            list(threads.map(write, [answer["Items"][at : at + 25] for at in range(0, len(answer["Items"]), 25)]))
            if "LastEvaluatedKey" not in answer:
                return AGGREGATES / (time.perf_counter() - began)
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def _standings(dynamodb: Any) -> Any:
    from serverless_patterns_runtime.cqrs_views.standings import Standings

    return Standings(dynamodb, "control")


def view_over(dynamodb: Any, together: Any) -> Any:
    from serverless_patterns_runtime.cqrs_views.dynamodb_sink import DynamoDbSink
    from serverless_patterns_runtime.cqrs_views.views import View

    return View(VIEW, "rows", by_customer, "customer", "order", DynamoDbSink(dynamodb, "rows", True, together))


def projector_over(dynamodb: Any) -> Any:
    """Of that one view."""
    from serverless_patterns_runtime.cqrs_views.generations import Pointers
    from serverless_patterns_runtime.cqrs_views.projector import Projector
    from serverless_patterns_runtime.cqrs_views.together import Together

    together = Together()
    return Projector(
        views={VIEW: view_over(dynamodb, together)},
        write_model=write_model(dynamodb),
        pointers=Pointers(dynamodb, "control"),
        parking=None,  # type: ignore[arg-type]
        together=together,
        clock=time.time,
        sleep=time.sleep,
        random=random.Random(1),
        logger=None,
    )


def write_model(dynamodb: Any) -> Any:
    from serverless_patterns_runtime.cqrs_table.aggregate import Schema
    from serverless_patterns_runtime.cqrs_table.settings import WriteModel

    return WriteModel(dynamodb, "orders", "order_id", Schema(1))


def _rebuild(dynamodb: Any, generation: int) -> float:
    """Aggregates a second: scanned, projected and written."""
    from serverless_patterns_runtime.cqrs_views.progress import ProgressItems
    from serverless_patterns_runtime.cqrs_views.rebuilding import Rebuild, Segment
    from serverless_patterns_runtime.cqrs_views.scanning import Scan
    from serverless_patterns_runtime.cqrs_views.together import Together

    together, standings, execution = Together(), _standings(dynamodb), "two" if generation == 2 else "three"
    if generation == 2:
        standings.change(VIEW, lambda it: it.begun(2, execution, 1, "bench", time.time(), tolerant=True))
    rebuild = Rebuild(
        views={VIEW: view_over(dynamodb, together)},
        standings=standings,
        progress=ProgressItems(dynamodb, "control"),
        scan_of=Scan(write_model(dynamodb), time.time),
        park=_unexpected,
        mark=lambda _: None,
        clock=time.time,
        sleep=time.sleep,
        ahead=Together(most=2),
        together=together,
        random=random.Random(1),
        remaining=lambda: 900.0,
    )
    began = time.perf_counter()
    if not rebuild.scan(Segment(VIEW, generation, execution)):
        raise RuntimeError("the segment was not done")
    rate = AGGREGATES / (time.perf_counter() - began)
    if generation == 2:
        standings.change(VIEW, lambda it: it.flipped(2, execution, time.time()))
    return rate


def _unexpected(*refused: object) -> None:
    raise RuntimeError(f"not projected: {refused}")


def _lag(dynamodb: Any, stage: str, until: threading.Event | None = None) -> float:
    """Seconds from a batch's arrival until its changes are in every generation: the median."""
    from serverless_patterns_runtime.cqrs_views.records import Change

    if stage == "1":
        begun = _standings(dynamodb)
        begun.change(VIEW, lambda it: it.begun(1, "one", 1, "bench", time.time(), tolerant=True))
        begun.change(VIEW, lambda it: it.flipped(1, "one", time.time()))
    projector = projector_over(dynamodb)
    took: list[float] = []
    for number in range(BATCHES):
        version = int(stage) * 1_000 + number
        numbers = range(number * BATCH, (number + 1) * BATCH)
        changes: list[Any] = []
        for each in numbers:
            dynamodb.put_item(TableName="orders", Item=item(each, version))
            changes.append(Change(f"o-{each}", item(each, 1), item(each, version), time.time()))
        began = time.perf_counter()
        outcome = projector.project(changes, lambda: 60.0)
        took.append(time.perf_counter() - began)
        if outcome.failed or outcome.parked:
            raise RuntimeError("a change was not projected")
        if until is not None and until.is_set():
            break
    return median(took)
