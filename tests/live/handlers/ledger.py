"""Business functions for the live tests: each leaves a mark in a ledger that the tests read."""

import os
import time
from functools import cache

import botocore.session

from serverless_patterns_runtime import Attr, Check, Effects, Invocation, PermanentError, Update

FIXED = "the cause is fixed"


def record(work: dict, invocation: Invocation) -> Effects:
    """One mark for each commit; how often, when, and on which attempt."""
    started = time.time()
    time.sleep(work.get("seconds", 0))
    if work.get("fails", 0) >= invocation.attempt:
        raise RuntimeError("not this time")
    if work.get("refused"):
        raise PermanentError(work["refused"])
    checks = []
    if work.get("needs_fix"):
        fixed = Attr("times").exists()
        checks.append(Check("LEDGER", {"id": FIXED}, condition=fixed, otherwise=PermanentError("not fixed yet")))
    mark = {"started": started, "ended": time.time(), "attempt": invocation.attempt, "process": os.getpid()}
    return Effects(writes=[Update("LEDGER", {"id": work["id"]}, add={"times": 1}, set=mark), *checks])


def call(work: dict, invocation: Invocation) -> None:
    """An effect that is outside our transaction: the ledger counts runs, and sees the key that came along."""
    time.sleep(work.get("seconds", 0))
    if work.get("fails", 0) >= invocation.attempt:
        raise RuntimeError("not this time")
    _dynamodb().update_item(
        TableName=os.environ["LEDGER"],
        Key={"id": {"S": work["id"]}},
        UpdateExpression="ADD times :one SET the_key = :key",
        ExpressionAttributeValues={":one": {"N": "1"}, ":key": {"S": invocation.idempotency_key}},
    )


@cache
def _dynamodb():
    return botocore.session.get_session().create_client("dynamodb")
