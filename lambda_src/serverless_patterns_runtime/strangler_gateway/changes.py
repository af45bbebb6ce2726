"""A route is changed as it was seen, and with its history, or not at all: by a person, by a router, or by a sweep."""

from datetime import UTC, datetime
from random import Random
from typing import Any

from serverless_patterns_runtime.strangler_gateway import contract
from serverless_patterns_runtime.strangler_gateway.standing import Standing, number

__all__ = ["Beaten", "as_seen", "change"]

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
    missing_since: int | None = None,
) -> None:
    """One transaction. Raises Beaten.

    `forget`: the route is removed, and nothing is left of it but its history. `missing_since`: only while it is marked
    so.
    """
    entry = {"TableName": table, **as_seen(before, missing_since)}
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


def as_seen(before: Standing, missing_since: int | None = None) -> dict[str, Any]:
    """The condition that nobody has changed the route; and, where that is said, that its mark is still this one."""
    names = {"#version": contract.VERSION}
    if not before.version:
        return {"ConditionExpression": "attribute_not_exists(#version)", "ExpressionAttributeNames": names}
    condition, values = "#version = :version", {":version": number(before.version)}
    if missing_since is not None:
        condition += " AND #missing = :missing"
        names["#missing"], values[":missing"] = contract.MISSING_SINCE, number(missing_since)
    return {
        "ConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }


def _entry(route: str, action: str, before: Standing, after: Standing, random: Random) -> dict[str, Any]:
    at = datetime.fromtimestamp(after.at or 0, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        contract.PARTITION_KEY: {"S": f"{contract.HISTORY}#{route}"},
        contract.SORT_KEY: {"S": f"{at}#{after.version:09}#{random.getrandbits(32):08x}"},
        contract.ACTION: {"S": action},
        contract.WAS_PERCENT: number(before.percent),
        contract.WAS_KILLED: {"BOOL": before.killed},
        contract.EXPIRES_AT: number((after.at or 0) + contract.HISTORY_SECONDS),
        **after.attributes(),
    }
