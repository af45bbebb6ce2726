"""The route that starts a saga: one execution for each key of a caller, whatever is repeated."""

import json
import os
from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.invocation import Invocation
from serverless_patterns_runtime.request import Request
from serverless_patterns_runtime.response import Response
from serverless_patterns_runtime.saga_state_machine import contract
from serverless_patterns_runtime.saga_state_machine.executions import CallersExecutions, owner

__all__ = ["start", "started"]


def start(request: Request, invocation: Invocation) -> Response:
    """202 and the execution's name; 409 when the key has started one with another input."""
    env = _env()
    return started(request, invocation, _executions(), int(env.MAX_INPUT_BYTES))


def started(request: Request, invocation: Invocation, executions: CallersExecutions, max_input_bytes: int) -> Response:
    """The same over any executions.

    Raises PermanentError for a body that cannot be an input, and as `CallersExecutions.start`.
    """
    name = invocation.idempotency_key
    executions.start(name, _document(request, max_input_bytes))
    return Response(202, {"execution": name})


def _document(request: Request, most: int) -> dict[str, Any]:
    body: Any = request.body
    if not isinstance(body, dict):
        raise PermanentError("the body is a JSON object", status=400)
    given = cast("Mapping[str, Any]", body)
    for name in contract.OURS:
        if name in given:
            raise PermanentError(f"the body has no key {name!r}: it is the saga's own", status=400)
    document = {**given, contract.CALLER: owner(request.caller)}
    size = len(json.dumps(document, separators=(",", ":")))
    if size > most:
        raise PermanentError(
            f"the input of an execution holds at most {most:,} bytes as JSON, got {size:,}", status=413
        )
    return document


@cache
def _env() -> contract.StartEnv:
    return environment.read(contract.StartEnv)


@cache
def _executions() -> CallersExecutions:
    return CallersExecutions.deployed(_env().STATE_MACHINE_ARN)


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _executions()  # at init, which Lambda runs with more CPU
