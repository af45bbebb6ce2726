"""Scopes of a route: what an access token of a Cognito user pool has to be good for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .._checks import Problems
from .._shapes import several
from ..jwt_authorizer import JwtAuthorizer

if TYPE_CHECKING:
    from .guards import Guard

_SCOPE = re.compile(r"[!#-\[\]-~]+")  # RFC 6749, 3.3


def checked_scopes(problems: Problems, argument: str, scopes: object, guard: Guard) -> tuple[str, ...]:
    """The scopes, refused where nobody would look at them."""
    given = several(problems, argument, scopes)
    for scope in given:
        if not isinstance(scope, str) or not _SCOPE.fullmatch(scope):
            problems.add(argument, "be names without spaces", repr(scope), "write ['orders/read']")
    if given and guard.evidence != "cognito":
        ours = isinstance(guard.given, JwtAuthorizer)
        fix = (
            "write JwtAuthorizer(..., scopes=[...])"
            if ours
            else "let the authorizer look, or the function, by the caller"
        )
        got = "nobody" if guard.given is None else f"one of type {type(guard.given).__name__}"
        problems.add(argument, "be left out without a CognitoUserPoolsAuthorizer", got, fix)
    return given
