"""Stages become routes of an API: what is done, what is migrating, and legacy for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from .._api_proxy.paths import Path, parsed
from .._checks import Problems
from ..handler import Handler
from ..http_backend import HttpBackend
from ..route import Route
from .legacy_target import LegacyTarget
from .remainder import Left, remainder, resources
from .route_checks import has_new_side
from .router import RoutedBackend, RoutedFunction, RoutedHandler, Router
from .stand_in import stand_in

if TYPE_CHECKING:
    from .._interfaces import Function
    from ..legacy_backend import LegacyBackend
    from ..migrated_route import MigratedRoute, Stage

_PASSED_ON = ("body", "query", "params", "idempotency", "scopes", "throttle", "circuit_breaker")
_OF_THE_GATEWAY = ("idempotency", "scopes", "throttle")
_ASKED_FOR_KEYS = ("ANY ", "PATCH ", "POST ")
_MOST_RESOURCES = 300  # of an API Gateway API
_MOST_OF_A_STACK = 500  # resources of CloudFormation
_OF_A_FUNCTION = 3  # itself, its role and its logs
_OF_THE_API = 14  # itself, its stage and deployment, eleven gateway errors


@dataclass(frozen=True)
class Stages:
    """The routes of a gateway by how far they have come.

    Args:
        routes: Checked, by their texts, each with its path.
        legacy: What answers the rest.
        always_route: Whether legacy is reached through the router alone.
        prefix: What stands before every path in the gateway's address: `/live`; empty: nothing.
        here: Whether functions run on this machine.
    """

    routes: Mapping[str, tuple[MigratedRoute, Path]]
    legacy: LegacyBackend
    always_route: bool
    prefix: str
    here: bool

    @property
    def migrating(self) -> list[MigratedRoute]:
        """In the order of their texts."""
        return self._of("migrating")

    @property
    def done(self) -> list[MigratedRoute]:
        """In the order of their texts."""
        return self._of("done")

    @property
    def listed(self) -> list[MigratedRoute]:
        """As legacy's, in the order of their texts."""
        return self._of("legacy")

    @property
    def finished(self) -> list[MigratedRoute]:
        """Those done ones that a router can ask, and is asked for until CloudFormation has come to the stage."""
        private = self.legacy.vpc is not None
        return [one for one in self.done if self.router and has_new_side(one.target, private=private, here=self.here)]

    @property
    def router(self) -> bool:
        """Whether anything goes through one."""
        return self.always_route or bool(self.migrating)

    def translated(self, router: Router) -> list[Route]:
        """The routes of the API."""
        targets = {one.route: one.target for one in self.done}
        targets |= {one.route: _routed(one, router) for one in (*self.finished, *self.migrating)}
        moved = (*self.done, *self.migrating)
        routes = [Route(one.route, targets[one.route], **_arguments(one)) for one in moved]
        legacy = LegacyTarget(self.legacy, self.prefix, router if self.always_route else None)
        return routes + [
            Route(one.text, legacy) if one.owner is None else self._standing_in(one, one.owner, targets)
            for one in self.left
        ]

    def check_quotas(self, problems: Problems) -> None:
        """Refuse what API Gateway and CloudFormation refuse for its size alone."""
        rest = [path for path in (parsed(problems, text) for text, _ in self.left) if path is not None]
        paths = [path for _, path in self._moved()]
        of_api = len(resources([*paths, *rest]))
        if of_api > _MOST_RESOURCES:
            fix = "move routes together, as 'ANY /orders/{proxy+}', or give a part of the paths a gateway of its own"
            problems.add("routes", f"make {_MOST_RESOURCES} resources of API Gateway at most", str(of_api), fix)
        functions = {id(one.target) for one, _ in self._moved() if isinstance(one.target, Handler)}
        in_stack = of_api + len(paths) + len(rest) + _OF_A_FUNCTION * len(functions) + _OF_THE_API
        if in_stack > _MOST_OF_A_STACK:
            fix = "move routes together, as 'ANY /orders/{proxy+}', share a Handler, or split the gateway in two stacks"
            must = f"fit into the {_MOST_OF_A_STACK} resources of a stack"
            problems.add("routes", must, f"{in_stack} or more", fix)

    @cached_property
    def left(self) -> list[Left]:
        """What the API has besides the routes that have moved."""
        return remainder((path for _, path in self._moved()), (path for _, path in self.routes.values()))

    def _standing_in(self, left: Left, owner: Path, targets: Mapping[str, Any]) -> Route:
        """Its function, or the router, does as it does for its own: what they check is not said again."""
        arguments = _arguments(self.routes[left.owner_name][0])
        said = {name: value for name, value in arguments.items() if name in _OF_THE_GATEWAY}
        return Route(left.text, stand_in(targets[left.owner_name], owner, left.parts), **said)

    def _moved(self) -> list[tuple[MigratedRoute, Path]]:
        return [(one, path) for one, path in self.routes.values() if one.stage != "legacy"]

    def _of(self, stage: Stage) -> list[MigratedRoute]:
        return [one for _, (one, _) in sorted(self.routes.items()) if one.stage == stage]


def _arguments(route: MigratedRoute) -> dict[str, Any]:
    arguments = {name: getattr(route, name) for name in _PASSED_ON}
    asks_for_keys = isinstance(route.target, Handler) and route.route.startswith(_ASKED_FOR_KEYS)
    if asks_for_keys and route.idempotency is None:
        arguments["idempotency"] = "optional"  # who has always called legacy sends none, and would be refused
    return arguments


def _routed(route: MigratedRoute, router: Router) -> Any:
    target, done = route.target, route.stage == "done"
    if isinstance(target, Handler):
        return RoutedHandler(target, router, done)
    if isinstance(target, HttpBackend):
        return target if done else RoutedBackend(target, router)
    return RoutedFunction(cast("Function", target), router, done)
