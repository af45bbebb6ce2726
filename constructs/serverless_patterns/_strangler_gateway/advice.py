"""What is allowed, and seldom meant: warnings about routes that are migrating."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_cdk import Validations

from .._checks import seconds
from .._running import is_function, visible_timeout
from ..handler import Handler

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_cdk import Duration
    from constructs import Construct

    from ..migrated_route import MigratedRoute


def warn_of_long_functions(scope: Construct, routes: Iterable[MigratedRoute]) -> None:
    """Warn of functions that were given more time than the router waits for them."""
    for one in routes:
        given, waited = seconds(_timeout(one.target)), seconds(one.timeout)
        if given is not None and waited is not None and given > waited:
            Validations.of(scope).add_warning(
                "serverless-patterns:new-side-timeout",
                f"routes[{one.route!r}] waits {waited} seconds for a function that may run for {given}: it goes on"
                " working while legacy, or an error, has answered. Give it less, or the route more",
            )


def warn_of_required_keys(scope: Construct, routes: Iterable[MigratedRoute]) -> None:
    """Warn of routes on which callers that legacy has always served are refused."""
    for one in routes:
        if one.idempotency == "required":
            Validations.of(scope).add_warning(
                "serverless-patterns:new-side-requires-keys",
                f"routes[{one.route!r}] requires an Idempotency-Key of callers that legacy has served without one: the"
                " new side tells them 400, and neither falls back nor goes back for it. Leave idempotency out until"
                " the route is done, unless all of them send one",
            )


def _timeout(target: Any) -> Duration | None:
    if isinstance(target, Handler):
        return target.timeout
    return visible_timeout(target) if is_function(target) else None
