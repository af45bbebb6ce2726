"""What the router invokes, by ids from names: its file knows the ids, and a variable what they stand for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .._checks import Problems, is_token
from .._running import is_function

if TYPE_CHECKING:
    from .._api_proxy.functions import ApiFunction
    from .._interfaces import Function
    from ..migrated_route import MigratedRoute

_MOST_BYTES = 3_300  # of Lambda's 4,096 for all variables; the router's others, their names included, take the rest
_LONGEST_NAME = 64
_PUNCTUATION = 6


def target_ids(functions: Sequence[ApiFunction], known: Sequence[MigratedRoute]) -> dict[str, str]:
    """By route what its function is called; not of a service.

    Args:
        functions: Of the API, each with its id and its routes.
        known: Which of the routes the router may be asked for.
    """
    ours = {one.route.route: function.id for function in functions for one in function.routes}
    found: dict[str, str] = {}
    for route in known:
        target: Any = route.target
        if route.route in ours:
            found[route.route] = ours[route.route]
        elif is_function(target):
            found[route.route] = f"Given{hashlib.sha256(target.node.path.encode()).hexdigest()[:8]}"
    return found


def check_targets(
    problems: Problems, known: Sequence[MigratedRoute], ids: Mapping[str, str], others: Mapping[str, str]
) -> None:
    """Refuse more functions than a variable can name.

    Args:
        problems: Takes what is wrong.
        known: The routes that a router may be asked for: migrating, or done.
        ids: What their functions are called.
        others: Variables whose length the user decides.
    """
    named: dict[str, str] = {}
    for route in known:
        if route.route in ids:
            named[ids[route.route]] = name_of(route.target) if is_function(route.target) else ""
    size = sum(len(id) + _length(name) + _PUNCTUATION for id, name in named.items())
    size += sum(len(name) + _length(value) for name, value in others.items())
    if size > _MOST_BYTES:
        fix = (
            "the router finds those of routes that are migrating or done by a variable, and Lambda's hold 4 KB: share a"
            " Handler, or give a part of the paths a gateway of its own"
        )
        problems.add("routes", "lead to fewer functions while any is migrating", f"{len(named)} functions", fix)


def name_of(function: Function) -> str:
    """What to invoke: an ARN where one was given, which may be of another account; else the shorter name."""
    arn = function.function_arn
    return function.function_name if is_token(arn) else arn


def _length(name: str) -> int:
    return _LONGEST_NAME if not name or is_token(name) else len(name)
