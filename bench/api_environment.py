"""What API Gateway and an `ApiProxy` give to a function: variables, the file of its routes, an event."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.lambda_environment import AWS
from serverless_patterns_runtime.api_proxy.contract import ROUTES_FILE, Env, KeyMode, Routes
from serverless_patterns_runtime.business_function.contract import Env as BusinessFunctionEnv
from serverless_patterns_runtime.claims.contract import Env as ClaimsEnv

__all__ = ["api_variables", "request_event", "write_routes"]

CLAIMS = ClaimsEnv(CLAIMS_TABLE_NAME="claims", CLAIMS_NAMESPACE="Api", CLAIMS_RETENTION_SECONDS="604800")
MAX_BODY_BYTES = 1_048_576
HOST = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"


def api_variables(
    business_function: str, folder: Path, *, effects: bool = False, tables: Mapping[str, str] | None = None
) -> dict[str, str]:
    """`folder` holds the file of the routes; `tables`: physical names by logical ones."""
    tables = tables or {}
    function = BusinessFunctionEnv(
        BUSINESS_FUNCTION=business_function, RETURNS_EFFECTS=str(effects).lower(), TABLES=",".join(tables)
    )
    api = Env(MAX_BODY_BYTES=str(MAX_BODY_BYTES), BINARY_MEDIA_TYPES="", CORS="")
    contract = {**function._asdict(), **CLAIMS._asdict(), **api._asdict()}
    return {**AWS, **contract, **tables, "LAMBDA_TASK_ROOT": os.fspath(folder)}


def write_routes(folder: Path, routes: Sequence[str], *, idempotency: KeyMode = "off") -> None:
    """Public routes that take JSON of any shape."""
    settings: Routes = {route: {"evidence": "none", "idempotency": idempotency, "content": "json"} for route in routes}
    (folder / ROUTES_FILE).write_text(json.dumps(settings))


def request_event(
    route: str, body: Any = None, *, params: Mapping[str, str] | None = None, key: str = ""
) -> dict[str, Any]:
    """A REST API's event for a Lambda proxy, with the headers that a client and the gateway send."""
    method, _, resource = route.partition(" ")
    path = resource
    for name, value in (params or {}).items():
        path = path.replace(f"{{{name}}}", value)
    headers = {
        "Accept": "application/json",
        "Accept-Encoding": "gzip, deflate, br",
        "Content-Type": "application/json",
        "Host": HOST,
        "User-Agent": "python-requests/2.32.5",
        "X-Amzn-Trace-Id": "Root=1-67400000-0123456789abcdef01234567",
        "X-Forwarded-For": "203.0.113.7",
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
        **({"Idempotency-Key": key} if key else {}),
    }
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": dict(params) if params else None,
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "a1b2c3d4e5",
            "domainName": HOST,
            "domainPrefix": "a1b2c3d4e5",
            "extendedRequestId": "AbCdEfGhIjKlMnO=",
            "httpMethod": method,
            "identity": {"sourceIp": "203.0.113.7", "userAgent": "python-requests/2.32.5"},
            "path": f"/live{path}",
            "protocol": "HTTP/1.1",
            "requestId": "4c1e5a0e-3f0b-4c55-9a5e-2b8d7f6a1c04",
            "requestTime": "21/Nov/2026:12:00:00 +0000",
            "requestTimeEpoch": 1795262400000,
            "resourceId": "a1b2c3",
            "resourcePath": resource,
            "stage": "live",
        },
        "body": None if body is None else json.dumps(body),
        "isBase64Encoded": False,
    }
