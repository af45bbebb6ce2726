"""The breakers of a function, as its environment tells."""

import json
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from serverless_patterns_runtime.circuit_breaker.contract import Breakers
    from serverless_patterns_runtime.circuit_breaker.permit import Breaker

__all__ = ["deployed_breakers"]

VARIABLE = "CIRCUIT_BREAKERS"


def deployed_breakers(logger: Any) -> "Mapping[str, Breaker]":
    """By name, over AWS. None where the variable is not set, which only a function with a breaker has."""
    if VARIABLE not in os.environ:
        return {}
    # Not at the top: each module is a part of a cold start, and most functions get by without these.
    from serverless_patterns_runtime import environment
    from serverless_patterns_runtime.circuit_breaker.contract import Env
    from serverless_patterns_runtime.circuit_breaker.deployed import deployed_breaker

    breakers: Breakers = json.loads(environment.read(Env).CIRCUIT_BREAKERS)
    return {name: deployed_breaker(name, settings, logger) for name, settings in breakers.items()}
