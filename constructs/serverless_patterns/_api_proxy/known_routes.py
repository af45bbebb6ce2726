"""Routes of an API by the text that they were defined with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from .._checks import Problems, did_you_mean, is_token

if TYPE_CHECKING:
    from constructs import Construct

    from .paths import Path

_Of = TypeVar("_Of")


def known(scope: Construct, routes: Mapping[str, _Of], route: str) -> _Of:
    """What belongs to a route.

    Raises:
        ValueError: there is no such route, with the one that may be meant.
    """
    if route not in routes:
        problems = Problems(scope.node.path)
        got, fix = f"{route!r}{did_you_mean(route, routes)}", "write it as in its Route"
        must = f"be one of {', '.join(map(repr, sorted(routes)))}" if routes else "lead to a function, and none does"
        problems.add("route", must, got, fix)
        problems.raise_any()
    return routes[route]


def url_of(scope: Construct, url: str, path: Path, parameters: Mapping[str, object]) -> str:
    """The address of a path.

    Args:
        scope: The API's construct.
        url: Of the API, with a slash at its end.
        path: With parameters.
        parameters: Values of exactly these. Tokens are not encoded.

    Raises:
        ValueError: one is missing, or is not in the path.
    """
    if {*parameters} != {*path.parameters}:
        problems = Problems(scope.node.path)
        must = f"be given {', '.join(path.parameters) or 'no parameters'}"
        problems.add("url_for()", must, ", ".join(sorted(parameters)) or "none", f"{path.path} has these")
        problems.raise_any()
    parts = [
        _encoded(str(parameters[part.strip("{+}")]), greedy=part.endswith("+}")) if part.startswith("{") else part
        for part in path.parts
    ]
    return url + "/".join(parts)


def _encoded(value: str, *, greedy: bool) -> str:
    return value if is_token(value) else quote(value, safe="/" if greedy else "")
