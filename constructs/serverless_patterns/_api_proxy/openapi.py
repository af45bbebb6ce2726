"""The OpenAPI 3.1 document of an API: what its routes take and answer, as far as their descriptions say it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from serverless_patterns_runtime.api_proxy.contract import (
    CORRELATION_ID_HEADER,
    IDEMPOTENCY_KEY_HEADER,
    MAX_KEY_CHARACTERS,
    REPLAYED_HEADER,
)

from .._bundled import keeps_keys
from .credentials import AUTHORIZATION, Credential, security
from .function_target import HandlerTarget
from .paths import EVERY_METHOD
from .queue_target import QueueTarget
from .schema_2020 import of_2020
from .schema_references import written_out
from .schemas import schema_name

if TYPE_CHECKING:
    from .._targets import RouteFacts, RouteTarget

_PROBLEM = "Problem"
_PROBLEM_TYPE = "application/problem+json"
_WITH_BODY = ("PATCH", "POST", "PUT")
# Of the gateway and of the runtime in front of a function, whatever the function does.
_ALWAYS = {"429": "Too many requests", "500": "Something went wrong inside", "504": "The work took too long"}
_GUARDED = {"401": "No credential, or none that counts", "403": "Not allowed for this caller"}
_METERED = {"403": "No API key that counts"}
_KEYED = {
    "409": "A request with this key is still at work",
    "422": "This key was used before, for another request",
}


def openapi(
    title: str,
    routes: Sequence[tuple[RouteFacts, RouteTarget]],
    *,
    version: str = "1",
    credentials: Mapping[str, Sequence[Credential]] | None = None,
    with_api_key: Collection[str] = (),
    server: str | None = None,
) -> dict[str, Any]:
    """The document.

    Args:
        title: Of the API.
        routes: Each with its target.
        version: Of the API.
        credentials: By route, what its callers bring, where it is not `Authorization` alone.
        with_api_key: Routes that ask for an API key.
        server: The address in front of every path, if it is known.
    """
    paths: dict[str, dict[str, Any]] = {}
    schemas: dict[str, Any] = {_PROBLEM: _problem_schema()}
    schemes: dict[str, Any] = {}
    for facts, target in routes:
        metered = facts.name in with_api_key
        brought = (credentials or {}).get(facts.name, [AUTHORIZATION])
        asked = security(schemes, facts.evidence, brought, scopes=facts.scopes, api_key=metered)
        methods = EVERY_METHOD if facts.method == "ANY" else (facts.method,)
        for method in methods:
            operation = _operation(schemas, facts, target, method, metered=metered)
            paths.setdefault(facts.path.replace("+}", "}"), {})[method.lower()] = {**operation, "security": asked}
    components: dict[str, Any] = {
        "schemas": {name: schemas[name] for name in sorted(schemas)},
        "responses": {_PROBLEM: _problem_response()},
    }
    if schemes:
        components["securitySchemes"] = {name: schemes[name] for name in sorted(schemes)}
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        **({} if server is None else {"servers": [{"url": server}]}),
        "paths": {path: {method: paths[path][method] for method in sorted(paths[path])} for path in sorted(paths)},
        "components": components,
    }


def _operation(
    schemas: dict[str, Any], facts: RouteFacts, target: RouteTarget, method: str, *, metered: bool
) -> dict[str, Any]:
    mode = target.key_mode(replace(facts, method=method))
    operation: dict[str, Any] = {"summary": f"{method} {facts.path}"}
    parameters = [*_path_parameters(facts), *_query_parameters(facts)]
    if mode != "off":
        key = {"type": "string", "minLength": 1, "maxLength": MAX_KEY_CHARACTERS, "pattern": "^[!-~]+$"}
        header = {"name": IDEMPOTENCY_KEY_HEADER, "in": "header", "required": mode == "required", "schema": key}
        parameters.append({**header, "description": "The same key for the same work, however often it is sent."})
    if parameters:
        operation["parameters"] = parameters
    body = _body(schemas, facts, target, method)
    if body is not None:
        operation["requestBody"] = body
    operation["responses"] = _responses(facts, target, keyed=mode != "off", body=body is not None, metered=metered)
    return operation


def _path_parameters(facts: RouteFacts) -> list[dict[str, Any]]:
    greedy = {"description": "The rest of the path, slashes included."}
    said = written_out(facts.params or {}).get("properties", {})
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"minLength": 1, **of_2020(said.get(name, {"type": "string"}))},
            **(greedy if facts.greedy and name == facts.parameters[-1] else {}),
        }
        for name in facts.parameters
    ]


def _query_parameters(facts: RouteFacts) -> list[dict[str, Any]]:
    if facts.query is None:
        return []
    query = written_out(facts.query)
    required = query.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": of_2020(schema)}
        for name, schema in query.get("properties", {}).items()
    ]


def _body(schemas: dict[str, Any], facts: RouteFacts, target: RouteTarget, method: str) -> dict[str, Any] | None:
    if facts.method == "ANY" and method not in _WITH_BODY:
        return None
    if facts.content == "bytes":
        return {"required": True, "content": {"application/octet-stream": {}}}
    if facts.body is None:
        free: dict[str, Any] = {"application/json": {"schema": {}}} if _is_ours(target) else {"*/*": {}}
        return {"content": free} if method in _WITH_BODY else None
    name = schema_name(facts.body)
    schemas[name] = of_2020(written_out(facts.body))
    return {"required": True, "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}


def _responses(facts: RouteFacts, target: RouteTarget, *, keyed: bool, body: bool, metered: bool) -> dict[str, Any]:
    told = dict(_ALWAYS) | (_METERED if metered else {})
    told |= {} if facts.evidence == "none" else _GUARDED
    kept = keyed and target.handler is not None and keeps_keys(target.handler)
    told |= _KEYED if kept else {}
    told |= {"400": "The request is not what the route takes"} if body or facts.query or facts.params or keyed else {}
    told |= {"413": "The body is too large"} if body else {}
    told |= {"415": "Another content type than JSON"} if body and _is_ours(target) else {}
    says = _problem if _is_ours(target) else _problem_or_other
    responses: dict[str, Any] = {status: says(words) for status, words in told.items()}
    for status, words in target.answers(facts).items():
        responses[status] = _answer(facts, target, status, words)
    if kept and "2XX" in responses:
        replayed: dict[str, Any] = {
            "description": "`true`: the answer that the first request with this key got.",
            "schema": True,
        }
        responses["2XX"]["headers"] = {REPLAYED_HEADER: replayed}
    return {status: responses[status] for status in sorted(responses)}


def _is_ours(target: RouteTarget) -> bool:
    """Whether every error is a problem: somebody else's function, backend or answer has words of its own."""
    return isinstance(target, HandlerTarget | QueueTarget)


