"""Why a side has no answer, and what the router itself says then."""

from serverless_patterns_runtime.problem_details import MEDIA_TYPE, problem_details
from serverless_patterns_runtime.strangler_gateway.proxy_answer import ProxyAnswer

__all__ = ["Failed", "own_answer"]


class Failed(Exception):
    """A side has not answered, or not with what can be passed on. Its words are for callers."""

    def __init__(self, status: int, detail: str, answer: ProxyAnswer | None = None) -> None:
        super().__init__(detail)
        self.status = status
        """502: no answer that can be used. 503: it refuses for now. 504: none in time."""
        self.detail = detail
        self.answer = answer
        """What it did answer: a failure of its own telling."""


def own_answer(status: int, detail: str, correlation_id: str, *, retry_after: int | None = None) -> ProxyAnswer:
    headers = [("Content-Type", MEDIA_TYPE), ("Cache-Control", "no-store")]
    headers.append(("X-Correlation-Id", correlation_id))
    if retry_after is not None:
        headers.append(("Retry-After", str(retry_after)))
    return ProxyAnswer(status, headers, problem_details(status, {"detail": detail}, correlation_id).encode())
