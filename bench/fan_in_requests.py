"""Requests to DynamoDB that a fan-in adds to each of a message's branches: from a result to the end being announced.

The peer is the aggregator that comes to mind first: each branch puts its result as an item and adds one to a counter.
It knows neither deadline nor duplicates: a result that comes twice is counted twice.
"""

import os
from collections import Counter
from collections.abc import Mapping
from contextlib import redirect_stdout
from typing import Any

from bench.counted_requests import Calls, counted, create_tables
from bench.figure import Figure
from bench.lambda_environment import Context, sqs_event, variables
from serverless_patterns.testing import EmbeddedCloud
from serverless_patterns_runtime.fan_in.contract import BranchEnv, StoreEnv
from serverless_patterns_runtime.fan_out_topic.packed import packed

NAMES = ("fan_in_ddb_calls_per_branch",)

BRANCHES = ("Inventory", "Invoicing", "Analytics")
PEER = 2.0
TABLES = {"claims": "claim", "orders": "order_id", "fan_in": "fan_in"}


def figures() -> list[Figure]:
    with EmbeddedCloud.start(progress=print) as cloud, open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        create_tables(cloud, TABLES)
        queues = {name: cloud.client("sqs").create_queue(QueueName=name)["QueueUrl"] for name in ("ends", "dead")}
        aws = {**cloud.environment, "DEAD_LETTER_QUEUE_URL": queues["dead"], "QUEUE_URL": queues["dead"]}
        event = sqs_event(1)
        alone: Calls = sum((_made(aws, name, {}, sqs_event(1)) for name in BRANCHES), Counter())
        store = StoreEnv(FAN_IN_TABLE_NAME="fan_in", FAN_IN_NAMESPACE="Fan", FAN_IN_BUCKET="results")._asdict()
        together: Calls = Counter()
        for name in BRANCHES:
            together += _made(aws, name, {**store, **_branch(name, queues["ends"])}, event)
        told = cloud.client("sqs").receive_message(QueueUrl=queues["ends"], MaxNumberOfMessages=10)
    if len(told.get("Messages", [])) != 1:
        raise RuntimeError("the end was not announced once")
    added = together - alone
    return [
        Figure(
            name=NAMES[0],
            value=round(added.total() / len(BRANCHES), 3),
            unit="requests",
            peer=PEER,
            floor=1.0,  # each branch has to leave its result somewhere, by itself
            better="lower",
            measured=", ".join(f"{count} {operation}" for operation, count in sorted(added.items()))
            + f" for {len(BRANCHES)} branches and the end; an item and a counter would be {PEER:.0f} for each",
        )
    ]


def _branch(name: str, queue_url: str) -> Mapping[str, str]:
    return BranchEnv(
        FAN_IN_BRANCH=name,
        FAN_IN_SUBSCRIBERS=packed({each: {} for each in BRANCHES}),
        FAN_IN_EXPECTED="",
        FAN_IN_DEADLINE_SECONDS="600",
        FAN_IN_RETENTION_SECONDS="5184000",
        FAN_IN_COMPLETIONS_QUEUE_URL=queue_url,
    )._asdict()


def _made(aws: Mapping[str, str], name: str, fan_in: Mapping[str, str], event: Any) -> Calls:
    """What one branch sends to DynamoDB for one message."""
    from serverless_patterns_runtime.load_leveled_queue.edge import Edge
    from serverless_patterns_runtime.load_leveled_queue.handler import process

    for variable in (*StoreEnv._fields, *BranchEnv._fields):
        os.environ.pop(variable, None)
    told = variables("bench.functions.orders:fulfil", effects=True)
    os.environ |= {**told, **aws, "CLAIMS_NAMESPACE": name, **fan_in}
    edge = Edge.from_environment()
    calls = counted(edge.dynamodb)
    answer = process(event, Context(), edge)
    if answer["batchItemFailures"]:
        raise RuntimeError("the branch failed")
    return calls
