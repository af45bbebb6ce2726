"""Events as API Gateway's REST APIs send them: the golden envelopes of tests/events, and events shaped like theirs."""

import base64
import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any

from .sqs_events import NOW, golden

EVIDENCE = {
    "none": "rest_api_public",
    "iam": "rest_api_iam",
    "cognito": "rest_api_cognito",
    "lambda": "rest_api_lambda",
}
"""What lets a caller in, and the envelope that shows it."""

ALL = [*EVIDENCE.values(), "rest_api_authorizer"]

__all__ = ["ALL", "EVIDENCE", "NOW", "event", "golden"]

Several = Mapping[str, str | Sequence[str]]


def event(
    route: str = "POST /things",
    body: Any = None,
    *,
    path: str | None = None,
    params: Mapping[str, str] | None = None,
    query: Several | None = None,
    headers: Several | None = None,
    content_type: str | None = "application/json",
    key: str | None = None,
    evidence: str = "none",
    request_id: str = "4c1e5a0e-3f0b-4c55-9a5e-2b8d7f6a1c04",
) -> dict[str, Any]:
    """One request; a body that is not text or bytes becomes JSON, bytes become base64."""
    made = copy.deepcopy(golden(EVIDENCE[evidence]))
    method, _, resource = route.partition(" ")
    made |= {"httpMethod": method, "resource": resource, "path": path or resource, "pathParameters": params}
    made["requestContext"] |= {"requestId": request_id, "httpMethod": method, "resourcePath": resource}
    said: dict[str, str | Sequence[str]] = {"Host": "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"}
    if body is not None and content_type is not None:
        said["Content-Type"] = content_type
    if key is not None:
        said["Idempotency-Key"] = key
    _put(made, "headers", "multiValueHeaders", {**said, **(headers or {})})
    _put(made, "queryStringParameters", "multiValueQueryStringParameters", query)
    made["isBase64Encoded"] = isinstance(body, bytes)
    made["body"] = _text(body)
    return made


def _put(made: dict[str, Any], single: str, several: str, values: Several | None) -> None:
    lists = {name: [value] if isinstance(value, str) else list(value) for name, value in (values or {}).items()}
    made[several] = lists or None
    made[single] = {name: value[-1] for name, value in lists.items()} or None


def _text(body: Any) -> str | None:
    if body is None or isinstance(body, str):
        return body
    return base64.b64encode(body).decode() if isinstance(body, bytes) else json.dumps(body)