def _answer(facts: RouteFacts, target: RouteTarget, status: str, words: str) -> dict[str, Any]:
    if _is_ours(target) and not status.startswith("2"):
        return _problem(words)
    if not isinstance(target, QueueTarget):
        return {"description": words}
    by_name: dict[str, Any] = dict.fromkeys(sorted(facts.respond or ()), True)
    fields = by_name if facts.respond is not None else {"id": {"type": "string"}}
    schema = {"type": "object", "properties": fields, "required": list(fields)}
    return {"description": words, "content": {"application/json": {"schema": schema}}}


def _problem_or_other(words: str) -> dict[str, Any]:
    """Of the gateway it is a problem; of what is behind it, it may be anything."""
    schema = {"$ref": f"#/components/schemas/{_PROBLEM}"}
    return {"description": words, "content": {_PROBLEM_TYPE: {"schema": schema}, "*/*": {}}}


def _problem(words: str) -> dict[str, Any]:
    return {"$ref": f"#/components/responses/{_PROBLEM}", "description": words}


def _problem_response() -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{_PROBLEM}"}
    text = {"type": "string"}
    return {
        "description": "What went wrong (RFC 9457)",
        "headers": {
            CORRELATION_ID_HEADER: {"description": "To find it in the logs.", "schema": text},
            "Retry-After": {"description": "Seconds, where trying again can help.", "schema": text},
        },
        "content": {_PROBLEM_TYPE: {"schema": schema}},
    }


def _problem_schema() -> dict[str, Any]:
    text = {"type": "string"}
    error = {"type": "object", "properties": {"pointer": text, "rule": text}}
    properties: dict[str, Any] = {
        "type": text,
        "title": text,
        "status": {"type": "integer"},
        "detail": text,
        "errors": {"type": "array", "items": error},
        "correlation_id": text,
    }
    return {"type": "object", "required": ["type", "title"], "properties": properties}
