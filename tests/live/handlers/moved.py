"""The new side of routes that are moving: well, or as ill as its table says."""

import os
import time
from typing import Any

from serverless_patterns_runtime import Effects, Invocation, Put, Request, Response


def show(request: Request, invocation: Invocation) -> dict[str, Any]:
    mode = _mode(invocation, "show")
    if mode == "wrong":
        return {"side": "new", "customer_id": request.params["id"], "name": "somebody else"}
    return {"side": "new", "customer_id": request.params["id"], "name": mode}


def search(request: Request) -> dict[str, Any]:
    return {"side": "new", "tags": request.query.all("tag")}


def report(request: Request, invocation: Invocation) -> Response:
    mode = _mode(invocation, "report")
    if mode == "slow":
        time.sleep(8)
    if mode == "fails":
        raise RuntimeError("out of paper")
    return Response(200, {"side": "new"}, headers={"X-Report": request.params["name"]})


def add(request: Request, invocation: Invocation) -> Effects:
    if _mode(invocation, "add") == "dies":
        os._exit(1)
    key = request.headers.get("Idempotency-Key", "")
    row = {"id": f"basket-{invocation.idempotency_key}", "key": key}
    return Effects(writes=[Put("LEDGER", row)], result=Response(201, {"side": "new", "key": key}))


def _mode(invocation: Invocation, function: str) -> str:
    row = invocation.table("LEDGER").get(id=f"mode-{function}")
    return row["mode"] if row else "well"
