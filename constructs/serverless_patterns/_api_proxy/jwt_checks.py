"""What a `JwtAuthorizer` may be told: nothing that would trust anybody."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from aws_cdk import Validations

from serverless_patterns_runtime.jwt_authorizer.contract import ALGORITHMS, ALGORITHMS_OF, PRIVATE_MEMBERS

from .._checks import Problems, is_token

if TYPE_CHECKING:
    from constructs import Construct

    from ..defaults import Settings
    from ..jwt_authorizer import JwtAuthorizer

_LEAST_RSA_BITS = 2048
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749, section 3.3


def check_issuer(problems: Problems, issuer: object, *, discovered: bool) -> None:
    """Refuse what is no issuer, and where its keys are to be discovered, what is no address."""
    if is_token(issuer):
        return
    if not isinstance(issuer, str) or not issuer or issuer != issuer.strip():
        problems.add(
            "issuer", "be the text that tokens have as iss", repr(issuer), "copy it from the issuer's settings"
        )
    elif discovered and (not _is_address(issuer) or "?" in issuer or "#" in issuer):
        fix = "its keys are looked for below it; pass jwks_url or jwks if they are elsewhere"
        problems.add("issuer", "be an https address without a query", repr(issuer), fix)


def check_names(problems: Problems, audience: Sequence[object], scopes: Sequence[object], caller_claim: object) -> None:
    """Refuse an empty audience: a token for anybody else would do."""
    if not audience and not problems.have("audience"):
        problems.add("audience", "name this API", "none", "a token that was issued for others must not open it")
    for one in audience:
        if not isinstance(one, str) or not one.strip():
            problems.add("audience", "be texts", repr(one), "one of them must be in a token's aud")
    for scope in scopes:
        if not isinstance(scope, str) or not (is_token(scope) or _SCOPE.fullmatch(scope)):
            fix = "write each by itself: scopes=['orders:read', 'orders:write']"
            problems.add("scopes", "be words without spaces", repr(scope), fix)
    if not isinstance(caller_claim, str) or not caller_claim:
        problems.add("caller_claim", "be the name of a claim", repr(caller_claim), "leave it out for 'sub'")


def check_algorithms(problems: Problems, algorithms: Sequence[object]) -> None:
    """Refuse `none`, and secrets that both sides have."""
    if not algorithms and not problems.have("algorithms"):
        problems.add("algorithms", "name one at least", "none", "leave it out for RS256")
    for one in algorithms:
        if one not in ALGORITHMS:
            fix = "who checks a token must not be able to make one, so it has to be signed with a private key"
            problems.add("algorithms", f"be of {', '.join(ALGORITHMS)}", repr(one), fix)


def check_keys(problems: Problems, jwks_url: object, jwks: Any, algorithms: Sequence[str]) -> None:
    """Refuse keys that anybody could have made or could use, without quoting them."""
    if jwks_url is not None and jwks is not None:
        problems.add("jwks_url", "be left out with jwks", repr(jwks_url), "choose one of the two")
    if jwks_url is not None and not is_token(jwks_url) and not _is_address(jwks_url):
        problems.add("jwks_url", "be an https address", repr(jwks_url), "who changes the keys on their way gets in")
    if jwks is None:
        return
    found: Any = jwks.get("keys") if hasattr(jwks, "get") else None
    if not isinstance(found, list) or not found or not all(isinstance(key, Mapping) for key in cast(list[Any], found)):
        fix = "copy the document that the issuer publishes, or write jwks={'keys': [key]}"
        problems.add("jwks", "be a JSON Web Key Set with a key", f"a value of type {type(jwks).__name__}", fix)
        return
    keys = cast(list[Mapping[str, Any]], found)
    for place, key in enumerate(keys):
        for must, got, fix in _wrong(key, algorithms):
            problems.add(f"jwks['keys'][{place}]", must, got, fix)
    for kid, times in Counter(str(key.get("kid")) for key in keys).items():
        if times > 1:
            fix = "a token names its key by kid, and two of one name would be nobody's"
            problems.add("jwks", "have keys of different kid", f"{kid} {times} times", fix)


def _wrong(key: Mapping[str, Any], algorithms: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    private = [member for member in PRIVATE_MEMBERS if member in key]
    if private:
        fix = "publish the public half; if this one was ever in a repository, make a new one"
        yield "be a public key", f"one with the private {', '.join(private)}", fix
        return
    kind = (str(key.get("kty")), None if key.get("crv") is None else str(key.get("crv")))
    said = key.get("alg")
    fitting = [one for one in ALGORITHMS_OF.get(kind, ()) if said in (None, one)]
    if not {*fitting} & {*algorithms}:
        got = " ".join(str(part) for part in (*kind, said) if part is not None)
        yield f"verify by one of {', '.join(map(str, algorithms))}", got, "name its algorithm in algorithms"
    if kind[0] == "RSA" and _bits(key.get("n")) < _LEAST_RSA_BITS:
        yield f"have {_LEAST_RSA_BITS:,} bits or more", f"{_bits(key.get('n')):,}", "a shorter one can be broken"


def _bits(modulus: object) -> int:
    try:
        return int.from_bytes(urlsafe_b64decode(f"{modulus}==")).bit_length()
    except ValueError:
        return 0


def _is_address(value: object) -> bool:
    """By https; by http on this machine, which a deployment to anywhere else refuses later."""
    if not isinstance(value, str):
        return False
    try:
        parts = urlsplit(value)
        if parts.port == 0 or not parts.hostname or parts.username is not None:
            return False
    except ValueError:
        return False
    return parts.scheme == "https" or is_plain(value)


def is_plain(address: str | None) -> bool:
    """Whether it is of this machine, without TLS."""
    if address is None or is_token(address):
        return False
    parts = urlsplit(address)
    return parts.scheme == "http" and parts.hostname in _LOOPBACK


def warn_of_vpc(scope: Construct, label: str, given: JwtAuthorizer, settings: Settings) -> None:
    """A VPC that the user gave to everything, and with it to a function that has to reach the issuer."""
    if given.jwks is None and given.handler.vpc is None and settings.vpc is not None:
        Validations.of(scope).add_warning(
            "serverless-patterns:jwt-authorizer-vpc",
            f"{label}: the JwtAuthorizer's function runs in the VPC of Defaults and asks {given.issuer} for its keys: "
            "without a route there (a NAT gateway) every request is a 500. Pass it vpc=..., or jwks=... for fixed keys",
        )
