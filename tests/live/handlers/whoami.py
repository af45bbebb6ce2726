"""Tells callers who they are."""

from serverless_patterns_runtime import Request


def tell(request: Request) -> dict[str, object]:
    assert request.caller is not None
    return {"id": request.caller.id, "claims": dict(request.caller.claims)}
