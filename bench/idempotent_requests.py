"""Requests to DynamoDB for one request with an Idempotency-Key, and for the same again, on the embedded cloud.

With its business write in the claim's transaction; then for a function that writes nothing to DynamoDB itself.
"""

import contextlib
import json
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from bench.api_environment import api_variables, request_event, write_routes
from bench.counted_requests import Calls, compared, counted, create_tables
from bench.figure import Figure
from bench.lambda_environment import Context
from serverless_patterns.testing import Cloud, EmbeddedCloud

NAMES = (
    "idempotent_request_ddb_calls",
    "idempotent_request_ddb_calls_replay",
    "idempotent_request_ddb_calls_leased",
    "idempotent_request_ddb_calls_leased_replay",
)

ROUTE = "POST /payments"
TABLES = {"claims": "claim", "powertools": "id", "payments": "payment_id"}
"""Names and keys."""

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


class Answered(NamedTuple):
    first: Calls
    replay: Calls


def figures() -> list[Figure]:
    with EmbeddedCloud.start(progress=print) as cloud, _lambda(cloud) as aws:
        effects = _answered(*_ours(aws, "take", effects=True)), _answered(*_powertools("take"))
        leased = _answered(*_ours(aws, "note", effects=False)), _answered(*_powertools("note"))
    return [
        compared(NAMES[0], effects[0].first, effects[1].first, least=1, goal=1),
        compared(NAMES[1], effects[0].replay, effects[1].replay, least=1, goal=1),
        # Claim it, complete it: whoever must survive a crash between the two needs both.
        compared(NAMES[2], leased[0].first, leased[1].first, least=2, goal=2),
        compared(NAMES[3], leased[0].replay, leased[1].replay, least=1, goal=1),
    ]


def _answered(handler: Handler, calls: Calls) -> Answered:
    """What a request and its repetition ask of DynamoDB. Raises unless the answers are the same."""
    event = request_event(ROUTE, {"payment_id": "payment-1", "amount": "18.00"}, key="key-1")
    counted: list[Calls] = []
    answers: list[tuple[int, Any]] = []
    for _ in range(2):
        calls.clear()
        answer = handler(event, Context())
        answers.append((answer["statusCode"], json.loads(answer["body"])["payment_id"]))
        counted.append(Counter(calls))
    if answers != [(201, "payment-1")] * 2:
        raise RuntimeError(f"the request and its repetition were answered by {answers}")
    return Answered(*counted)


def _ours(aws: Mapping[str, str], function: str, *, effects: bool) -> tuple[Handler, Calls]:
    from serverless_patterns_runtime.api_proxy.edge import Edge
    from serverless_patterns_runtime.api_proxy.handler import process

    folder = Path(os.environ["LAMBDA_TASK_ROOT"])
    name, tables = f"bench.functions.payments:{function}", {"PAYMENTS": "payments"}
    os.environ |= {**api_variables(name, folder, effects=effects, tables=tables), "CLAIMS_NAMESPACE": function, **aws}
    edge = Edge.from_environment()
    return lambda event, context: process(event, context, edge), counted(edge.dynamodb)


def _powertools(function: str) -> tuple[Handler, Calls]:
    from bench.functions import powertools_payments as peer

    return getattr(peer, function), counted(peer.dynamodb)


@contextlib.contextmanager
def _lambda(cloud: Cloud) -> Generator[Mapping[str, str]]:
    """Tables, the file of the routes, and the variables that lead to the cloud."""
    create_tables(cloud, TABLES)
    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as nowhere:
        write_routes(Path(folder), [ROUTE], idempotency="required")
        aws = {**cloud.environment, "POWERTOOLS_TABLE_NAME": "powertools", "LAMBDA_TASK_ROOT": folder}
        os.environ |= aws
        with contextlib.redirect_stdout(nowhere):
            yield aws
