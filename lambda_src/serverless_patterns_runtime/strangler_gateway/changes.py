"""A route is changed as it was seen, and with its history, or not at all: by a person, or by a router."""

from datetime import UTC, datetime
from random import Random
from typing import Any

from serverless_patterns_runtime.strangler_gateway import contract
from serverless_patterns_runtime.strangler_gateway.standing import Standing, number

__all__ = ["Beaten", "change"]

_REFUSED = ("ConditionalCheckFailed", "TransactionConflict")


class Beaten(Exception):
    """Somebody else has changed the route since it was seen."""


def change(
    dynamodb: Any,
    table: str,
    route: str,
    action: str,
    before: Standing,
    after: Standing,
    random: Random,
    *,
    forget: bool = False,
) -> None:
    """One transaction. `forget`: the route is removed, and nothing is left of it but its history. Raises Beaten."""
    entry = {"TableName": table, **_as_seen(before)}
    key = {contract.PARTITION_KEY: {"S": contract.ROUTES}, contract.SORT_KEY: {"S": route}}
    put = {"Delete": {**entry, "Key": key}} if forget else {"Put": {**entry, "Item": {**key, **after.attributes()}}}
    history = {"TableName": table, "Item": _entry(route, action, before, after, random)}
    try:
        dynamodb.transact_write_items(
            TransactItems=[put, {"Put": history}], ClientRequestToken=f"{random.getrandbits(128):032x}"
        )
    except Exception as error:
        response: Any = getattr(error, "response", {})
        if any(reason.get("Code") in _REFUSED for reason in response.get("CancellationReasons", ())):
            raise Beaten from error
        raise


def _as_seen(before: Standing) -> dict[str, Any]:
    names = {"ExpressionAttributeNames": {"#version": contract.VERSION}}
    if not before.version:
        return {"ConditionExpression": "attribute_not_exists(#version)", **names}
    values = {":version": number(before.version)}
    return {"ConditionExpression": "#version = :version", **names, "ExpressionAttributeValues": values}


def _entry(route: str, action: str, before: Standing, after: Standing, random: Random) -> dict[str, Any]:
    at = datetime.fromtimestamp(after.at or 0, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        contract.PARTITION_KEY: {"S": f"{contract.HISTORY}#{route}"},
        contract.SORT_KEY: {"S": f"{at}#{after.version:09}#{random.getrandbits(32):08x}"},
        contract.ACTION: {"S": action},
        contract.WAS_PERCENT: number(before.percent),
        contract.WAS_KILLED: {"BOOL": before.killed},
        **after.attributes(),
    }
