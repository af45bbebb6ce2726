"""The environment, parsed once at init."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.jwt_authorizer import contract

__all__ = ["Settings"]


class Settings(NamedTuple):
    identity_header: str
    issuer: str
    audience: Sequence[str]
    algorithms: Sequence[str]
    scopes: Sequence[str]
    leeway_seconds: int
    caller_claim: str
    keys: str
    plain_loopback: bool

    @classmethod
    def from_environment(cls) -> "Settings":
        """Raises ValueError for what would let anybody in, however it came about."""
        env = environment.read(contract.Env)
        settings = cls(
            identity_header=env.IDENTITY_HEADER,
            issuer=env.ISSUER,
            audience=json.loads(env.AUDIENCE),
            algorithms=env.JWT_ALGORITHMS.split(","),
            scopes=json.loads(env.SCOPES),
            leeway_seconds=int(env.LEEWAY_SECONDS),
            caller_claim=env.CALLER_CLAIM,
            keys=env.KEYS,
            plain_loopback=env.PLAIN_LOOPBACK == "true",
        )
        if not settings.issuer or not settings.audience or not all(settings.audience):
            raise ValueError("a token's issuer and audience must be known")
        if not set(settings.algorithms) <= set(contract.ALGORITHMS):
            raise ValueError(f"a token is signed by one of {', '.join(contract.ALGORITHMS)}")
        return settings
