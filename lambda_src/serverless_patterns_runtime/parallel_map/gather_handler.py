"""The function that gathers: it buries one item whose attempts are used up, or closes and counts all of them."""

import os
from functools import cache
from typing import Any, cast

from serverless_patterns_runtime.errors import MalformedPayload
from serverless_patterns_runtime.parallel_map import contract
from serverless_patterns_runtime.parallel_map.edge import Gathering
from serverless_patterns_runtime.parallel_map.failures import fail
from serverless_patterns_runtime.parallel_map.gathering import bury, gather
from serverless_patterns_runtime.parallel_map.record import written

__all__ = ["lambda_handler", "process"]


def lambda_handler(event: Any, context: Any) -> Any:
    return process(event, context, _gathering())


def process(event: Any, context: Any, gathering: Gathering) -> Any:
    """The whole handler, over any edge. Raises for the state machine: an error whose name its definition knows."""
    with written(gathering.edge, context, event, "gathered", fail):
        return _answer(event, context, gathering)


def _answer(event: Any, context: Any, gathering: Gathering) -> Any:
    match event:
        case {"task": "bury", "execution": str(), "index": int(), "item": _, "error": dict()}:
            bury(gathering, cast("contract.BuryEvent", event))
            return {}
        case {"task": "gather", "arn": str(), "status": str()}:
            remaining = lambda: context.get_remaining_time_in_millis() / 1000  # noqa: E731
            return gather(gathering, cast("contract.GatherEvent", event), remaining)
        case _:
            raise MalformedPayload("this is no event of a map's state machine")


@cache
def _gathering() -> Gathering:
    return Gathering.from_environment()


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _gathering()  # at init: what is missing is seen before the first execution
