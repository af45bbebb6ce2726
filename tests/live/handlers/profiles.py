"""The new side of a route that moves."""

from serverless_patterns_runtime import Request


def show(request: Request) -> dict[str, str]:
    return {"new": request.params["id"]}
