"""Business functions behind the live API. A body says what is to happen; the ledger keeps what happened."""

import os
import time
from urllib.parse import quote

import botocore.session

from serverless_patterns_runtime import (
    Attr,
    Caller,
    Effects,
    Invocation,
    PermanentError,
    Put,
    Request,
    Response,
    Update,
)


def identify(request: Request) -> Caller | None:
    """`Bearer ann` is ann; there are no other credentials."""
    scheme, _, name = request.headers["Authorization"].partition(" ")
    if name == "banned":
        raise PermanentError("not welcome", status=403)
    if name == "broken":
        raise RuntimeError("no database")
    return Caller(name, claims={"tier": "gold"}) if scheme == "Bearer" and name else None


def show(request: Request, invocation: Invocation) -> Response:
    """What it was asked, by whom, and what the ledger has of it."""
    row = invocation.table("LEDGER").get(id=request.params.get("id", "none"))
    invocation.logger.info("shown")
    body = {
        "params": dict(request.params),
        "query": {name: request.query[name] for name in request.query},
        "caller": request.caller and {"id": request.caller.id, "kind": request.caller.kind},
        "claims": dict(request.caller.claims) if request.caller else {},
        "row": row,
    }
    return Response(200, body, headers={"X-Tags": ["a", "b"]}, cookies=["a=1; HttpOnly", "b=2"])


def take(request: Request, invocation: Invocation) -> Effects:
    """One mark in the ledger with each commit; refuses what it has refused to, and what it has taken."""
    time.sleep(request.body.get("seconds", 0))
    if request.body.get("refused"):
        raise PermanentError(request.body["refused"], status=402)
    if request.body.get("breaks"):
        raise RuntimeError(f"secret of {request.body['id']}")
    id, unpaid = request.body["id"], Attr("paid").not_exists()
    paid = PermanentError("paid already", status=409)
    mark = Update("LEDGER", {"id": id}, add={"times": 1}, set={"paid": True}, condition=unpaid, otherwise=paid)
    kept = Put("LEDGER", {"id": f"{id}-payment", "key": invocation.idempotency_key})
    answer = Response(
        201, {"payment": id, "at": time.time()}, headers={"Location": f"/payments/{quote(id)}"}, cookies=["p=1"]
    )
    return Effects(writes=[mark, kept], result=answer)


def call(request: Request, invocation: Invocation) -> dict:
    """An effect outside of our transaction: the ledger counts runs."""
    dynamodb = botocore.session.get_session().create_client("dynamodb")
    dynamodb.update_item(
        TableName=os.environ["LEDGER"],
        Key={"id": {"S": request.body["id"]}},
        UpdateExpression="ADD times :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )
    time.sleep(request.body.get("seconds", 0))
    if request.body.get("fails", 0) >= invocation.attempt:
        raise RuntimeError("not this time")
    return {"id": request.body["id"], "at": time.time(), "attempt": invocation.attempt}


def picture(request: Request) -> Response:
    """Bytes in, the same bytes out."""
    return Response(200, request.body, headers={"Content-Type": "image/png"})


def fulfil(order: dict, invocation: Invocation) -> Effects:
    """What a queue route brought: how often, under which key and correlation id."""
    invocation.logger.info("fulfilled")
    facts = {"key": invocation.idempotency_key, "correlation_id": invocation.correlation_id}
    return Effects(writes=[Update("LEDGER", {"id": order["id"]}, add={"times": 1}, set=facts)])
