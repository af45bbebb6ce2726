"""The breakers of a function, by name, as the environment tells."""

import json
import os

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.circuit_breaker import contract

__all__ = ["breakers"]


def breakers() -> contract.Breakers:
    """None where the variable is not set, which only a function with a breaker has."""
    if not set(contract.Env._fields) <= os.environ.keys():
        return {}
    return json.loads(environment.read(contract.Env).CIRCUIT_BREAKERS)
