"""What API Gateway is told about a caller: an IAM policy, a name, and what else is known, as text."""

from typing import Any

from serverless_patterns_runtime.caller_claims import claims_as_text
from serverless_patterns_runtime.request import Caller

__all__ = ["allow", "deny"]


def allow(caller: Caller, method_arn: str) -> dict[str, Any]:
    """Every route of the stage: the gateway keeps the answer for the credential, and uses it for other routes too."""
    return _policy(caller.id, "Allow", method_arn) | {"context": claims_as_text(caller.claims)}


def deny(method_arn: str) -> dict[str, Any]:
    return _policy("denied", "Deny", method_arn)


def _policy(principal: str, effect: str, method_arn: str) -> dict[str, Any]:
    api, stage = method_arn.split("/")[:2]
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": f"{api}/{stage}/*/*"}
    return {"principalId": principal, "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}}
