"""What is allowed, and seldom meant: warnings about routes, once all of them are known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aws_cdk import Validations

from .._bundled import name_of
from .functions import routes_by_handler

if TYPE_CHECKING:
    from constructs import Construct

    from .routes import Planned


def warn_of_routes(scope: Construct, routes: Sequence[Planned]) -> None:
    """Warn of a greedy route that lets others in than what is below it, and of two Handlers of one function."""
    for above in (one for one in routes if one.path.greedy):
        length = len(above.path.parts) - 1
        below = [
            one.route.route
            for one in routes
            if one.path.parts[:length] == above.path.parts[:length]
            and one.path.parts != above.path.parts
            and one.guard.evidence != "none"
            and one.guard.given is not above.guard.given
        ]
        if below:
            Validations.of(scope).add_warning(
                "serverless-patterns:greedy-route",
                f"{above.facts.label} asks another authorizer than {_named(below)} below it: what these have no method"
                " for, and spellings that they do not know, get to it. Guard them alike, or move one of them",
            )
    by_function: dict[str, list[str]] = {}
    for handler, led in routes_by_handler(routes).items():
        by_function.setdefault(name_of(handler), []).append(led[0].route.route)
    for function, first in by_function.items():
        if len(first) > 1:
            Validations.of(scope).add_warning(
                "serverless-patterns:handlers-of-one-function",
                f"{_named(first)} have each a Handler of {function!r} of their own. Each is a Lambda function whose id"
                " is made of its first route: one more, or one less, renames the others, and CloudFormation replaces"
                " them with their logs. Give both routes one Handler object if they need not differ",
            )


def warn_of_wide_grant(scope: Construct, chosen: Sequence[Planned], routes: Sequence[Planned]) -> None:
    """Warn of routes that were not named, and are allowed with one that was: in IAM `*` goes over slashes."""
    for one in chosen:
        pattern = re.compile("/".join(".*" if part.startswith("{") else re.escape(part) for part in one.path.parts))
        also = [
            other.route.route
            for other in routes
            if other not in chosen
            and other.facts.evidence == "iam"
            and ("ANY" in (one.path.method, other.path.method) or one.path.method == other.path.method)
            and pattern.fullmatch("/".join(other.path.parts))
        ]
        if also:
            Validations.of(scope).add_warning(
                "serverless-patterns:wide-grant",
                f"grant_invoke({one.route.route!r}) also allows {_named(also)}: in IAM a path's parameter is *, which"
                " goes over slashes. Name them too if that is meant, or give them another place or authorizer",
            )


def _named(routes: Sequence[str]) -> str:
    return " and ".join(map(repr, sorted(routes)))
