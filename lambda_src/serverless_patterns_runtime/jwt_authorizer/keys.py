"""A JSON Web Key Set (RFC 7517), read: the keys that may verify a token, and by which algorithms each."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from jwt import PyJWK

from serverless_patterns_runtime import payload
from serverless_patterns_runtime.errors import MalformedPayload
from serverless_patterns_runtime.jwt_authorizer.contract import ALGORITHMS_OF, PRIVATE_MEMBERS

__all__ = ["VerificationKey", "read", "with_id"]


class VerificationKey(NamedTuple):
    id: str | None
    public_key: Any
    algorithms: Sequence[str]


def read(text: str) -> tuple[VerificationKey, ...]:
    """Those that can be used: a set may hold others, of kinds that are not ours (RFC 7517, section 5).

    Raises ValueError when it holds none.
    """
    try:
        found = [_key(jwk) for jwk in payload.parse(text)["keys"]]
    except (MalformedPayload, KeyError, TypeError):
        raise ValueError("not a JSON Web Key Set") from None
    usable = tuple(key for key in found if key is not None)
    if not usable:
        raise ValueError("no key of the set can verify a token")
    return usable


def with_id(keys: Iterable[VerificationKey], id: str | None) -> list[VerificationKey]:
    """The keys that a token's `kid` names. A token may leave it out where there is one key alone."""
    if id is None:
        alone = list(keys)
        return alone if len(alone) == 1 else []
    return [key for key in keys if key.id == id]


def _key(jwk: Any) -> VerificationKey | None:
    try:
        if not _verifies(jwk):
            return None
        said = jwk.get("alg")
        fitting = ALGORITHMS_OF.get((jwk.get("kty"), jwk.get("crv")), ())
        algorithms = [algorithm for algorithm in fitting if said in (None, algorithm)]
        return VerificationKey(jwk.get("kid"), PyJWK(jwk, algorithms[0]).key, algorithms)
    except Exception:  # whatever else a key can be
        return None


def _verifies(jwk: Any) -> bool:
    """One with a private part was published by mistake, and anybody may sign with it."""
    meant = jwk.get("use") in (None, "sig") and "verify" in jwk.get("key_ops", ["verify"])
    return meant and not any(member in jwk for member in PRIVATE_MEMBERS)
