"""Business functions behind topics, for the live tests: each leaves a mark in a ledger that the tests read.

A message's `script` has, by branch, what happens there: the `seconds` it takes, how often it `fails`, why it is
`refused`, that it `needs_fix`, how many bytes its `result` has.
"""

import json
import os
import time
import urllib.request
from functools import cache

import botocore.session

from serverless_patterns_runtime import Attr, Check, Completion, Effects, Invocation, PermanentError, StepInput, Update

FIXED = "the cause is fixed"
SECONDS = 60


def stock(order: dict, invocation: Invocation) -> Effects:
    return _in_transaction("Stock", order, invocation)


def abroad(order: dict, invocation: Invocation) -> Effects:
    return _in_transaction("Abroad", order, invocation)


def quick(order: dict, invocation: Invocation) -> Effects:
    return _in_transaction("Quick", order, invocation)


def mail(order: dict, invocation: Invocation) -> dict:
    """An effect that is outside of our transaction: the ledger counts runs."""
    script = _follow("Mail", order, invocation)
    _count("Mail", order, invocation)
    return {"by": "Mail", "text": len(order.get("text", "")), "more": "x" * script.get("result", 0)}


def wait(order: dict, invocation: Invocation) -> dict:
    """Until the partner answers."""
    with urllib.request.urlopen(f"{os.environ['PARTNER']}/{order['id']}", timeout=SECONDS):
        _count("Stalled", order, invocation)
    return {"by": "Stalled"}


def complete(completion: Completion, invocation: Invocation) -> Effects:
    facts = {
        "outcome": completion.outcome,
        "results": json.dumps(completion.results, sort_keys=True),
        "missing": json.dumps(completion.missing),
        "text": len(completion.message.get("text", "")),
        "correlation_id": invocation.correlation_id,
    }
    return Effects([Update("LEDGER", {"id": f"Completion {completion.key}"}, add={"times": 1}, set=facts)])


def catalogue(event: dict) -> Effects:
    found = event["detail"]["object"]
    return Effects(
        [Update("LEDGER", {"id": f"Catalogue {found['key']}"}, add={"times": 1}, set={"size": found["size"]})]
    )


def reserve(step: StepInput) -> Effects:
    return Effects([Update("LEDGER", {"id": f"Checkout {step.input['id']}"}, add={"times": 1})])


def _in_transaction(branch: str, order: dict, invocation: Invocation) -> Effects:
    script = _follow(branch, order, invocation)
    writes = [
        Update(
            "LEDGER",
            {"id": f"{branch} {order['id']}"},
            add={"times": 1},
            set={"correlation_id": invocation.correlation_id, "attempt": invocation.attempt},
        )
    ]
    if script.get("needs_fix"):
        fixed = Attr("times").exists()
        writes.append(Check("LEDGER", {"id": FIXED}, condition=fixed, otherwise=PermanentError("not fixed yet")))
    return Effects(writes, result={"by": branch})


def _follow(branch: str, order: dict, invocation: Invocation) -> dict:
    script = order.get("script", {}).get(branch, {})
    time.sleep(script.get("seconds", 0))
    if script.get("fails", 0) >= invocation.attempt:
        raise RuntimeError("not this time")
    if script.get("refused"):
        raise PermanentError(script["refused"])
    return script


def _count(branch: str, order: dict, invocation: Invocation) -> None:
    _dynamodb().update_item(
        TableName=os.environ["LEDGER"],
        Key={"id": {"S": f"{branch} {order['id']}"}},
        UpdateExpression="ADD times :one SET correlation_id = :it",
        ExpressionAttributeValues={":one": {"N": "1"}, ":it": {"S": invocation.correlation_id}},
    )


@cache
def _dynamodb():
    return botocore.session.get_session().create_client("dynamodb")
