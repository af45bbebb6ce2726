"""The environment, the routes file and the schemas, read once at init."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.api_proxy import contract
from serverless_patterns_runtime.business_function import contract as business_function
from serverless_patterns_runtime.claims import contract as claims

__all__ = ["ClaimsSettings", "Settings"]


class ClaimsSettings(NamedTuple):
    table_name: str
    namespace: str
    retention_seconds: int


class Settings(NamedTuple):
    business_function: str
    returns_effects: bool
    tables: Mapping[str, str]
    claims: ClaimsSettings | None
    """None: no route of this function can ever claim a key, and there is no table."""
    max_body_bytes: int
    binary_media_types: Sequence[str]
    """What the gateway turns into bytes, and bytes into."""
    cross_origin: contract.CrossOrigin | None
    routes: contract.Routes

    @classmethod
    def from_environment(cls) -> "Settings":
        function = environment.read(business_function.Env)
        api = environment.read(contract.Env)
        routes: contract.Routes = json.loads(Path(os.environ["LAMBDA_TASK_ROOT"], contract.ROUTES_FILE).read_text())
        returns_effects = function.RETURNS_EFFECTS == "true"
        return cls(
            business_function=function.BUSINESS_FUNCTION,
            returns_effects=returns_effects,
            tables={name: os.environ[name] for name in function.TABLES.split(",") if name},
            claims=_claims() if _may_claim(routes, returns_effects=returns_effects) else None,
            max_body_bytes=int(api.MAX_BODY_BYTES),
            binary_media_types=tuple(name for name in api.BINARY_MEDIA_TYPES.split(",") if name),
            cross_origin=json.loads(api.CORS) if api.CORS else None,
            routes=routes,
        )


def _may_claim(routes: contract.Routes, *, returns_effects: bool) -> bool:
    """Effects always do: without a key, their own transaction must still not happen twice."""
    keeping = [route for route in routes.values() if not route.get("own_keys")]
    return returns_effects or any(mode != "off" for route in keeping for mode in contract.key_modes(route))


def _claims() -> ClaimsSettings:
    claim = environment.read(claims.Env)
    return ClaimsSettings(claim.CLAIMS_TABLE_NAME, claim.CLAIMS_NAMESPACE, int(claim.CLAIMS_RETENTION_SECONDS))
