"""Claims of a caller on their way from an authorizer through API Gateway: text, whatever they were before."""

import json
from collections.abc import Mapping
from typing import Any

from serverless_patterns_runtime.business_function.business_function import UnusableResult
from serverless_patterns_runtime.lambda_authorizer.contract import RESERVED

__all__ = ["claims_as_text"]


def claims_as_text(claims: Mapping[str, Any]) -> dict[str, str]:
    """Text as it is, all else as JSON; None is left out. Raises UnusableResult for claims that cannot be carried."""
    carried: dict[str, str] = {}
    for name, value in claims.items():
        if name in RESERVED:
            raise UnusableResult(f"a claim cannot be called {name}: API Gateway uses that name")
        if value is not None:
            carried[name] = value if isinstance(value, str) else _json(name, value)
    return carried


def _json(name: str, value: Any) -> str:
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise UnusableResult(f"the claim {name} has no JSON") from None
