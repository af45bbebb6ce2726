"""What a caller is told of a request that failed: problem details (RFC 9457)."""

import json
from collections.abc import Mapping
from typing import Any

__all__ = ["MEDIA_TYPE", "problem_details"]

MEDIA_TYPE = "application/problem+json"


def problem_details(status: int, said: Mapping[str, Any], correlation_id: str) -> str:
    """The body: `said` of this one, between what every problem says."""
    about = {"type": "about:blank", "title": _title(status), "status": status}
    return json.dumps({**about, **said, "correlation_id": correlation_id}, separators=(",", ":"))


def _title(status: int) -> str:
    from http import HTTPStatus  # not at the top: requests that succeed do not need it

    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
