"""API Gateway's event (REST API, Lambda proxy) read: every check that a request has to pass, in one place."""

import binascii
from collections.abc import Mapping
from itertools import chain
from typing import Any

from serverless_patterns_runtime.api_proxy.contract import IDEMPOTENCY_KEY_HEADER, MAX_KEY_CHARACTERS
from serverless_patterns_runtime.api_proxy.envelope import Envelope
from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.strangler_gateway.arrival import Arrival
from serverless_patterns_runtime.strangler_gateway.canonical_path import canonical, is_another_s
from serverless_patterns_runtime.strangler_gateway.contract import Migration
from serverless_patterns_runtime.strangler_gateway.headers import checked, end_to_end, said_by_us
from serverless_patterns_runtime.strangler_gateway.query import encoded_query

__all__ = ["arrived"]

_METHODS = frozenset(["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"])


def arrived(event: dict[str, Any], migration: Migration) -> Arrival:
    """Raises PermanentError, with the status, for what is not forwarded."""
    envelope = Envelope(event)
    method, context = envelope.method, envelope.context
    if method not in _METHODS:
        raise PermanentError("this method is not forwarded", status=501)
    route = _route(envelope, migration)
    path, prefix = _path(envelope, migration, route)
    headers = checked(event.get("multiValueHeaders") or _single(event, "headers"))
    forwarded = [*end_to_end(headers), *said_by_us(context, prefix)]
    arrival = Arrival(
        method=method,
        resource=route.partition(" ")[2] or envelope.resource,
        route=route,
        path=path,
        query=encoded_query(event.get("multiValueQueryStringParameters") or _single(event, "queryStringParameters")),
        headers=forwarded,
        body=_body(event, migration["max_body_bytes"]),
        event=event,
        source_ip=context["identity"]["sourceIp"],
        cookies=envelope.cookies,
        claims=_claims(context),
        idempotency_key=None,
        request_id=envelope.request_id,
        correlation_id=envelope.correlation_id,
    )
    return arrival if arrival.safe else arrival._replace(idempotency_key=_key(arrival))


def _route(envelope: Envelope, migration: Migration) -> str:
    """By what the gateway has chosen and authorised, never by the path: a second opinion could be another one."""
    left, elsewhere = migration.get("left", {}), migration.get("elsewhere", ())
    for method in (envelope.method, "ANY"):
        name = f"{method} {envelope.resource}"
        route = left.get(name, name)
        if route in migration["routes"] or route in migration.get("done", ()):
            return route
        if name in left or name in elsewhere:
            break
    return ""


def _path(envelope: Envelope, migration: Migration, route: str) -> tuple[str, str]:
    """To forward, and what stood before it."""
    path, prefix, base = envelope.path, f"/{envelope.context['stage']}", migration["base_path"]
    if ".execute-api." not in envelope.context.get("domainName", ".execute-api."):  # a domain has no stage in its paths
        prefix = ""
        if base and (path == base or path.startswith(f"{base}/")):
            path, prefix = path[len(base) :] or "/", base
    forwarded = canonical(path, matrix=not route)
    # The gateway has matched it with none of those, and legacy may read it as one.
    names = chain(migration["routes"], migration.get("done", ()), migration.get("elsewhere", ()))
    moved = (name.partition(" ")[2] for name in names)
    if is_another_s(forwarded, envelope.resource, moved):
        raise PermanentError("the path is another spelling of one that has moved", status=400)
    return forwarded, prefix


def _single(event: Mapping[str, Any], name: str) -> dict[str, list[str]]:
    once: Mapping[str, str] = event.get(name) or {}
    return {key: [value] for key, value in once.items()}


def _body(event: Mapping[str, Any], most_bytes: int) -> bytes:
    text: str = event.get("body") or ""
    try:
        body = binascii.a2b_base64(text, strict_mode=True) if event.get("isBase64Encoded") else text.encode()
    except ValueError:  # binascii.Error and UnicodeEncodeError
        raise PermanentError("the body cannot be read", status=400) from None
    if len(body) > most_bytes:
        raise PermanentError(f"a body holds at most {most_bytes:,} bytes", status=413)
    return body


def _claims(context: Mapping[str, Any]) -> Mapping[str, Any]:
    """Cognito's are one level deeper than a Lambda authorizer's."""
    said: Mapping[str, Any] = context.get("authorizer") or {}
    claims = said.get("claims")
    return claims if isinstance(claims, dict) else said  # pyright: ignore[reportUnknownVariableType]


def _key(arrival: Arrival) -> str | None:
    keys = arrival.all(IDEMPOTENCY_KEY_HEADER)
    if len(keys) > 1 or any(len(key) > MAX_KEY_CHARACTERS for key in keys):
        raise PermanentError(
            f"a request has one {IDEMPOTENCY_KEY_HEADER} of {MAX_KEY_CHARACTERS} characters", status=400
        )
    return keys[0] if keys else None
