"""What a 401 says would be taken: `WWW-Authenticate` (RFC 9110, 11.6.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .._checks import Problems
from ..authorizers import LambdaAuthorizer

if TYPE_CHECKING:
    from .guards import Guard
    from .routes import Planned

_SIGNATURE = "AWS4-HMAC-SHA256"
_BEARER = "Bearer"
_CREDENTIAL_HEADER = "Authorization"
# A scheme and its parameters. No apostrophe: API Gateway puts constants between two of them, and so do templates.
_CHALLENGE = re.compile(r"[A-Za-z][A-Za-z0-9-]*( [ !\"%&(-\[\]-~]+)?")


def check_challenge(problems: Problems, argument: str, challenge: Any) -> None:
    """Refuse what no header can hold."""
    if challenge is not None and not (isinstance(challenge, str) and _CHALLENGE.fullmatch(challenge)):
        must = "be a scheme and its parameters in ASCII, without ', #, $ and \\"
        problems.add(argument, must, repr(challenge), """write for example 'Basic realm="shop"'""")


def challenge_of(guard: Guard) -> str | None:
    """What the route's authorizer would take; `None`: it is public."""
    if guard.evidence == "none":
        return None
    if guard.evidence == "iam":
        return _SIGNATURE
    if isinstance(guard.given, LambdaAuthorizer):
        return guard.given.challenge or _by_header(guard.given.header)
    return _BEARER


def challenges(routes: Sequence[Planned]) -> str | None:
    """What the gateway itself says, of all routes at once; `None`: it never answers 401, IAM's refusal is 403."""
    told = {one.facts.challenge for one in routes if one.facts.evidence != "iam"}
    return ", ".join(sorted(challenge for challenge in told if challenge)) or None


def _by_header(header: str) -> str:
    """A header of one's own has no scheme that anybody has registered: its name is what a client needs."""
    return _BEARER if header.lower() == _CREDENTIAL_HEADER.lower() else f'Header name="{header}"'
