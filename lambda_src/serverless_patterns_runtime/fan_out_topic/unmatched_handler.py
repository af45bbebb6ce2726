"""The matcher of unmatched messages: subscribed without a filter, it finds what nobody else gets."""

import os
from functools import cache
from typing import Any

from serverless_patterns_runtime.fan_out_topic.unmatched import Unmatched
from serverless_patterns_runtime.fan_out_topic.unmatched_edge import UnmatchedEdge

__all__ = ["lambda_handler", "process"]


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return process(event, context, _edge())


def process(event: dict[str, Any], context: Any, edge: UnmatchedEdge) -> dict[str, Any]:
    """The whole handler, over any edge. Raises for an event that is not SQS's: nothing of it may be acknowledged."""
    edge.logger.append_keys(function_request_id=context.aws_request_id)
    return Unmatched(edge, lambda: context.get_remaining_time_in_millis() / 1000).consume(event["Records"])


@cache
def _edge() -> UnmatchedEdge:
    return UnmatchedEdge.from_environment()


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _edge()  # at init: a broken variable is seen before the first message
