"""What our API functions run: an answer made of what was asked."""

from typing import Any

from serverless_patterns_runtime import Request


def answer(request: Request) -> dict[str, Any]:
    name = request.body["name"] if request.body else None
    return {"thing_id": request.params.get("thing_id"), "name": name}
