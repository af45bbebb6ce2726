"""The function of a JWT authorizer: API Gateway's REQUEST event in, a policy out."""

import os
from functools import cache
from typing import Any

from serverless_patterns_runtime.jwt_authorizer.edge import edge_of_environment
from serverless_patterns_runtime.lambda_authorizer.decision import authorize
from serverless_patterns_runtime.lambda_authorizer.edge import Edge

__all__ = ["lambda_handler"]


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return authorize(event, context, _edge())


@cache
def _edge() -> Edge:
    return edge_of_environment()


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _edge()  # at init; the issuer is asked by the first request, which then fails alone if it does not answer
