"""Where a caller's credential is: what browsers have to be let send, and what the OpenAPI document says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .guards import is_ours

if TYPE_CHECKING:
    from serverless_patterns_runtime.api_proxy.contract import Evidence

    from .guards import Guard

API_KEY_HEADER = "x-api-key"
_API_KEY = "ApiKey"
_SOURCE = re.compile(r"method\.request\.(header|querystring)\.([^,\s]+)")


class Credential(NamedTuple):
    """One thing that a caller brings."""

    place: str
    """`header` or `query`."""

    name: str


AUTHORIZATION = Credential("header", "Authorization")
_SIGNED = (AUTHORIZATION, Credential("header", "X-Amz-Date"), Credential("header", "X-Amz-Security-Token"))


def credentials_of(guard: Guard) -> tuple[Credential, ...]:
    """What the guard looks at; nothing for a public route."""
    if guard.evidence == "none":
        return ()
    if is_ours(guard):
        return (Credential("header", guard.given.header),)
    defined = getattr(getattr(guard.given, "node", None), "default_child", None)
    source = getattr(defined, "identity_source", None) or ""
    found = [Credential("query" if at == "querystring" else "header", name) for at, name in _SOURCE.findall(source)]
    return tuple(found) or (AUTHORIZATION,)


def sent_headers(guard: Guard, *, api_key: bool) -> tuple[str, ...]:
    """Headers that a caller needs to get past the door."""
    brought = _SIGNED if guard.evidence == "iam" else credentials_of(guard)
    headers = [credential.name for credential in brought if credential.place == "header"]
    return (*headers, *([API_KEY_HEADER] if api_key else []))


def security(
    schemes: dict[str, Any],
    evidence: Evidence,
    credentials: Sequence[Credential],
    *,
    scopes: Sequence[str],
    api_key: bool,
) -> list[dict[str, list[str]]]:
    """What one route asks for, all at once; its schemes are added to those of the document."""
    asked: dict[str, list[str]] = {}
    for credential in credentials if evidence != "none" else ():
        name = {"iam": "AwsSignature", "cognito": "UserPool", "lambda": "Authorizer"}[evidence]
        scheme: dict[str, Any] = {"type": "apiKey", "in": credential.place, "name": credential.name}
        if evidence == "iam":
            scheme["x-amazon-apigateway-authtype"] = "awsSigv4"
        if credential != AUTHORIZATION:
            name += "".join(part for part in credential.name.title() if part.isalnum())
        schemes[name] = scheme
        asked[name] = [*scopes]
    if api_key:
        schemes[_API_KEY] = {"type": "apiKey", "in": "header", "name": API_KEY_HEADER}
        asked[_API_KEY] = []
    return [asked] if asked else []
