"""What `JwtAuthorizer` tells its function. Both sides import this."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

HANDLER = "serverless_patterns_runtime.jwt_authorizer.handler.lambda_handler"

JWKS_FILE = "serverless_patterns_jwks.json"
"""Beside the libraries: the fixed JSON Web Key Set, where there is one. A file, because variables hold 4 KB."""

ALGORITHMS_OF: Mapping[tuple[Any, Any], Sequence[str]] = {
    ("RSA", None): ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("OKP", "Ed25519"): ("EdDSA",),
}
"""By `kty` and `crv` of a key, which never leave it to a token how it is verified."""

ALGORITHMS = tuple(algorithm for algorithms in ALGORITHMS_OF.values() for algorithm in algorithms)
"""Asymmetric ones only: who checks a token must not be able to make one."""

FIXED = "fixed"
DISCOVERED = "discovered"

PRIVATE_MEMBERS = ("d", "p", "q", "dp", "dq", "qi", "oth", "k")
"""What a JSON Web Key has only if it can sign (RFC 7518, section 6)."""


class Env(NamedTuple):
    """Variables that the construct sets and the function reads: exactly these."""

    IDENTITY_HEADER: str
    """The header that holds `Bearer <token>`."""

    ISSUER: str
    """What `iss` must be, to the letter."""

    AUDIENCE: str
    """JSON list: `aud` must hold one of them."""

    JWT_ALGORITHMS: str
    """Some of `ALGORITHMS`, comma separated."""

    SCOPES: str
    """JSON list: a token without one of them is refused with 403."""

    LEEWAY_SECONDS: str
    """How far the clocks of the issuer and of this function may differ."""

    CALLER_CLAIM: str
    """Which claim is the caller's id."""

    KEYS: str
    """`FIXED`: those of `JWKS_FILE`; `DISCOVERED`: the issuer says where they are; else their address."""

    PLAIN_LOOPBACK: str
    """`true`: keys may come from this machine without TLS. On the embedded cloud only."""
