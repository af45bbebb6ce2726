"""What API Gateway is told about a caller: an IAM policy, a name, and what else is known, as text."""

import json
from typing import Any

from serverless_patterns_runtime.business_function.business_function import UnusableResult
from serverless_patterns_runtime.lambda_authorizer.contract import RESERVED
from serverless_patterns_runtime.request import Caller

__all__ = ["allow", "deny"]


def allow(caller: Caller, method_arn: str) -> dict[str, Any]:
    """Every route of the stage: the gateway keeps the answer for the credential, and uses it for other routes too."""
    return _policy(caller.id, "Allow", method_arn) | {"context": _context(caller)}


def deny(method_arn: str) -> dict[str, Any]:
    return _policy("denied", "Deny", method_arn)


def _policy(principal: str, effect: str, method_arn: str) -> dict[str, Any]:
    api, stage = method_arn.split("/")[:2]
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": f"{api}/{stage}/*/*"}
    return {"principalId": principal, "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}


def _context(caller: Caller) -> dict[str, str]:
    """Raises UnusableResult for claims that cannot be carried."""
    context: dict[str, str] = {}
    for name, value in caller.claims.items():
        if name in RESERVED:
            raise UnusableResult(f"a claim cannot be called {name}: API Gateway uses that name")
        if value is not None:
            context[name] = value if isinstance(value, str) else _json(name, value)
    return context


def _json(name: str, value: Any) -> str:
    try:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise UnusableResult(f"the claim {name} has no JSON") from None
