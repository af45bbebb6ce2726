"""Requests to DynamoDB that a handler makes on the embedded cloud, beside the same with Powertools' decorator."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from bench.figure import Figure
from serverless_patterns.testing import Cloud

__all__ = ["Calls", "compared", "counted", "create_tables"]

Calls = Counter[str]
"""Requests by operation."""


def counted(dynamodb: Any) -> Calls:
    """Requests of this client from now on, each try of a request by itself."""
    calls: Calls = Counter()
    dynamodb.meta.events.register(
        "request-created.dynamodb", lambda operation_name, **_: calls.update([operation_name])
    )
    return calls


def create_tables(cloud: Cloud, tables: Mapping[str, str]) -> None:
    """`tables`: names and keys."""
    dynamodb = cloud.client("dynamodb")
    for table, key in tables.items():
        dynamodb.create_table(
            TableName=table,
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )


def compared(name: str, ours: Calls, peer: Calls, *, least: int, goal: int | None = None) -> Figure:
    """`least`: what no solution can beat."""
    return Figure(
        name=name,
        value=ours.total(),
        unit="requests",
        peer=peer.total(),
        floor=least,
        better="lower",
        goal=goal,
        measured=f"ours {_text(ours)}; Powertools {_text(peer)}",
    )


def _text(calls: Calls) -> str:
    return ", ".join(f"{count} {operation}" for operation, count in sorted(calls.items()))
