"""The routes of an API, planned: what each says, who guards it, where it leads, and all that is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .._checks import Problems
from .._running import is_function
from .._shapes import several, told
from .._targets import RouteFacts, is_companion, is_routable, takes_the_rest
from ..handler import Handler
from ..http_backend import HttpBackend
from ..route import Route
from . import schemas as _schemas
from .breaking import check_breaking
from .challenges import challenge_of
from .function_target import FunctionTarget, HandlerTarget
from .guards import Guard, guard_of
from .overlaps import Guarded, check_overlaps
from .params import check_params
from .paths import EVERY_METHOD, Path, parsed
from .scopes import checked_scopes
from .throttling import check_throttle
from .wrong_kinds import instead_of_target

if TYPE_CHECKING:
    from aws_cdk import Duration

    from serverless_patterns_runtime.api_proxy.contract import KeyMode

    from .._protection import Protection
    from .._targets import RouteTarget

_WITHOUT_BODY = ("GET", "HEAD", "OPTIONS")  # by their meaning
_BODILESS = (*_WITHOUT_BODY, "DELETE")


@dataclass(frozen=True)
class Planned:
    """One route with everything that is known of it."""

    route: Route
    path: Path
    facts: RouteFacts
    guard: Guard
    target: RouteTarget
    protection: Protection | None

    @property
    def takes_a_body(self) -> bool:
        """Whether requests usually have one."""
        return self.path.method not in _BODILESS

    @property
    def key_modes(self) -> dict[str, KeyMode]:
        """What holds for `Idempotency-Key`, by method: for each on a route for `ANY`."""
        methods = EVERY_METHOD if self.path.method == "ANY" else (self.path.method,)
        return {method: self.target.key_mode(replace(self.facts, method=method)) for method in methods}


def planned(problems: Problems, routes: Any, api: Guard | None, timeout: Duration, cross_origin: bool) -> list[Planned]:
    """The routes, sorted by path and method, as far as they are right.

    Args:
        problems: Takes what is wrong.
        routes: What the user gave.
        api: What guards the API; `None`: each route says it.
        timeout: Of integrations.
        cross_origin: Whether the gateway answers preflights.
    """
    given = several(problems, "routes", routes)
    if not given and not problems.have("routes"):
        problems.add("routes", "hold at least one Route", "none", "an API without routes cannot be deployed")
    found: list[Planned] = []
    for position, route in enumerate(given):
        if isinstance(route, Route):
            one = _planned(problems, route, api, timeout, cross_origin)
            found += [one] if one else []
        else:
            problems.add(f"routes[{position}]", "be a Route", repr(route), "write Route('GET /orders', ...)")
    check_overlaps(problems, [_guarded(one) for one in found])
    together = [(one.target, one.facts) for one in found]
    for target, facts in together:
        if is_companion(target):
            target.check_beside(problems, facts, together)
    return sorted(found, key=lambda one: (one.path.path, one.path.method))


def _guarded(one: Planned) -> Guarded:
    elsewhere = isinstance(one.target, FunctionTarget) or isinstance(one.route.target, HttpBackend)
    return Guarded(one.route.route, one.path, one.guard.evidence == "none", elsewhere, takes_the_rest(one.target))


def _planned(
    problems: Problems, route: Route, api: Guard | None, timeout: Duration, cross_origin: bool
) -> Planned | None:
    path = parsed(problems, route.route)
    if path is None:
        return None
    label = f"routes[{route.route!r}] "
    guard = guard_of(problems, label, route.authorizer, route.public, api)
    if api is None and route.authorizer is None and route.public is False:
        keys = ", and API keys authorise nobody" if route.api_key_required else ""
        fix = f"give it or the API one; public=True lets everybody in{keys}"
        problems.add(f"{label}authorizer", "be given", "None", fix)
    if cross_origin and path.method == "OPTIONS":
        problems.add(label.strip(), "be left out with cors", repr(route.route), "the gateway answers preflights")
    check_throttle(problems, f"{label}throttle", route.throttle)
    facts = _facts(problems, route, path, guard)
    target = _target(problems, label, route.target)
    if target is None:
        return None
    target.check(problems, facts, timeout)
    return Planned(route, path, facts, guard, target, check_breaking(problems, label, route, target))


def _facts(problems: Problems, route: Route, path: Path, guard: Guard) -> RouteFacts:
    facts = RouteFacts(
        name=route.route,
        method=path.method,
        path=path.path,
        parameters=path.parameters,
        greedy=path.greedy,
        body=route.body if isinstance(route.body, Mapping) else None,
        content="bytes" if route.body is bytes else "json",
        query=route.query if isinstance(route.query, Mapping) else None,
        params=route.params if isinstance(route.params, Mapping) else None,
        respond=route.respond,
        message_group=route.message_group,
        asked_idempotency=route.idempotency,
        evidence=guard.evidence,
        challenge=challenge_of(guard),
        scopes=checked_scopes(problems, f"routes[{route.route!r}] scopes", route.scopes, guard),
    )
    if route.body is not None:
        _check_body(problems, facts, route.body)
    if facts.query is not None:
        _schemas.check_query(problems, f"{facts.label} query", facts.query)
    elif route.query is not None:
        fix = "write {'type': 'object', 'properties': {...}}"
        problems.add(f"{facts.label} query", "be a JSON schema of an object", repr(route.query), fix)
    check_params(problems, facts, route.params, route.target)
    return facts


def _check_body(problems: Problems, facts: RouteFacts, body: object) -> None:
    label = f"{facts.label} body"
    if facts.method in _WITHOUT_BODY:
        problems.add(label, f"be left out for {facts.method}", "a value", "such a request has no body")
    elif facts.method == "ANY" and facts.body is not None:
        fix = "GET has no body and would be refused: give each method a route of its own"
        problems.add(label, "be left out for ANY", "a schema", fix)
    elif facts.body is not None:
        _schemas.check(problems, label, facts.body)
    elif body is not bytes:
        problems.add(label, "be a JSON schema, or bytes", repr(body), "write {'type': 'object', ...}")


def _target(problems: Problems, label: str, target: Any) -> RouteTarget | None:
    if isinstance(target, Handler):
        return HandlerTarget(target)
    if is_routable(target) and not isinstance(target, type):
        return target._route_target()  # pyright: ignore[reportPrivateUsage]  # a protocol among ourselves
    if is_function(target):
        return FunctionTarget(target)
    must = "be a Handler, an IFunction, a LoadLeveledQueue, a FanOutTopic, a ParallelMap, an HttpBackend, "
    must += "a MockResponse, a saga's start(), status() or decision(), or a CqrsTable's command(), get() or query()"
    problems.add(f"{label}target", must, told(target), instead_of_target(target))
    return None


def distinct_schemas(routes: Sequence[Planned]) -> Mapping[str, Mapping[str, Any]]:
    """Every schema that some function checks, by name."""
    given = [schema for one in routes for schema in (one.facts.body, one.facts.query, one.facts.params)]
    schemas = [schema for schema in given if schema is not None]
    return {_schemas.schema_name(schema): schema for schema in schemas}
