"""Routes under a circuit breaker: what may have one, and what answers while it is open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._business_function import returns_effects
from .._checks import Problems, Renamed
from .._protection import Protection, protection_of

if TYPE_CHECKING:
    from .._targets import RouteTarget
    from ..handler import Handler
    from ..route import Route


def check_breaking(problems: Problems, label: str, route: Route, target: RouteTarget) -> Protection | None:
    """What protects a route, checked with its fallback; `None`: nothing does.

    Args:
        problems: Takes what is wrong.
        label: How messages name the route, such as `routes['GET /quotes'] `.
        route: What the user wrote.
        target: Where it leads.
    """
    if route.circuit_breaker is None and route.fallback is None:
        return None
    if route.circuit_breaker is None:
        fix = "give the route the breaker too: the fallback answers what it refuses"
        problems.add(f"{label}fallback", "be left out without circuit_breaker", "a value", fix)
    protection = protection_of(problems, f"{label}circuit_breaker", route.circuit_breaker)
    handler = target.handler
    if handler is None:
        fix = "only a Handler runs our code: wrap what calls the downstream in one (a queue takes the breaker itself)"
        problems.add(f"{label}circuit_breaker", "be left out unless the target is a Handler", "a value", fix)
    elif route.fallback is not None:
        _check_fallback(problems, f"{label}fallback", handler, route.fallback)
    return protection


def _check_fallback(problems: Problems, argument: str, handler: Handler, fallback: Any) -> None:
    if not isinstance(fallback, str):
        fix = f"name a function in {handler.code}, such as 'orders:last_known'"
        problems.add(argument, "be 'module:function'", repr(fallback), fix)
    elif returns_effects(handler.code, fallback, Renamed(problems, argument)):
        fix = "it answers while the work cannot be done: nothing that it returns is committed, or kept under a key"
        problems.add(argument, "return an answer", f"the Effects of {fallback}", fix)
