"""`/profile/{id}` as it is after it moved: answers as the old site does."""

from typing import Any

import visitors

from serverless_patterns_runtime import Invocation, PermanentError, Request

SHOWN = ("customer_id", "name", "street", "city", "country")


def show(request: Request, invocation: Invocation) -> dict[str, Any]:
    """A customer's own profile, and nobody else's."""
    customer = visitors.customer(request, invocation)
    if customer != request.params["id"]:
        raise PermanentError("not yours", status=403)
    profile = invocation.table("PROFILES").get(customer_id=customer)
    if profile is None:
        raise PermanentError("no such customer", status=404)
    return {name: profile[name] for name in SHOWN}
