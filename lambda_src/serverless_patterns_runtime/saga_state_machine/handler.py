"""The function behind a saga's step: a task of the state machine in, its result out."""

import json
import os
from functools import cache
from typing import Any

from serverless_patterns_runtime.business_function.result import Executed
from serverless_patterns_runtime.saga_state_machine import record
from serverless_patterns_runtime.saga_state_machine.action import Action
from serverless_patterns_runtime.saga_state_machine.compensation import Compensation
from serverless_patterns_runtime.saga_state_machine.edge import Edge
from serverless_patterns_runtime.saga_state_machine.failures import fail
from serverless_patterns_runtime.saga_state_machine.task import Task

__all__ = ["lambda_handler", "process"]


def lambda_handler(event: Any, context: Any) -> Any:
    return process(event, context, _edge())


def process(event: Any, context: Any, edge: Edge) -> Any:
    """The whole handler, over any edge. Raises for the state machine: an error whose name its definition knows."""
    given: dict[str, Any] = event if isinstance(event, dict) else {}  # pyright: ignore[reportUnknownVariableType]
    names = {"correlation_id": "execution", "step": "step", "kind": "kind"}
    keys = {key: given[name] for key, name in names.items() if name in given}
    edge.logger.append_keys(function_request_id=context.aws_request_id)
    began, executed, error = edge.clock(), None, None
    with edge.logger.append_context_keys(**keys):
        try:
            executed = _executed(event, context, edge)
        except KeyboardInterrupt:
            raise
        except BaseException as raised:  # SystemExit and CancelledError too: Lambda would take them for its own death
            error = raised
        outcome = record.outcome_of(executed, error, is_action=given.get("kind") == "action")
        record.write(edge, outcome, error, began=began)
    if error is not None:
        fail(error)
    return None if executed is None else json.loads(executed.answer)


def _executed(event: Any, context: Any, edge: Edge) -> Executed[str] | None:
    task = Task.of(event)
    return (Action if task.is_action else Compensation)(edge, task, context).run()


@cache
def _edge() -> Edge:
    return Edge.from_environment()


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _edge()  # at init, which Lambda runs with more CPU, and where a broken import is seen before the first step
