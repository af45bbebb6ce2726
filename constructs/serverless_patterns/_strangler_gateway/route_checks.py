"""What is said of the routes that leave legacy, checked; schemas and targets are checked as those of any API are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from serverless_patterns_runtime.strangler_gateway.contract import SAFE_METHODS

from .._api_proxy.paths import Path, parsed
from .._checks import Problems, is_token
from .._code import runs_here
from .._running import is_function
from .._shapes import several, told
from .._targets import is_routable
from ..handler import Handler
from ..http_backend import HttpBackend
from ..migrated_route import STAGES, MigratedRoute, Rollback
from .address_checks import check_address
from .known_at_synth import check_length, check_percent, check_whole, is_known
from .places import check_places
from .placing_checks import check_shadow, check_sticky

if TYPE_CHECKING:
    from constructs import Construct


_MOST_GENERATIONS = 1_000_000_000
_MOST_REQUESTS = 1_000_000
_LONGEST_SECONDS = 299  # less than the longest that API Gateway waits
_TAKE_TEXT = ("queue_arn", "state_machine", "state_machine_arn")
_ALL_GO_TO = {"legacy": "legacy", "done": "the new side"}
_PARAMETER = re.compile(r"\{[^{}]*\}")


def check_routes(
    problems: Problems, scope: Construct, routes: Any, *, authorized: bool, private: bool
) -> dict[str, tuple[MigratedRoute, Path]]:
    """The routes by their texts, each with its path, as far as they are right.

    Args:
        problems: Takes what is wrong.
        scope: Where the gateway will be.
        routes: What the user gave.
        authorized: Whether an authorizer says who calls.
        private: Whether the router reaches private addresses.
    """
    found: dict[str, tuple[MigratedRoute, Path]] = {}
    for position, route in enumerate(several(problems, "routes", routes)):
        if not isinstance(route, MigratedRoute):
            fix = "write MigratedRoute('GET /profile/{id}', ..., stage='legacy')"
            problems.add(f"routes[{position}]", "be a MigratedRoute", told(route), fix)
            continue
        path = parsed(problems, route.route)
        if path is None:
            continue
        label = f"routes[{route.route!r}]"
        if route.route in found:
            problems.add(label, "be there once", "two of it", "leave one out")
        found[route.route] = (route, path)
        _check(problems, label, route, path, authorized=authorized)
        _check_target(problems, f"{label} target", route, private=private, here=runs_here(scope))
    check_places(problems, [path for _, path in found.values()])
    return found


def has_new_side(target: Any, *, private: bool, here: bool) -> bool:
    """Whether a router can ask it: a function, or a service that it would be let ask while its route is migrating."""
    if not isinstance(target, HttpBackend):
        return isinstance(target, Handler) or is_function(target)
    problems = Problems("")
    check_address(problems, "url", _PARAMETER.sub("x", target.url), private=private, here=here)
    return not is_token(target.url) and not problems.have("url")


def _check(problems: Problems, label: str, route: MigratedRoute, path: Path, *, authorized: bool) -> None:
    fix = "a route begins as 'legacy'; 'migrating' takes percentages; 'done' has left it"
    problems.one_of(f"{label} stage", route.stage, STAGES, fix)
    fix = "what callers get before anybody has said otherwise: serverless-patterns route set"
    check_percent(problems, f"{label} initial_percent", route.initial_percent, least=0, fix=fix)
    fix = "raise it by one to make what was set and killed void"
    check_whole(problems, f"{label} generation", route.generation, 1, _MOST_GENERATIONS, fix)
    fix = "legacy answers after it, and the gateway waits 29 seconds in all"
    check_length(problems, f"{label} timeout", route.timeout, 1, _LONGEST_SECONDS, fix)
    if route.fallback not in (None, True, False):
        problems.add(f"{label} fallback", "be True or False", told(route.fallback), "leave it out for safe methods")
    elif route.fallback and path.method not in (*SAFE_METHODS, "ANY"):
        fix = "the new side may have done it before it failed: leave fallback out"
        problems.add(f"{label} fallback", f"be left out for {path.method}", "True", fix)
    if route.sticky is not None:
        check_sticky(problems, f"{label} sticky", route.sticky, authorized=authorized)
    if route.shadow is not None:
        check_shadow(problems, f"{label} shadow", route.shadow, path.method)
    _check_unused(problems, label, route)
    if route.rollback is not None:
        _check_rollback(problems, f"{label} rollback", route.rollback)


def _check_unused(problems: Problems, label: str, route: MigratedRoute) -> None:
    """Refuse what sounds as if it did something in a stage in which it does nothing."""
    if route.stage not in _ALL_GO_TO:
        return
    given = {
        "initial_percent": (route.initial_percent != 0, told(route.initial_percent)),
        "shadow": (route.shadow is not None, "one"),
    }
    for name, (is_given, got) in given.items():
        if is_given and not problems.have(f"{label} {name}"):
            fix = f"all requests go to {_ALL_GO_TO[route.stage]}: it is for stage='migrating'"
            problems.add(f"{label} {name}", f"be left out with stage={route.stage!r}", got, fix)


def _check_rollback(problems: Problems, label: str, rollback: Any) -> None:
    if not isinstance(rollback, Rollback):
        problems.add(label, "be a Rollback or None", told(rollback), "write Rollback(max_error_percent=2)")
        return
    fix = "more errors than that, and legacy answers; None for never"
    check_percent(problems, f"{label} max_error_percent", rollback.max_error_percent, least=0.01, fix=fix)
    fix = "fewer requests say nothing about their rate"
    check_whole(problems, f"{label} min_requests", rollback.min_requests, 1, _MOST_REQUESTS, fix)
    check_length(problems, f"{label} window", rollback.window, 10, 3600, "within it errors are counted")


def _check_target(problems: Problems, label: str, route: MigratedRoute, *, private: bool, here: bool) -> None:
    target: Any = route.target
    if isinstance(target, HttpBackend):
        if route.stage == "migrating" and isinstance(target.url, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            known = is_known(problems, f"{label} url", target.url)
            address = _PARAMETER.sub("x", target.url)
            if known:
                own = ", with allow_plain_http=True"
                check_address(problems, f"{label} url", address, private=private, here=here, plain=own)
        return
    if isinstance(target, Handler) or is_function(target):
        return
    problems.add(label, "be a Handler, an IFunction or an HttpBackend", told(target), _instead(target))


def _instead(target: Any) -> str:
    """What to write instead of something that is no new side."""
    if isinstance(target, type):
        return f"write {target.__name__}(...)"
    if isinstance(target, str) and "://" in target:
        return f"write HttpBackend({target!r})"
    if isinstance(target, str) and ":" in target:
        return f"write Handler(code, {target!r})"
    of_ours = (target, getattr(target, "__self__", None))  # or a method of it that was not called
    if is_routable(target) or any(hasattr(one, name) for one in of_ours for name in _TAKE_TEXT):
        return "it takes text, and every body is bytes here: put a Handler in front, or give it an ApiProxy of its own"
    return "wrap your Python function in a Handler"
