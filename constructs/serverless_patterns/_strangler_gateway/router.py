"""The router as a target of the API's routes: it is asked for them before it is defined."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, cast

from .._api_proxy.function_target import FunctionTarget, HandlerTarget, integration
from .._targets import Connection, Routable, RouteFacts, RouteTarget, Site

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_cdk import Duration
    from aws_cdk import aws_lambda as lambda_

    from serverless_patterns_runtime.api_proxy.contract import KeyMode

    from .._checks import Problems
    from ..http_backend import HttpBackend


@dataclass(eq=False)
class Router:
    """Stands for the function; and knows, once the API is defined, what that has to invoke."""

    function: lambda_.Function | None = None
    invoked: dict[str, lambda_.IFunction] = field(default_factory=dict[str, "lambda_.IFunction"])
    """The new side's function, or its alias, by route."""

    def connection(self, site: Site, new: lambda_.IFunction | None, *, done: bool = False) -> Connection:
        """What API Gateway does with a request: ask the router, for the new side or for legacy.

        Args:
            site: Where.
            new: The new side's function, if it is one.
            done: Whether that is asked itself. The router knows it all the same: until the stage is deployed it is
                still asked for it.
        """
        if new is not None:
            self.invoked[site.facts.name] = new
        return Connection(integration(new if done and new else cast("lambda_.IFunction", self.function), site))


@dataclass(frozen=True)
class RoutedHandler(HandlerTarget):
    """A business function that the API defines in the same way in both stages, and the router invokes."""

    router: Router
    done: bool

    def _route_target(self) -> RouteTarget:
        return self

    def connect(self, site: Site) -> Connection:
        """Proxy integration with the router, or with the function."""
        return self.router.connection(site, site.functions[self.handler], done=self.done)


@dataclass(frozen=True)
class RoutedFunction(FunctionTarget):
    """Somebody else's function, which the router invokes."""

    router: Router
    done: bool

    def _route_target(self) -> RouteTarget:
        return self

    def connect(self, site: Site) -> Connection:
        """Proxy integration with the router, or with the function."""
        return self.router.connection(site, cast("lambda_.IFunction", self.function), done=self.done)


@dataclass(frozen=True)
class RoutedBackend:
    """A service that the router calls."""

    backend: HttpBackend
    router: Router
    handler = None
    passes_bytes: ClassVar[bool] = True

    def _route_target(self) -> RouteTarget:
        return self

    def key_mode(self, facts: RouteFacts) -> KeyMode:
        """The service's own affair."""
        return self._target.key_mode(facts)

    def check(self, problems: Problems, facts: RouteFacts, timeout: Duration) -> None:
        """As in front of the service alone."""
        self._target.check(problems, facts, timeout)

    def connect(self, site: Site) -> Connection:
        """Proxy integration with the router."""
        return self.router.connection(site, None)

    def answers(self, facts: RouteFacts) -> Mapping[str, str]:
        """Whatever the service answers, or legacy."""
        return self._target.answers(facts)

    @property
    def _target(self) -> RouteTarget:
        return cast(Routable, self.backend)._route_target()  # pyright: ignore[reportPrivateUsage]  # a protocol among ourselves
