"""`HttpBackend`: an HTTP service behind a route."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from aws_cdk import aws_apigateway as apigateway

from serverless_patterns_runtime.api_proxy.contract import KeyMode

from ._checks import Problems, did_you_mean, is_token
from ._targets import Connection, RouteFacts, Site, refuse_idempotency, refuse_queue_arguments

if TYPE_CHECKING:
    from aws_cdk import Duration

    from ._targets import RouteTarget

__all__ = ["HttpBackend"]

_WHAT = "an HttpBackend"
_URL = re.compile(r"https?://[A-Za-z0-9.-]+(:\d{1,5})?(/[^\s?#]*)?")
_PORT = re.compile(r"^https?://[^/]*:(\d+)")
_MOST_PORTS = 65_535
_PARAMETER = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True)
class HttpBackend:
    """Passes requests on to an HTTP service, and its answers back, as they are.

    ```python
    Route("GET /legacy/{proxy+}", HttpBackend("https://legacy.example.com/{proxy}"))
    ```

    The service sees method, query string, headers (`Authorization` too) and body. It has to check them, and whom it
    serves, by itself. A parameter is decoded before it becomes part of the URL, `..` and `?` included: whoever may call
    the route may call everything on that host. CORS headers are the service's own affair.

    Args:
        url: Where to, `https`; `{name}` stands for the parameter of that name in the route's path. No query string.
        allow_plain_http: Lets the URL begin with `http`: whoever is between the two reads and changes everything.
    """

    url: str
    allow_plain_http: bool = False

    def _route_target(self) -> RouteTarget:
        return _Target(self)


@dataclass(frozen=True)
class _Target:
    backend: HttpBackend
    handler = None
    passes_bytes: ClassVar[bool] = True

    def key_mode(self, facts: RouteFacts) -> KeyMode:
        del facts
        return "off"

    def check(self, problems: Problems, facts: RouteFacts, timeout: Duration) -> None:
        del timeout
        refuse_idempotency(problems, facts, _WHAT)
        refuse_queue_arguments(problems, facts, _WHAT)
        argument, url = f"{facts.label} target url", self.backend.url
        if not isinstance(url, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            problems.add(argument, "be an absolute URL", repr(url), "write 'https://legacy.example.com/{proxy}'")
            return
        if is_token(url):
            return
        if not _URL.fullmatch(url):
            fix = "write for example 'https://legacy.example.com/{proxy}'; the query string is passed on by itself"
            problems.add(argument, "be an absolute URL without query string and fragment", repr(url), fix)
        elif url.startswith("http://") and not self.backend.allow_plain_http:
            fix = "use https, or pass allow_plain_http=True where the way there is trusted"
            problems.add(argument, "begin with https://", repr(url), fix)
        port = _PORT.search(url)
        if port and not 1 <= int(port[1]) <= _MOST_PORTS:
            problems.add(argument, f"have a port from 1 to {_MOST_PORTS:,}", port[1], "leave it out for that of https")
        if {".", ".."} & {*url.split("/")}:
            fix = "write the path that they lead to"
            problems.add(argument, "have no '.' and no '..' in its path", repr(url), fix)
        for name in _PARAMETER.findall(url):
            if name not in facts.parameters:
                fix = "name a parameter of the route's path, without +"
                got = f"{name!r}{did_you_mean(name, facts.parameters)}"
                problems.add(argument, f"use parameters of {facts.path}", got, fix)

    def connect(self, site: Site) -> Connection:
        facts = site.facts
        used = [name for name in facts.parameters if f"{{{name}}}" in self.backend.url]
        integration = apigateway.Integration(
            type=apigateway.IntegrationType.HTTP_PROXY,
            integration_http_method=facts.method,
            uri=self.backend.url,
            options=apigateway.IntegrationOptions(
                timeout=site.timeout,
                request_parameters={f"integration.request.path.{name}": f"method.request.path.{name}" for name in used},
            ),
        )
        return Connection(integration, request_parameters={f"method.request.path.{name}": True for name in used})

    def answers(self, facts: RouteFacts) -> Mapping[str, str]:
        del facts
        return {"default": "What the backend answers"}
