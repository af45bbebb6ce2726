"""The function of a Lambda authorizer: API Gateway's REQUEST event in, a policy out."""

import os
from functools import cache
from typing import Any

from serverless_patterns_runtime.api_proxy.envelope import Envelope
from serverless_patterns_runtime.lambda_authorizer.decision import AuthorizerFailed, Decision, Unauthorized
from serverless_patterns_runtime.lambda_authorizer.edge import Edge
from serverless_patterns_runtime.telemetry import describe

__all__ = ["authorize", "lambda_handler"]


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return authorize(event, context, _edge())


def authorize(event: dict[str, Any], context: Any, edge: Edge) -> dict[str, Any]:
    """The whole handler, over any edge. Raises Unauthorized and AuthorizerFailed, which quote nothing of the event."""
    edge.logger.append_keys(function_request_id=context.aws_request_id)
    try:
        return Decision(edge, Envelope(event), context).answer()
    except (Unauthorized, AuthorizerFailed):
        raise
    except Exception as error:
        edge.logger.error("not an event of API Gateway", extra=describe(error, with_message=False))
    raise AuthorizerFailed


@cache
def _edge() -> Edge:
    return Edge.from_environment()


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _edge()  # at init, which Lambda runs with more CPU, and where a broken import is seen before the first request
