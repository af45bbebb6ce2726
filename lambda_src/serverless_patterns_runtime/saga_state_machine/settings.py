"""The environment, parsed once at init."""

import os
from collections.abc import Mapping
from typing import NamedTuple

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.business_function import contract as business_function
from serverless_patterns_runtime.claims import contract as claims
from serverless_patterns_runtime.saga_state_machine import contract

__all__ = ["Settings"]


class Settings(NamedTuple):
    business_function: str
    returns_effects: bool
    tables: Mapping[str, str]
    claims_table_name: str
    claims_namespace: str
    claims_retention_seconds: int
    max_result_bytes: int

    @classmethod
    def from_environment(cls) -> "Settings":
        function = environment.read(business_function.Env)
        claim = environment.read(claims.Env)
        saga = environment.read(contract.Env)
        return cls(
            business_function=function.BUSINESS_FUNCTION,
            returns_effects=function.RETURNS_EFFECTS == "true",
            tables={name: os.environ[name] for name in function.TABLES.split(",") if name},
            claims_table_name=claim.CLAIMS_TABLE_NAME,
            claims_namespace=claim.CLAIMS_NAMESPACE,
            claims_retention_seconds=int(claim.CLAIMS_RETENTION_SECONDS),
            max_result_bytes=int(saga.MAX_RESULT_BYTES),
        )
