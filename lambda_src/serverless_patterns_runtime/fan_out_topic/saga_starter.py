"""A saga as a subscriber: each message starts one execution, however often it is delivered."""

import json
import os
import re
from functools import cache
from typing import Any, cast

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.fan_out_topic.contract import SagaStarterEnv
from serverless_patterns_runtime.invocation import Invocation
from serverless_patterns_runtime.payload import digest
from serverless_patterns_runtime.saga_state_machine import contract as saga
from serverless_patterns_runtime.saga_state_machine.executions import CallersExecutions

__all__ = ["execution_name", "start", "started"]

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,80}")


def start(payload: Any, invocation: Invocation) -> dict[str, str]:
    """The name of the message's execution, new or not."""
    return started(payload, invocation, _executions(), int(_env().MAX_INPUT_BYTES))


def started(
    payload: Any, invocation: Invocation, executions: CallersExecutions, max_input_bytes: int
) -> dict[str, str]:
    """The same over any executions.

    Raises PermanentError for a body that cannot be an input, StartedWithOtherInput where the key has started an
    execution with another one; and as `CallersExecutions.start` what another try may mend.
    """
    name = execution_name(invocation.idempotency_key)
    executions.start(name, _document(payload, max_input_bytes))
    return {"execution": name}


def execution_name(key: str) -> str:
    """The message's key, as a route's is; its digest where Step Functions would not take it for a name."""
    return key if _NAME.fullmatch(key) else digest(key)


def _document(payload: Any, most: int) -> dict[str, Any]:
    if not isinstance(payload, dict):
        raise PermanentError("the message that starts a saga is a JSON object")
    document = cast("dict[str, Any]", payload)
    for name in saga.OURS:
        if name in document:
            raise PermanentError(f"the message has no key {name!r}: it is the saga's own")
    size = len(json.dumps(document, separators=(",", ":")))
    if size > most:
        raise PermanentError(f"the input of an execution holds at most {most:,} bytes as JSON, got {size:,}")
    return document


@cache
def _env() -> SagaStarterEnv:
    return environment.read(SagaStarterEnv)


@cache
def _executions() -> CallersExecutions:
    return CallersExecutions.deployed(_env().STATE_MACHINE_ARN)


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _executions()  # at init, which Lambda runs with more CPU
