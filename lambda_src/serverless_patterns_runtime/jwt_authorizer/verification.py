"""From a request to a caller: every word of the token is suspect until PyJWT has verified its signature."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.jwt_authorizer.bearer import bearer_token
from serverless_patterns_runtime.jwt_authorizer.keys import VerificationKey
from serverless_patterns_runtime.jwt_authorizer.published_keys import Keys
from serverless_patterns_runtime.jwt_authorizer.refusal import Refused
from serverless_patterns_runtime.jwt_authorizer.settings import Settings
from serverless_patterns_runtime.lambda_authorizer.contract import RESERVED
from serverless_patterns_runtime.request import Caller, Request

__all__ = ["Verification"]


@dataclass(frozen=True)
class Verification:
    settings: Settings
    keys: Keys

    def __call__(self, request: Request) -> Caller:
        """Raises PermanentError: Refused (401), KeysUnavailable (500), or with status 403 for a missing scope."""
        claims = self._claims(bearer_token(request.headers.all(self.settings.identity_header)))
        caller = claims[self.settings.caller_claim]
        if not isinstance(caller, str) or not caller.strip():
            raise Refused(f"the claim {self.settings.caller_claim} is no text")
        missing = sorted({*self.settings.scopes} - _scopes(claims))
        if missing:
            raise PermanentError(f"the token was not issued for {' '.join(missing)}", status=403)
        return Caller(caller, "lambda", {name: value for name, value in claims.items() if name not in RESERVED})

    def _claims(self, token: str) -> Mapping[str, Any]:
        key = self._key(token)
        try:
            return jwt.decode(
                token,
                key.public_key,
                algorithms=[one for one in self.settings.algorithms if one in key.algorithms],
                issuer=self.settings.issuer,
                audience=self.settings.audience,
                leeway=self.settings.leeway_seconds,
                options={
                    "require": ["exp", "iss", "aud", self.settings.caller_claim],
                    "enforce_minimum_key_length": True,  # RSA: 2048 bits
                },
            )
        except Exception as error:  # PyJWT's own errors, and what hostile JSON makes of any reader
            raise _refused(error) from None

    def _key(self, token: str) -> VerificationKey:
        """The one key that the token's header names, if it can verify by an algorithm that we allow."""
        try:
            header = jwt.get_unverified_header(token)
        except Exception as error:
            raise _refused(error) from None
        algorithm = header.get("alg")
        if algorithm not in self.settings.algorithms:
            raise Refused("the token is signed by an algorithm that is not allowed")
        fitting = [key for key in self.keys.with_id(header.get("kid")) if algorithm in key.algorithms]
        if len(fitting) != 1:
            raise Refused("the token names no key of its issuer")
        return fitting[0]


def _refused(error: Exception) -> Refused:
    """Of the error its name alone: PyJWT's texts quote the token."""
    return Refused(f"the token is not valid: {type(error).__name__}")


def _scopes(claims: Mapping[str, Any]) -> set[str]:
    """`scope` (RFC 8693) is text with spaces between; `scp`, as some issuers say, also a list."""
    found: set[str] = set()
    for said in (claims.get("scope"), claims.get("scp")):
        words = said.split(" ") if isinstance(said, str) else said
        if isinstance(words, list):
            found.update(word for word in words if isinstance(word, str) and word)  # pyright: ignore
    return found
