"""Legacy as a target of the API's routes: for all that nobody else takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway

from .._targets import Connection, RouteFacts, Site

if TYPE_CHECKING:
    from serverless_patterns_runtime.api_proxy.contract import KeyMode

    from .._checks import Problems
    from .._targets import RouteTarget
    from ..legacy_backend import LegacyBackend
    from .router import Router


@dataclass(frozen=True, eq=False)
class LegacyTarget:
    """The legacy system, called by API Gateway itself or, with a router, by that."""

    backend: LegacyBackend
    prefix: str
    """Of every path, as callers write it: `/live`; empty: none."""

    router: Router | None
    handler = None
    takes_the_rest: ClassVar[bool] = True
    passes_bytes: ClassVar[bool] = True

    def _route_target(self) -> RouteTarget:
        return self

    def key_mode(self, facts: RouteFacts) -> KeyMode:
        """Legacy's own affair."""
        del facts
        return "off"

    def check(self, problems: Problems, facts: RouteFacts, timeout: Duration) -> None:
        """Nothing: the backend is checked once, for all routes."""

    def connect(self, site: Site) -> Connection:
        """Proxy integration with the same path on the legacy system."""
        if self.router is not None:
            return self.router.connection(site, None)
        facts, link = site.facts, self.backend.vpc_link
        mapped = {f"integration.request.path.{name}": f"method.request.path.{name}" for name in facts.parameters}
        fixed = {f"integration.request.header.{name}": f"'{value}'" for name, value in self.backend.headers.items()}
        # `Host` is its own. Without these its links would lead past the gateway.
        address = {"Host": "context.domainName"} | ({"Prefix": f"'{self.prefix}'"} if self.prefix else {})
        told = {f"integration.request.header.X-Forwarded-{name}": value for name, value in address.items()}
        options = apigateway.IntegrationOptions(
            timeout=_shorter(self.backend.timeout, site.timeout),
            request_parameters={**mapped, **told, **fixed},
            connection_type=None if link is None else apigateway.ConnectionType.VPC_LINK,
            vpc_link=cast("apigateway.IVpcLink | None", link),
        )
        integration = apigateway.Integration(
            type=apigateway.IntegrationType.HTTP_PROXY,
            integration_http_method=facts.method,
            uri=self.backend.url.rstrip("/") + facts.path.replace("+}", "}"),
            options=options,
        )
        return Connection(integration, request_parameters=dict.fromkeys(mapped.values(), True))

    def answers(self, facts: RouteFacts) -> Mapping[str, str]:
        """Whatever it answers."""
        del facts
        return {"default": "What the legacy system answers"}


def _shorter(one: Duration, other: Duration) -> Duration:
    if one.is_unresolved() or other.is_unresolved():
        return one
    return min(one, other, key=lambda length: length.to_milliseconds())
