"""The token in a header: exactly `Bearer`, one space, and three parts of base64url with dots between."""

import re
from collections.abc import Sequence

from serverless_patterns_runtime.jwt_authorizer.refusal import Refused

__all__ = ["bearer_token"]

_LONGEST = 8_192  # API Gateway takes 10,240 bytes of headers
_BEARER = re.compile(r"(?i:bearer) ([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)", re.ASCII)


def bearer_token(values: Sequence[str]) -> str:
    """Raises Refused for anything else, two headers too. HTTP asks to read the scheme in any case (RFC 9110, 11.1)."""
    if len(values) != 1:
        raise Refused("not exactly one credential")
    (value,) = values
    if len(value) > _LONGEST:
        raise Refused("the credential is too long")
    found = _BEARER.fullmatch(value)
    if found is None:
        raise Refused("the credential is not 'Bearer' and a token")
    return found[1]
