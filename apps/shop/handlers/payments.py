"""What it means to take a payment: a row that says so, and an order that is paid, both or neither."""

from decimal import Decimal

from auth import require

from serverless_patterns_runtime import Attr, Effects, Invocation, PermanentError, Put, Request, Response, Update


def take(request: Request, invocation: Invocation) -> Effects:
    """Record a payment and mark its order as paid, once for each `Idempotency-Key`, however often it is sent."""
    require("payments", request)
    order_id, amount = request.body["order_id"], Decimal(str(request.body["amount"]))
    order = invocation.table("ORDERS").get(order_id=order_id)
    if order is None:
        raise PermanentError("no such order, or it is not fulfilled yet", status=404)
    if amount != order["total"]:
        raise PermanentError(f"the order's total is {order['total']}, not {amount}", status=409)
    # The same key gives the same id: who asks twice is told the same, whichever of the two was first.
    payment_id = f"P-{invocation.idempotency_key[:20]}"
    payment = {
        "payment_id": payment_id,
        "order_id": order_id,
        "amount": amount,
        "method": request.body["method"],
        "taken_by": request.caller.id if request.caller else None,
        "correlation_id": invocation.correlation_id,
    }
    return Effects(
        writes=[
            Put("PAYMENTS", payment, condition=Attr("payment_id").not_exists()),
            Update(
                "ORDERS",
                {"order_id": order_id},
                set={"status": "PAID", "payment_id": payment_id},
                # What was read above may be a moment old; this holds when it is written.
                condition=Attr("status") == "FULFILLED",
                otherwise=PermanentError("the order is paid already", status=409),
            ),
        ],
        result=Response(201, {"payment_id": payment_id, "order_id": order_id, "status": "PAID"}),
    )
