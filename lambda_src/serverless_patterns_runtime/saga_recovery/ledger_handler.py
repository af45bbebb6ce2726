"""The function that the recovery state machine asks: what is known of an execution, and what is settled."""

import os
from functools import cache
from typing import Any

from serverless_patterns_runtime.saga_recovery.edge import LedgerEdge
from serverless_patterns_runtime.saga_recovery.recall import recall
from serverless_patterns_runtime.saga_recovery.settle import settle
from serverless_patterns_runtime.saga_recovery.telling import telling
from serverless_patterns_runtime.saga_state_machine.failures import fail

__all__ = ["lambda_handler", "process"]


def lambda_handler(event: Any, context: Any) -> Any:
    return process(event, context, _edge())


def process(event: Any, context: Any, edge: LedgerEdge) -> Any:
    """The whole handler, over any edge. Raises for the state machine: an error whose name its definition knows."""
    try:
        with telling(edge.outside, context, event["task"], event["execution"]):
            return recall(event, edge) if event["task"] == "recall" else settle(event, edge)
    except Exception as error:
        fail(error)


@cache
def _edge() -> LedgerEdge:
    return LedgerEdge.from_environment()


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _edge()  # at init: what is missing is seen before the first recovery
