"""The new side of all that is below a path, and of one path there by itself."""

from serverless_patterns_runtime import Request


def anything(request: Request) -> dict[str, str]:
    return {"route": request.route, "path": request.path, "all": request.params["proxy"]}


def report(request: Request) -> dict[str, str]:
    return {"route": request.route, "path": request.path, "all": ""}
