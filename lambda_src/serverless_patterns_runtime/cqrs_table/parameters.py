"""A query string where nothing can be asked for."""

from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.request import Request

__all__ = ["refuse_parameters"]


def refuse_parameters(request: Request) -> None:
    """As views do: a `min_version` that nobody looks at would be believed. Raises PermanentError, status 400."""
    if any(True for _ in request.query):
        raise PermanentError("the query string has a parameter that there is not; there are none", status=400)
