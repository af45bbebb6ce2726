"""Requests to DynamoDB for one step of a saga, on the embedded cloud: what is done once, and its result kept.

With its business write in the claim's transaction; then for a function that writes nothing to DynamoDB itself.
"""

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from typing import Any

from bench.counted_requests import Calls, compared, counted, create_tables
from bench.figure import Figure
from bench.lambda_environment import AWS, Context
from serverless_patterns.testing import Cloud, EmbeddedCloud
from serverless_patterns_runtime.business_function.contract import Env as BusinessFunctionEnv
from serverless_patterns_runtime.claims.contract import Env as ClaimsEnv
from serverless_patterns_runtime.saga_state_machine.contract import DEFAULT_MAX_RESULT_BYTES, Env, Event

NAMES = ("saga_ddb_calls_per_step", "saga_ddb_calls_per_step_leased")

TABLES = {"claims": "claim", "powertools": "id", "orders": "order_id"}
"""Names and keys."""

CLAIMS = ClaimsEnv(CLAIMS_TABLE_NAME="claims", CLAIMS_NAMESPACE="Saga", CLAIMS_RETENTION_SECONDS="2592000")

Handler = Callable[[Any, Any], Any]


def figures() -> list[Figure]:
    with EmbeddedCloud.start(progress=print) as cloud, _lambda(cloud) as aws:
        effects = _made(*_ours(aws, "reserve", effects=True)), _made(*_powertools("reserve"))
        leased = _made(*_ours(aws, "charge", effects=False)), _made(*_powertools("charge"))
    return [
        compared(NAMES[0], *effects, least=1),
        # Claim it, complete it: whoever must survive a crash between the two needs both.
        compared(NAMES[1], *leased, least=2),
    ]


def _made(handler: Handler, calls: Calls) -> Calls:
    calls.clear()
    answer = handler(_event(), Context())
    if not answer:
        raise RuntimeError("the step was not done")
    return Counter(calls)


def _event() -> Event:
    """What the first step's task gives."""
    state = {"order_id": "order-1", "amount": 18}
    return {"step": "Step", "kind": "action", "execution": "order-1", "retries": 0, "state": state, "first": True}


def _ours(aws: Mapping[str, str], function: str, *, effects: bool) -> tuple[Handler, Calls]:
    from serverless_patterns_runtime.saga_state_machine.edge import Edge
    from serverless_patterns_runtime.saga_state_machine.handler import process

    business = BusinessFunctionEnv(
        BUSINESS_FUNCTION=f"bench.functions.steps:{function}", RETURNS_EFFECTS=str(effects).lower(), TABLES="ORDERS"
    )
    saga = Env(MAX_RESULT_BYTES=str(DEFAULT_MAX_RESULT_BYTES))
    namespace = {"CLAIMS_NAMESPACE": function}
    os.environ |= {**AWS, **business._asdict(), **CLAIMS._asdict(), **namespace, **saga._asdict(), **aws}
    edge = Edge.from_environment()
    return lambda event, context: process(event, context, edge), counted(edge.dynamodb)


def _powertools(function: str) -> tuple[Handler, Calls]:
    from bench.functions import powertools_steps as peer

    return getattr(peer, function), counted(peer.dynamodb)


@contextlib.contextmanager
def _lambda(cloud: Cloud) -> Generator[Mapping[str, str]]:
    """Tables, and the variables that lead to the cloud."""
    create_tables(cloud, TABLES)
    aws = {**cloud.environment, "POWERTOOLS_TABLE_NAME": "powertools", "ORDERS": "orders"}
    os.environ |= aws
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        yield aws
