"""The function of `on_complete`: it runs once for an execution, with what has become of each item."""

import os
from functools import cache
from typing import Any, cast

from serverless_patterns_runtime.claims.claim import Contended
from serverless_patterns_runtime.errors import MalformedPayload
from serverless_patterns_runtime.gathered import FailedItem, Gathered
from serverless_patterns_runtime.parallel_map import contract
from serverless_patterns_runtime.parallel_map.edge import Works
from serverless_patterns_runtime.parallel_map.executions import input_of, name_of
from serverless_patterns_runtime.parallel_map.failures import fail
from serverless_patterns_runtime.parallel_map.items import ItemClaim, Unreadable
from serverless_patterns_runtime.parallel_map.record import written
from serverless_patterns_runtime.parallel_map.roll import Entry, called
from serverless_patterns_runtime.parallel_map.work import Work
from serverless_patterns_runtime.payload import digest

__all__ = ["lambda_handler", "process"]


def lambda_handler(event: Any, context: Any) -> Any:
    return process(event, context, _works())


def process(event: Any, context: Any, works: Works) -> dict[str, Any]:
    """The whole handler, over any edge. Raises for the state machine: an error whose name its definition knows."""
    with written(works.edge, context, event, "completed", fail):
        match event:
            case {"arn": str(arn), "told": {"outcome": str(), "items": int(), "processed": int(), "failed": int()}}:
                _complete(arn, cast("contract.CompletionEvent", event), context, works)
                return {}
            case _:
                raise MalformedPayload("this is no event of a map's state machine")


class _Completion(Work):
    def _answer_of(self, result: Any) -> str:  # noqa: ARG002
        """Nobody reads what it returns."""
        return "null"


def _complete(arn: str, event: contract.CompletionEvent, context: Any, works: Works) -> None:
    name, told = name_of(arn), event["told"]
    key = contract.completion_key(works.edge.claims_namespace, name)
    claim = ItemClaim(works.edge.claims_namespace, key, digest(dict(told)))
    gathered = _gathered(arn, name, told, works)
    _Completion(works, context).run(claim, gathered, execution=name, retries=event.get("retries", 0))


def _gathered(arn: str, name: str, told: contract.Told, works: Works) -> Gathered:
    """Raises as `input_of` and `called`, and Contended when an item is open: that has to be closed first."""
    given = input_of(works.edge.stepfunctions, arn)
    try:
        entries = list(called(works.edge, works.edge.items.all(name, given)))
    except Unreadable:
        entries = []
    if sum(entry.state == "open" for entry in entries):
        raise Contended("an item is neither processed nor a dead letter")
    return Gathered(
        key=name,
        outcome=told["outcome"],
        reason=told.get("reason", ""),
        items=told["items"],
        processed=told["processed"],
        results={entry.item.shown_key: entry.result for entry in entries if entry.state == "processed"},
        failed=[_failed(entry) for entry in entries if entry.state == "failed"],
        input=given,
    )


def _failed(entry: Entry) -> FailedItem:
    item = entry.item
    return FailedItem(
        index=item.index, key=item.shown_key, item=item.value, reason=entry.reason, error_type=entry.error_type
    )


@cache
def _works() -> Works:
    return Works.from_environment()


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _works()  # at init, which Lambda runs with more CPU
