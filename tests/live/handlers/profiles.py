"""The new side of a route that moves, and who calls it."""

from serverless_patterns_runtime import Caller, Request


def show(request: Request) -> dict[str, str]:
    return {"new": request.params["id"]}


def identify(request: Request) -> Caller:
    """`Bearer ann` is ann; whoever says nothing of himself is a guest, as all the others."""
    name = request.headers["Authorization"].removeprefix("Bearer ")
    return Caller("guest") if name == "guest" else Caller(name, claims={"sub": name})
