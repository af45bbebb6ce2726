"""`POST /basket` as it is after it moved: answers as the old site does."""

from typing import Any

import visitors

from serverless_patterns_runtime import Effects, Invocation, PermanentError, Put, Request, Response

MOST = 1_000  # pieces on one line


def add(request: Request, invocation: Invocation) -> Effects:
    """Put something in the visitor's basket, once for each `Idempotency-Key`, however often it is sent."""
    customer = visitors.customer(request, invocation)
    product, quantity = _wanted(request.body)
    catalogue = invocation.table("CATALOGUE").get(catalogue="all") or {"products": []}
    if product not in [one["product_id"] for one in catalogue["products"]]:
        raise PermanentError("a product_id that we have", status=400)
    line = {"customer_id": customer, "product_id": product, "quantity": quantity}
    row = {"line_id": invocation.idempotency_key, **line, "key": request.headers.get("Idempotency-Key", "")}
    return Effects(writes=[Put("BASKET_LINES", row)], result=Response(201, line))


def _wanted(body: Any) -> tuple[int, int]:
    """Product and quantity."""
    wanted = body if isinstance(body, dict) else {}
    product, quantity = wanted.get("product_id"), wanted.get("quantity")
    if type(product) is not int or type(quantity) is not int or not 1 <= quantity <= MOST:
        raise PermanentError(f"a product_id, and a quantity from 1 to {MOST:,}", status=400)
    return product, quantity
