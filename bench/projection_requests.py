"""Requests to DynamoDB that a projector makes for each change of one row, in batches of 100, 10 and 1.

The peer is the projector that comes to mind first: a PutItem for each record. It knows neither duplicates nor the order
of records, takes no row away, and nothing can be rebuilt beside it.
"""

import os
from collections import Counter
from collections.abc import Mapping
from contextlib import redirect_stdout
from time import time
from typing import Any

from bench.counted_requests import Calls, counted, create_tables
from bench.figure import Figure
from bench.lambda_environment import Context
from serverless_patterns.testing import Cloud, EmbeddedCloud
from serverless_patterns_runtime.attribute_values import serialize_item
from serverless_patterns_runtime.cqrs_table.contract import Env as TableEnv
from serverless_patterns_runtime.cqrs_views.contract import Env as ViewEnv
from serverless_patterns_runtime.fan_out_topic.packed import packed

BATCHES = (100, 10, 1)
NAMES = (
    "projection_ddb_calls_per_change",
    "projection_ddb_calls_per_change_batch_10",
    "projection_ddb_calls_per_change_batch_1",
)
PEER = 1.0
VIEW = "ByCustomer"


def figures() -> list[Figure]:
    with EmbeddedCloud.start(progress=print) as cloud, open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        create_tables(cloud, {"orders": "order_id", "control": "item"})
        _create_view(cloud)
        live = {"item": f"view/{VIEW}", "live": 1, "started_at": {"1": 0}}
        cloud.client("dynamodb").put_item(TableName="control", Item=serialize_item(live))
        made = {size: _made(cloud.environment, size) for size in BATCHES}
    return [
        Figure(
            name=name,
            value=round(made[size].total() / size, 3),
            unit="requests",
            peer=PEER,
            floor=1.0,  # a row that changed has to be written, under a condition of its own
            better="lower",
            measured=", ".join(f"{count} {operation}" for operation, count in sorted(made[size].items()))
            + f" for a batch of {size}; one PutItem a record would be {PEER:.0f} for each",
        )
        for name, size in zip(NAMES, BATCHES, strict=True)
    ]


def _create_view(cloud: Cloud) -> None:
    keys = ("pk", "sk")
    cloud.client("dynamodb").create_table(
        TableName="rows",
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=True)],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        BillingMode="PAY_PER_REQUEST",
    )


def _made(aws: Mapping[str, str], size: int) -> Calls:
    """By one environment, for one batch of new versions; the rows are there."""
    from serverless_patterns_runtime.cqrs_views.projection import Projection
    from serverless_patterns_runtime.cqrs_views.projector_handler import deployed_projector, process
    from serverless_patterns_runtime.telemetry import Logger, Metrics

    told = {
        "name": VIEW,
        "kind": "rows",
        "call": "bench.functions.orders:by_customer",
        "pk": "customer",
        "sink": "dynamodb",
    }
    table = TableEnv(AGGREGATES_TABLE_NAME="orders", AGGREGATE_KEY="order_id", SCHEMA_VERSION="1", UPCAST="")
    views = ViewEnv(
        VIEWS=packed({"views": [told | {"sk": "order_id"}]}),
        VIEW_TABLES=f'{{"{VIEW}": "rows"}}',
        CONTROL_TABLE_NAME="control",
        PARKED_BUCKET_NAME="parked",
        DOCUMENTS="{}",
    )
    os.environ |= {**aws, **table._asdict(), **views._asdict()}
    logger = Logger(service="bench")
    projector = deployed_projector(logger)
    metrics = Metrics(namespace="Bench", service="bench")
    projection = Projection(projector, lambda _: None, logger, metrics)
    process({"Records": [_record(number, 1) for number in range(size)]}, Context(), projection)
    calls = counted(projector.pointers.dynamodb)
    answer = process({"Records": [_record(number, 2) for number in range(size)]}, Context(), projection)
    if answer["batchItemFailures"]:
        raise RuntimeError("the projector failed")
    return Counter(calls)  # the client is one for all batches


def _record(number: int, version: int) -> Mapping[str, Any]:
    key = f"o-{number}"
    images = {
        name: serialize_item({"order_id": key, "customer": "ada", "total": at, "_aggregate": {"version": at}})
        for name, at in (("OldImage", version - 1), ("NewImage", version))
        if at
    }
    said = {
        "Keys": serialize_item({"order_id": key}),
        "SequenceNumber": str(number),
        "ApproximateCreationDateTime": time(),
    }
    return {"dynamodb": said | images}
