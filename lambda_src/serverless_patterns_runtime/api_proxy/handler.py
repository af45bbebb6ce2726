"""The function behind a route: API Gateway's event in, its proxy result out."""

import os
from functools import cache
from typing import Any

from serverless_patterns_runtime.api_proxy.edge import Edge
from serverless_patterns_runtime.api_proxy.envelope import Envelope
from serverless_patterns_runtime.api_proxy.exchange import Exchange
from serverless_patterns_runtime.api_proxy.problems import problem_of
from serverless_patterns_runtime.telemetry import describe

__all__ = ["lambda_handler", "process"]


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return process(event, context, _edge())


def process(event: dict[str, Any], context: Any, edge: Edge) -> dict[str, Any]:
    """The whole handler, over any edge. Never raises: what API Gateway makes of an error tells the caller nothing."""
    edge.logger.append_keys(function_request_id=context.aws_request_id)
    try:
        return Exchange(edge, Envelope(event), context).answer()
    except Exception as error:
        edge.logger.error("not an event of API Gateway", extra=describe(error, with_message=False))
        return problem_of(error, correlation_id=context.aws_request_id, now=edge.clock()).proxy_result()


@cache
def _edge() -> Edge:
    return Edge.from_environment()


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _edge()  # at init, which Lambda runs with more CPU, and where a broken import is seen before the first request
