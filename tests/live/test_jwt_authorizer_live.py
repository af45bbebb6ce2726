"""`JwtAuthorizer` as deployed: real tokens, verified by the libraries that its asset brings."""

import json
import time
from pathlib import Path
from typing import Any

import jwt
from aws_cdk import App, RemovalPolicy, Stack
from cryptography.hazmat.primitives.asymmetric import rsa

from serverless_patterns import ApiProxy, Defaults, Handler, JwtAuthorizer, Route
from tests.live.rest_calls import Api

HANDLERS = Path(__file__).parent / "handlers"
ISSUER, AUDIENCE = "https://issuer.example", "shop"


def token(key: rsa.RSAPrivateKey, **changed: Any) -> str:
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "exp": now + 600, "scope": "me:read", "level": 3}
    return jwt.encode(claims | changed, key, "RS256", headers={"kid": "k-1"})


class Guarded(Stack):
    def __init__(self, scope: App, id: str, key: rsa.RSAPrivateKey) -> None:
        super().__init__(scope, id)
        Defaults.of(self).set(removal_policy=RemovalPolicy.DESTROY, alarms="none")
        public = jwt.get_algorithm_by_name("RS256").to_jwk(key.public_key(), as_dict=True) | {"kid": "k-1"}
        guard = JwtAuthorizer(ISSUER, [AUDIENCE], jwks={"keys": [public]}, scopes=["me:read"])
        route = Route("GET /me", Handler(HANDLERS, "whoami:tell"))
        self.api = ApiProxy(self, "Api", authorizer=guard, routes=[route], access_logs=False)


def test_a_token_of_the_issuer_opens_the_api_and_no_other(cdk_app: App, deploy: Any, fresh_name: str) -> None:
    key, forger = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    stack = Guarded(cdk_app, fresh_name, key)
    api = Api(deploy(cdk_app).url(stack.api))

    def status(credential: str | None) -> int:
        return api.call("GET /me", None, {} if credential is None else {"Authorization": credential}).status

    answer = api.call("GET /me", None, {"Authorization": f"Bearer {token(key)}"})
    assert answer.status == 200
    assert answer.json["id"] == "ann"
    assert answer.json["claims"]["level"] == json.dumps(3)
    refused = {
        "none": None,
        "no scheme": token(key),
        "forged": f"Bearer {token(forger)}",
        "expired": f"Bearer {token(key, exp=int(time.time()) - 60)}",
        "for others": f"Bearer {token(key, aud='bank')}",
        "of others": f"Bearer {token(key, iss='https://forger.example')}",
        "unsigned": f"Bearer {jwt.encode(jwt.decode(token(key), options={'verify_signature': False}), None, 'none')}",
    }
    assert {name: status(value) for name, value in refused.items()} == dict.fromkeys(refused, 401)
    assert status(f"Bearer {token(key, scope='me:write')}") == 403
