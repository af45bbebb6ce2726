"""What our consumers run: the same order, with its write in the claim's transaction, or as a plain function."""

from typing import Any

from serverless_patterns_runtime import Effects, Put


def fulfil(order: dict[str, Any]) -> Effects:
    return Effects(writes=[Put("ORDERS", {"order_id": order["order_id"], "status": "FULFILLED"})])


def notify(order: dict[str, Any]) -> dict[str, Any]:
    return {"notified": order["order_id"]}


def by_customer(order: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"customer": order["customer"], "order_id": order["order_id"], "total": order["total"]}]
