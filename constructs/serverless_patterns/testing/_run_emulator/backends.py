"""Backends over HTTP behind a REST API: asked, and their answers passed on, as on AWS."""

import asyncio
import base64
import http.client
import socket
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, cast

HOOKS = {
    "ministack.app": ("app",),
    "ministack.core.sigv4": ("decode_header_value",),
    "ministack.services.apigateway_v1": (
        "_build_lambda_event_v1",
        "_gw_error",
        "_invoke_http_proxy_v1",
        "_media_type_matches",
        "_rest_apis",
    ),
}

Headers = list[tuple[str, str]]
SENT = ContextVar[Headers]("SENT")
"""The request's headers, each line on its own. Bytes beyond ASCII are characters of Latin-1."""


def keep_headers(server: Any) -> None:
    """Remember the lines of headers that come several times; the emulator joins them."""
    as_shipped = server.app

    async def app(scope: Any, receive: Any, send: Any) -> None:
        lines = scope.get("headers", ())
        before = SENT.set([(name.decode("latin-1"), value.decode("latin-1")) for name, value in lines])
        try:
            await as_shipped(scope, receive, send)
        finally:
            SENT.reset(before)

    server.app = app


def give_functions_every_header(gateway: Any, decode: Any) -> None:
    """All values of a header in `multiValueHeaders`, and the last of them in `headers`."""
    as_shipped = gateway._build_lambda_event_v1

    def build(*request: Any, **more: Any) -> dict[str, Any]:
        event: dict[str, Any] = as_shipped(*request, **more)
        values: dict[str, list[str]] = {}
        for name, value in SENT.get([]):
            values.setdefault(name.lower(), []).append(decode(value.encode("latin-1")))
        event["multiValueHeaders"] |= values
        event["headers"] |= {name: all_of_it[-1] for name, all_of_it in values.items()}
        return event

    gateway._build_lambda_event_v1 = build


def ask_as_aws(gateway: Any, messages: Any, calls: Any) -> None:
    """`messages` writes and reads them; `calls` knows the one at hand."""

    async def ask(
        integration: dict[str, Any],
        path: str,
        method: str,
        headers: Mapping[str, str],
        body: bytes,
        query: Mapping[str, list[str]] | None,
        _path_params: Any = None,
    ) -> Any:
        request = calls.get().request
        kinds = cast("list[str]", gateway._rest_apis[request["api_id"]].get("binaryMediaTypes") or [])

        def is_binary(kind: str) -> bool:
            return "*/*" in kinds or gateway._media_type_matches(kind.partition(",")[0], kinds)

        mapped = messages.Mapped(integration, request, path)
        declared: str = integration.get("httpMethod") or "ANY"
        asking = messages.Asking(
            method if declared == "ANY" else declared,
            f"{mapped.url()}{mapped.query(query or {})}",
            mapped.headers(SENT.get(list(headers.items()))),
            body if is_binary(headers.get("content-type", "")) else messages.as_text(body),
            (integration.get("timeoutInMillis") or 29_000) / 1000,
        )
        try:
            answer = await asyncio.to_thread(messages.exchange, asking)
        except TimeoutError:
            return gateway._gw_error("INTEGRATION_TIMEOUT", "Endpoint request timed out")
        except socket.gaierror:
            return gateway._gw_error("API_CONFIGURATION_ERROR", "Invalid endpoint address")
        except (OSError, http.client.HTTPException):
            return gateway._gw_error("INTEGRATION_FAILURE", "Network error communicating with endpoint")
        content = answer.body
        if not is_binary(answer.kind):
            content = messages.as_text(content)
        elif not is_binary(headers.get("accept", "")):
            content = base64.b64encode(content)
        return answer.status, messages.passed_on(answer, method), content

    gateway._invoke_http_proxy_v1 = ask
