"""API Gateway (REST API, Lambda proxy, every media type binary) as far as its documentation says what it does.

A raw request becomes an event; a result becomes a raw answer's parts. What it changes on the way, and the router cannot
undo, is `docs/patterns/strangler_gateway.md`'s table.
"""

import base64
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import unquote_plus

__all__ = ["DOMAIN", "Parts", "answer", "event", "parts"]

DOMAIN = "a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com"
SOURCE_IP = "203.0.113.10"


class Parts(NamedTuple):
    """Of a request or an answer: its first line, headers in order, and body."""

    start: str
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for known, value in self.headers if known.lower() == name.lower()]


def parts(raw: bytes) -> Parts:
    head, _, body = raw.partition(b"\r\n\r\n")
    start, *lines = head.decode("latin-1").split("\r\n")
    return Parts(
        start, [(name, value.strip(" \t")) for name, _, value in (line.partition(":") for line in lines)], body
    )


def event(
    raw: bytes, resource: str, *, stage: str = "live", authorizer: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """`resource`: of the method that the gateway has chosen."""
    request = parts(raw)
    method, target, _ = request.start.split(" ")
    path, _, query = target.partition("?")
    headers: dict[str, list[str]] = {}
    for name, value in request.headers:
        headers.setdefault(name, []).append(value)
    several = _query(query)
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": {name: values[-1] for name, values in headers.items()} or None,
        "multiValueHeaders": headers or None,
        "queryStringParameters": {name: values[-1] for name, values in several.items()} or None,
        "multiValueQueryStringParameters": several or None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": _context(method, resource, path, stage, authorizer),
        "body": base64.b64encode(request.body).decode() if request.body else None,
        "isBase64Encoded": bool(request.body),
    }


def answer(result: Mapping[str, Any]) -> Parts:
    """What the caller is sent. Raises for what the gateway would answer with 502."""
    assert set(result) == {"statusCode", "multiValueHeaders", "body", "isBase64Encoded"}
    headers: Mapping[str, Sequence[str]] = result["multiValueHeaders"]
    body = base64.b64decode(result["body"], validate=True) if result["isBase64Encoded"] else result["body"].encode()
    return Parts(
        str(result["statusCode"]), [(name, value) for name, values in headers.items() for value in values], body
    )


def _query(text: str) -> dict[str, list[str]]:
    several: dict[str, list[str]] = {}
    for pair in text.split("&") if text else []:
        name, _, value = pair.partition("=")
        several.setdefault(unquote_plus(name), []).append(unquote_plus(value))
    return several


def _context(method: str, resource: str, path: str, stage: str, authorizer: Mapping[str, Any] | None) -> dict[str, Any]:
    said = {
        "resourcePath": resource,
        "httpMethod": method,
        "path": f"/{stage}{path}",
        "stage": stage,
        "requestId": "4c1e5a0e-3f0b-4c55-9a5e-2b8d7f6a1c04",
        "identity": {"sourceIp": SOURCE_IP},
        "domainName": DOMAIN,
        "apiId": "a1b2c3d4e5",
    }
    return said | ({} if authorizer is None else {"authorizer": dict(authorizer)})
