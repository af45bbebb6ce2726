"""The consumer of a load-leveled queue: SQS event in, partial batch response out."""

import os
from functools import cache
from typing import Any

from serverless_patterns_runtime.load_leveled_queue.consumption import Consumption
from serverless_patterns_runtime.load_leveled_queue.edge import Edge

__all__ = ["lambda_handler", "process"]


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return process(event, context, _edge())


def process(event: dict[str, Any], context: Any, edge: Edge) -> dict[str, Any]:
    """The whole handler, over any edge. Raises for an event that is not SQS's: nothing of it may be acknowledged."""
    return Consumption(edge, context).consume(event["Records"])


@cache
def _edge() -> Edge:
    return Edge.from_environment()


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _edge()  # at init, which Lambda runs with more CPU, and where a broken import is seen before the first message
