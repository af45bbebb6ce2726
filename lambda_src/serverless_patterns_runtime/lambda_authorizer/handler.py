"""The function of a Lambda authorizer: API Gateway's REQUEST event in, a policy out."""

import os
from functools import cache
from typing import Any

from serverless_patterns_runtime.lambda_authorizer.decision import authorize
from serverless_patterns_runtime.lambda_authorizer.edge import Edge

__all__ = ["authorize", "lambda_handler"]


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return authorize(event, context, _edge())


@cache
def _edge() -> Edge:
    return Edge.from_environment()


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _edge()  # at init, which Lambda runs with more CPU, and where a broken import is seen before the first request
