"""The function behind the items: one item in, and nothing out. What it returns is kept beside its claim."""

import os
from functools import cache, partial
from typing import Any, cast

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.business_function.business_function import UnusableResult
from serverless_patterns_runtime.business_function.json_text import json_text
from serverless_patterns_runtime.business_function.result import Executed
from serverless_patterns_runtime.errors import MalformedPayload
from serverless_patterns_runtime.parallel_map import contract
from serverless_patterns_runtime.parallel_map.edge import Works
from serverless_patterns_runtime.parallel_map.failures import fail
from serverless_patterns_runtime.parallel_map.record import written
from serverless_patterns_runtime.parallel_map.work import Work

__all__ = ["lambda_handler", "process"]


def lambda_handler(event: Any, context: Any) -> Any:
    return process(event, context, _works())


def process(event: Any, context: Any, works: Works) -> dict[str, Any]:
    """The whole handler, over any edge. Raises for the state machine: an error whose name its definition knows."""
    with written(works.edge, context, event, "item handled", partial(fail, attempt=_attempt(event))):
        return _done(event, context, works)


def _attempt(event: Any) -> int:
    match event:
        case {"retries": int(retries)}:
            return retries + 1
        case _:
            return 1


class _Item(Work):
    def _answer_of(self, result: Any) -> str:
        text, most = json_text(result), self._works.max_result_bytes
        size = len(text.encode())
        if size > most:
            instead = "keep it in a table or bucket of yours, and return its key"
            raise UnusableResult(f"an item's result holds at most {most:,} bytes as JSON, got {size:,}: {instead}")
        return text


def _done(event: Any, context: Any, works: Works) -> dict[str, Any]:
    match event:
        case {"execution": str(execution), "index": int(index), "item": value} if execution:
            pass
        case _:
            raise MalformedPayload("this is no event of a map's state machine")
    retries = cast("contract.ItemEvent", event).get("retries", 0)
    claim = works.edge.items.item(execution, index, value).claim(works.edge.claims_namespace)
    executed: Executed[str] = _Item(works, context).run(claim, value, execution=execution, retries=retries)
    return {"replayed": True} if executed.replayed else {}


@cache
def _works() -> Works:
    return Works.from_environment(int(environment.read(contract.ItemEnv).MAX_RESULT_BYTES))


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _works()  # at init, which Lambda runs with more CPU, and where a broken import is seen before the first item
