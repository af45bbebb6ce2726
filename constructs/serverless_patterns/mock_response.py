"""`MockResponse`: an answer that the gateway gives by itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aws_cdk import aws_apigateway as apigateway

from serverless_patterns_runtime.api_proxy.contract import KeyMode

from ._api_proxy.cross_origin import integration_headers, method_headers
from ._targets import Connection, RouteFacts, Site, refuse_idempotency, refuse_queue_arguments

if TYPE_CHECKING:
    from aws_cdk import Duration

    from ._checks import Problems
    from ._targets import RouteTarget

__all__ = ["MockResponse"]

_WHAT = "a MockResponse"
_WITHOUT_BODY = (204, 205, 304)


@dataclass(frozen=True)
class MockResponse:
    """Always the same answer, with no function and no backend behind it.

    ```python
    Route("GET /health", MockResponse(200, {"status": "ok"}), public=True)
    ```

    Args:
        status: 200 to 599.
        body: A JSON value; `None`: no body.
    """

    status: int = 200
    body: Any = None

    def _route_target(self) -> RouteTarget:
        return _Target(self)


@dataclass(frozen=True)
class _Target:
    response: MockResponse
    handler = None

    def key_mode(self, facts: RouteFacts) -> KeyMode:
        del facts
        return "off"

    def check(self, problems: Problems, facts: RouteFacts, timeout: Duration) -> None:
        del timeout
        refuse_idempotency(problems, facts, _WHAT)
        refuse_queue_arguments(problems, facts, _WHAT)
        argument = f"{facts.label} target"
        problems.whole_number(f"{argument} status", self.response.status, 200, 599, "200 is OK")
        if facts.content == "bytes":
            problems.add(f"{facts.label} body", f"be left out in front of {_WHAT}", "bytes", "nobody reads it")
        if self.response.status in _WITHOUT_BODY and self.response.body is not None:
            fix = "leave it out: HTTP has no body there"
            problems.add(f"{argument} body", f"be None with status {self.response.status}", "a value", fix)
        try:
            self._text()
        except (TypeError, ValueError) as error:
            fix = "build it of dictionaries, lists, strings, numbers, booleans and None"
            problems.add(f"{argument} body", "be a JSON value", str(error), fix)

    def connect(self, site: Site) -> Connection:
        headers, template = integration_headers(site.cors), site.cors.template if site.cors else ""
        status = str(self.response.status)
        integration = apigateway.MockIntegration(
            request_templates={"application/json": json.dumps({"statusCode": self.response.status})},
            passthrough_behavior=apigateway.PassthroughBehavior.NEVER,  # other content would be a 500
            integration_responses=[
                apigateway.IntegrationResponse(
                    status_code=status,
                    response_parameters=headers,
                    response_templates={"application/json": template + self._text()},
                )
            ],
        )
        return Connection(
            integration,
            [apigateway.MethodResponse(status_code=status, response_parameters=method_headers(site.cors))],
        )

    def answers(self, facts: RouteFacts) -> Mapping[str, str]:
        del facts
        return {str(self.response.status): "Always the same answer"}

    def _text(self) -> str:
        if self.response.body is None:
            return ""
        text = json.dumps(self.response.body, allow_nan=False)
        return text.replace("$", "\\u0024").replace("#", "\\u0023")  # a mapping template would take them for its own
