"""What the router itself has to say: problem details (RFC 9457)."""

import json
from typing import Any

from serverless_patterns_runtime.strangler_gateway.answer import Answer

__all__ = ["Failed", "problem"]


class Failed(Exception):
    """A side has not answered, or not with what can be passed on. Its words are for callers."""

    def __init__(self, status: int, detail: str, answer: Answer | None = None) -> None:
        super().__init__(detail)
        self.status = status
        """502: no answer that can be used. 503: it refuses for now. 504: none in time."""
        self.detail = detail
        self.answer = answer
        """What it did answer: a failure of its own telling."""


def problem(status: int, detail: str, correlation_id: str, *, retry_after: int | None = None) -> Answer:
    from http import HTTPStatus  # not at the top: requests that succeed do not need it

    said: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status}
    said |= {"detail": detail, "correlation_id": correlation_id}
    headers = [("Content-Type", "application/problem+json"), ("Cache-Control", "no-store")]
    headers.append(("X-Correlation-Id", correlation_id))
    if retry_after is not None:
        headers.append(("Retry-After", str(retry_after)))
    return Answer(status, headers, json.dumps(said, separators=(",", ":")).encode())
