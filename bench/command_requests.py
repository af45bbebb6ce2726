"""Requests to DynamoDB for one command on an aggregate that is there, and for the same command again."""

import os
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from typing import Any

from bench.counted_requests import Calls, compared, counted, create_tables
from bench.figure import Figure
from bench.lambda_environment import AWS, Context
from serverless_patterns.testing import EmbeddedCloud
from serverless_patterns_runtime.business_function.contract import Env as BusinessFunctionEnv
from serverless_patterns_runtime.claims.contract import Env as ClaimsEnv
from serverless_patterns_runtime.cqrs_table.contract import CommandEnv, Env

NAMES = ("command_ddb_calls", "command_ddb_calls_replay")

DECIDE = "bench.functions.commands:decide"
TABLES = {"claims": "claim", "aggregates": "order_id", "powertools": "id", "orders": "order_id"}
"""Names and keys."""

Handler = Callable[[dict[str, Any], Any], Any]


def figures() -> list[Figure]:
    with EmbeddedCloud.start(progress=print) as cloud, open(os.devnull, "w") as nowhere, redirect_stdout(nowhere):
        create_tables(cloud, TABLES)
        ours, peer = _answered(*_ours(cloud.environment)), _answered(*_powertools(cloud.environment))
    return [
        # Whoever decides on what is there has to read it, and then to write.
        compared(NAMES[0], ours[0], peer[0], least=2, goal=2),
        compared(NAMES[1], ours[1], peer[1], least=1, goal=1),
    ]


def _answered(handler: Handler, calls: Calls) -> tuple[Calls, Calls]:
    """What a command and its repetition ask of DynamoDB. Raises unless it happens once, and both are told the same."""
    first, second = ({"id": id, "command": "add", "key": "o-1", "body": {"amount": 1}} for id in ("id-1", "id-2"))
    handler(first, Context())
    counts: list[Calls] = []
    totals: list[Any] = []
    for _ in range(2):
        calls.clear()
        totals.append(handler(second, Context())["result"]["total"])
        counts.append(Counter(calls))
    if totals != [2, 2]:
        raise RuntimeError(f"the command and its repetition were answered by {totals}")
    return counts[0], counts[1]


def _ours(aws: Mapping[str, str]) -> tuple[Handler, Calls]:
    told = {
        **BusinessFunctionEnv(BUSINESS_FUNCTION=DECIDE, RETURNS_EFFECTS="false", TABLES="")._asdict(),
        **ClaimsEnv(
            CLAIMS_TABLE_NAME="claims", CLAIMS_NAMESPACE="orders", CLAIMS_RETENTION_SECONDS="2592000"
        )._asdict(),
        **Env(AGGREGATES_TABLE_NAME="aggregates", AGGREGATE_KEY="order_id", SCHEMA_VERSION="1", UPCAST="")._asdict(),
        **CommandEnv(DECIDE=DECIDE, COMMANDS="add", COMMAND="")._asdict(),
    }
    os.environ |= {**AWS, **told, **aws}
    from serverless_patterns_runtime.cqrs_table.command_handler import Edge, process

    edge = Edge.from_environment()
    return lambda event, context: process(event, context, edge), counted(edge.commands.claims.dynamodb)


def _powertools(aws: Mapping[str, str]) -> tuple[Handler, Calls]:
    os.environ |= {**aws, "POWERTOOLS_TABLE_NAME": "powertools"}
    from bench.functions import powertools_commands as peer

    return peer.execute, counted(peer.dynamodb)
