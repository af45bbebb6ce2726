"""The guardian: told by an event that an execution ended badly, by a schedule to look, or asked by a person."""

import os
from functools import cache
from typing import Any

from serverless_patterns_runtime.errors import MalformedPayload, PermanentError
from serverless_patterns_runtime.saga_recovery import contract
from serverless_patterns_runtime.saga_recovery.edge import GuardianEdge
from serverless_patterns_runtime.saga_recovery.executions import name_of
from serverless_patterns_runtime.saga_recovery.guarding import Guarding
from serverless_patterns_runtime.saga_recovery.looking import listed, shown
from serverless_patterns_runtime.saga_recovery.resuming import resume
from serverless_patterns_runtime.saga_recovery.telling import telling

__all__ = ["lambda_handler", "process"]


def lambda_handler(event: Any, context: Any) -> Any:
    return process(event, context, _edge())


def process(event: Any, context: Any, edge: GuardianEdge) -> Any:
    """The whole handler, over any edge. Raises for Lambda, which tries an event again; people get `refused`."""
    try:
        return _answer(event, context, edge)
    except PermanentError as error:
        return {"refused": error.message}


def _answer(event: Any, context: Any, edge: GuardianEdge) -> Any:
    guarding = Guarding(edge)

    def remaining() -> float:
        return context.get_remaining_time_in_millis() / 1000

    match event:
        case {"detail": {"executionArn": str(arn)}}:
            with telling(edge.outside, context, "event", name_of(arn)) as line:
                line["started"] = guarding.guard(name_of(arn))
                return None
        case {"task": "sweep"}:
            with telling(edge.outside, context, "sweep", None) as line:
                line["looked_at"], line["started"] = guarding.sweep(remaining)
                return None
        case {"task": "list"}:
            with telling(edge.outside, context, "list", None):
                return listed(guarding, remaining, settled=event.get("all") is True)
        case {"task": "show", "execution": str(name)}:
            with telling(edge.outside, context, "show", name):
                return shown({"task": "show", "execution": name}, guarding, edge)
        case {"task": "resume", "execution": str(name), "by": str(by), "reason": str(reason)} if by and reason:
            with telling(edge.outside, context, "resume", name) as line:
                asked: contract.Resume = {"task": "resume", "execution": name, "by": by, "reason": reason}
                answer = resume(asked, guarding, int(edge.outside.clock()))
                line |= {"by": by, "reason": reason, **answer}
                return answer
        case _:
            raise MalformedPayload("this is nothing that the guardian is asked")


@cache
def _edge() -> GuardianEdge:
    return GuardianEdge.from_environment()


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _edge()  # at init: what is missing is seen before the first execution dies
