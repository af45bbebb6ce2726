"""The environment, parsed once at init."""

import os
from collections.abc import Mapping
from typing import NamedTuple

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.business_function import contract as business_function
from serverless_patterns_runtime.lambda_authorizer import contract

__all__ = ["Settings"]


class Settings(NamedTuple):
    business_function: str
    tables: Mapping[str, str]
    identity_header: str
    results_remembered: bool

    @classmethod
    def from_environment(cls) -> "Settings":
        function = environment.read(business_function.Env)
        authorizer = environment.read(contract.Env)
        return cls(
            business_function=function.BUSINESS_FUNCTION,
            tables={name: os.environ[name] for name in function.TABLES.split(",") if name},
            identity_header=authorizer.IDENTITY_HEADER,
            results_remembered=authorizer.RESULTS_REMEMBERED == "true",
        )
