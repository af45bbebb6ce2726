"""What our idempotent API functions run: a payment with its write in the claim's transaction, or without a write."""

from serverless_patterns_runtime import Effects, Put, Request, Response


def take(request: Request) -> Effects:
    payment_id = request.body["payment_id"]
    return Effects(
        writes=[Put("PAYMENTS", {"payment_id": payment_id, "status": "TAKEN"})],
        result=Response(201, {"payment_id": payment_id}),
    )


def note(request: Request) -> Response:
    return Response(201, {"payment_id": request.body["payment_id"]})
