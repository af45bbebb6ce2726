"""The breakers of a function, by name, as the environment tells."""

import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serverless_patterns_runtime.circuit_breaker.contract import Breakers

__all__ = ["breakers"]

VARIABLE = "CIRCUIT_BREAKERS"


def breakers() -> "Breakers":
    """None where the variable is not set, which only a function with a breaker has."""
    if VARIABLE not in os.environ:
        return {}
    # Not at the top, here and wherever a function without a breaker gets by: each module is a part of its cold start.
    from serverless_patterns_runtime import environment
    from serverless_patterns_runtime.circuit_breaker.contract import Env

    return json.loads(environment.read(Env).CIRCUIT_BREAKERS)
