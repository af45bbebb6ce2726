"""An issuer of tokens, with real keys; what a forger can make of them; and an authorizer that trusts the issuer."""

import base64
import io
import itertools
import json
import re
import time
from collections.abc import Mapping
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from serverless_patterns_runtime.jwt_authorizer.contract import ALGORITHMS
from serverless_patterns_runtime.jwt_authorizer.edge import edge
from serverless_patterns_runtime.jwt_authorizer.published_keys import FixedKeys, Keys
from serverless_patterns_runtime.jwt_authorizer.settings import Settings
from serverless_patterns_runtime.lambda_authorizer.decision import AuthorizerFailed, Unauthorized, authorize
from serverless_patterns_runtime.telemetry import Logger

from ..consumer import Clock, Context, RecordedMetrics
from ..lambda_authorizer.authorizer import asked

ISSUER = "https://issuer.example"
AUDIENCE = "shop"
SETTINGS = Settings(
    identity_header="Authorization",
    issuer=ISSUER,
    audience=[AUDIENCE, "shop-admin"],
    algorithms=["RS256"],
    scopes=[],
    leeway_seconds=30,
    caller_claim="sub",
    keys="fixed",
    plain_loopback=False,
)
CANARY = "canary-claim"

_services = itertools.count(1)


@cache
def rsa_key(name: str = "now", bits: int = 2048) -> rsa.RSAPrivateKey:
    """Of one name always the same key: making one takes a while."""
    del name
    return rsa.generate_private_key(65537, bits)


@cache
def private_key(algorithm: str) -> Any:
    match algorithm[:2]:
        case "RS" | "PS":
            return rsa_key()
        case "ES":
            return ec.generate_private_key(ec.SECP256R1() if algorithm == "ES256" else ec.SECP384R1())
        case _:
            return ed25519.Ed25519PrivateKey.generate()


def jwk(key: Any, kid: str | None = "now", **members: Any) -> dict[str, Any]:
    """The public half, as an issuer publishes it."""
    algorithms = {rsa.RSAPrivateKey: "RS256", ed25519.Ed25519PrivateKey: "EdDSA"}
    name = next((name for kind, name in algorithms.items() if isinstance(key, kind)), "ES256")
    made = jwt.get_algorithm_by_name(name).to_jwk(key.public_key(), as_dict=True)
    made.pop("key_ops", None)
    return made | ({} if kid is None else {"kid": kid}) | members


def jwks(*keys: Mapping[str, Any]) -> str:
    return json.dumps({"keys": keys or [jwk(rsa_key())]})


def pem(key: Any) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def claims(**changed: Any) -> dict[str, Any]:
    """Good for a quarter of an hour; one that is None is left out."""
    now = int(time.time())
    good = {"iss": ISSUER, "aud": AUDIENCE, "sub": "user-7", "exp": now + 900, "iat": now, "note": CANARY}
    return {name: value for name, value in (good | changed).items() if value is not None}


def token(payload: Mapping[str, Any] | None = None, *, key: Any = None, algorithm: str = "RS256", **header: Any) -> str:
    """Signed by the issuer, unless it is another's key; a header that is None is left out."""
    said = {name: value for name, value in ({"kid": "now"} | header).items() if value is not None}
    return jwt.encode(dict(claims() if payload is None else payload), key or rsa_key(), algorithm, headers=said)


def encoded(value: Any) -> str:
    """JSON, or bytes, as a part of a token."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Guarded:
    """An API's authorizer that trusts the issuer."""

    def __init__(self, keys: Keys | None = None, **changed: Any) -> None:
        self.metrics, self._stream = RecordedMetrics(), io.StringIO()
        self.settings = SETTINGS._replace(**changed)
        self.edge = edge(
            self.settings,
            keys or FixedKeys(jwks()),
            clock=Clock(),
            logger=Logger(service=f"jwt-{next(_services)}", level="DEBUG", stream=self._stream),
            metrics=self.metrics,
        )

    def ask(self, *values: str, header: str = "Authorization") -> dict[str, Any]:
        """The policy for these values of the header. Raises what the gateway hears."""
        sent = asked(**{header: list(values)})
        try:
            return json.loads(json.dumps(authorize(sent, Context(Clock(), 5.0), self.edge)))
        finally:
            parts = [part for value in values for part in re.findall(r"[A-Za-z0-9_-]{24,}", value)]
            assert [part for part in [*parts, CANARY] if part in self.log_text] == []

    def status(self, *values: str, header: str = "Authorization") -> int:
        """What the gateway answers by itself; 200 where it asks the route."""
        try:
            (statement,) = self.ask(*values, header=header)["policyDocument"]["Statement"]
        except Unauthorized:
            return 401
        except AuthorizerFailed:
            return 500
        return {"Allow": 200, "Deny": 403}[statement["Effect"]]

    def bears(self, *tokens: str) -> int:
        return self.status(*(f"Bearer {one}" for one in tokens))

    @property
    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log_text.split("\n")[:-1]]

    @property
    def log_text(self) -> str:
        return self._stream.getvalue()


EVERY_ALGORITHM = list(ALGORITHMS)
