"""Tokens that say who calls: signed with a key that only the shop knows, worthless after their end.

They are real, but no way to manage identities. A real shop has its callers sign in at its identity provider (Amazon
Cognito, Entra ID, Keycloak), which also takes tokens back and rotates keys, and checks those tokens. This one needs no
account anywhere, so that the whole shop runs on a laptop.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

PURPOSE = b"shop-token-1."  # signed along, so that nothing else that was signed with the key passes for a token
LONGEST = 2_000  # characters; a longer one is not ours, and not worth hashing


def issue(subject: str, scope: str, expires_at: int, key: str) -> str:
    """A token for `subject`, until `expires_at` (epoch seconds). `scope`: what it may do, words with spaces between."""
    claims = _text(json.dumps({"sub": subject, "scope": scope, "exp": expires_at}).encode())
    return f"{claims}.{_text(_signature(claims, key))}"


def verify(token: str, key: str, now: float) -> Mapping[str, Any] | None:
    """The claims of a token; None when it is not ours, was changed, or has expired."""
    claims, dot, signature = token.partition(".")
    if not dot or len(token) > LONGEST or not token.isascii():
        return None
    # In constant time, and before anything is believed that the token says.
    if not hmac.compare_digest(_text(_signature(claims, key)), signature):
        return None
    try:
        said = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    except (binascii.Error, ValueError):
        return None
    return said if now < said["exp"] else None


def _signature(claims: str, key: str) -> bytes:
    return hmac.digest(key.encode(), PURPOSE + claims.encode(), hashlib.sha256)


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
