"""Who is calling: what the route's authorizer left in the event, or nobody gets in.

The gateway has let the request through. That is not taken on trust: an authorizer that a deployment lost, or that
answers without saying who it is, must not open the route.
"""

from collections.abc import Mapping
from typing import Any

from serverless_patterns_runtime.api_proxy import contract
from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.lambda_authorizer.contract import RESERVED
from serverless_patterns_runtime.request import Caller

__all__ = ["Unauthenticated", "caller"]


class Unauthenticated(PermanentError):
    """The event does not say who is calling, on a route that is not public."""

    def __init__(self) -> None:  # pyright: ignore[reportInconsistentConstructor]
        super().__init__("the request is not authenticated", status=401)


def caller(evidence: contract.Evidence, context: Mapping[str, Any]) -> Caller | None:
    """None on a public route. Raises Unauthenticated where the evidence is missing, empty, or of another kind."""
    match evidence:
        case "none":
            return None
        case "iam":
            identity = _mapping(context.get("identity"))
            claims = {"account": identity.get("accountId"), "user": identity.get("user")}
            return Caller(_text(identity.get("userArn")) + _of_pool(identity), "iam", claims)
        case "cognito":
            claims = _mapping(_mapping(context.get("authorizer")).get("claims"))
            return Caller(_text(claims.get("sub")), "cognito", claims)
        case "lambda":
            authorizer = _mapping(context.get("authorizer"))
            claims = {name: value for name, value in authorizer.items() if name not in RESERVED}
            return Caller(_text(authorizer.get("principalId")), "lambda", claims)
        case _:  # pyright: ignore[reportUnnecessaryComparison]
            raise Unauthenticated


def _of_pool(identity: Mapping[str, Any]) -> str:
    """Users of an identity pool have one ARN in common, that of its role and of one session: this is whose they are."""
    user = identity.get("cognitoIdentityId")
    return user if isinstance(user, str) else ""


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Unauthenticated
    return value  # pyright: ignore[reportUnknownVariableType]


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Unauthenticated
    return value
