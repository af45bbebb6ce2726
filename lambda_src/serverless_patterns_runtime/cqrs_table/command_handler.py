"""The command function: invoked by other functions, with a command and its id."""

import os
import time
from functools import cache
from typing import Any, NamedTuple, cast

from serverless_patterns_runtime import environment
from serverless_patterns_runtime.business_function import contract as business_function
from serverless_patterns_runtime.business_function.business_function import UnusableResult
from serverless_patterns_runtime.business_function.result import Executed
from serverless_patterns_runtime.claims.claim import Contended, RunningElsewhere
from serverless_patterns_runtime.cqrs_table import contract
from serverless_patterns_runtime.cqrs_table.deciding import Commands
from serverless_patterns_runtime.cqrs_table.proposal import Asked
from serverless_patterns_runtime.deployed_resources import DeployedResources
from serverless_patterns_runtime.errors import (
    IdempotencyKeyReused,
    PermanentError,
    UncommittableEffects,
    UnusableMessage,
    UnusableResource,
)
from serverless_patterns_runtime.invocation import Invocation
from serverless_patterns_runtime.resources import Resources
from serverless_patterns_runtime.telemetry import Logger, Metrics, describe

__all__ = ["Edge", "lambda_handler", "process"]

_OURS = contract.DirectCommand.__annotations__
_NEEDED = ("id", "command", "key")


class Edge(NamedTuple):
    """Everything outside, so that a simulation can be all of it."""

    commands: Commands
    logger: Any
    metrics: Any
    resources: Resources

    @classmethod
    def from_environment(cls) -> "Edge":
        names = [name for name in environment.read(business_function.Env).TABLES.split(",") if name]
        resources = DeployedResources({name: os.environ[name] for name in names})
        commands = Commands.from_environment()
        if commands.decide.takes_invocation:
            resources.prepare()
        return cls(commands, Logger(), Metrics(), resources)


class Malformed(PermanentError):
    """The event is no command."""

    def __init__(self, message: str) -> None:  # pyright: ignore[reportInconsistentConstructor]
        super().__init__(message, status=400)


def lambda_handler(event: Any, context: Any) -> contract.CommandAnswer | contract.CommandRefusal:
    return process(event, context, _edge())


def process(event: Any, context: Any, edge: Edge) -> contract.CommandAnswer | contract.CommandRefusal:
    """The whole handler, over any edge.

    Answers what cannot help to be sent again as a refusal, and 503 too. Raises for Lambda what else goes wrong: a
    function that has to be written differently, AWS that is not there. Then the same command may be sent again.
    """
    edge.logger.append_keys(function_request_id=context.aws_request_id)
    began = time.monotonic()
    try:
        asked = _asked(event, edge.commands)
        done = edge.commands.execute(asked, _invocation(asked, context, edge))
    except (PermanentError, Contended, RunningElsewhere) as error:
        return _refused(error, edge, began)
    except Exception as error:
        _record(edge, "Failed", began, describe(error, with_message=False))
        raise
    _record(edge, "Replayed" if done.replayed else "Succeeded", began, {})
    return _answer(done)


def _answer(done: Executed[contract.CommandAnswer]) -> contract.CommandAnswer:
    return {**done.answer, "replayed": True} if done.replayed else done.answer


def _asked(event: Any, commands: Commands) -> Asked:
    if not isinstance(event, dict):
        raise Malformed(f"a command is a JSON object with {', '.join(_NEEDED)}")
    said = cast("dict[str, Any]", event)
    if strange := sorted(said.keys() - _OURS.keys()):
        raise Malformed(f"a command has no {strange[0][:40]!r}: it has {', '.join(_OURS)}")
    if missing := [name for name in _NEEDED if not isinstance(said.get(name), str)]:
        raise Malformed(f"a command has a {missing[0]}, which is text")
    id: str = said["id"]
    if not 1 <= len(id) <= contract.MAX_COMMAND_ID_CHARACTERS:
        raise Malformed(f"a command's id has 1 to {contract.MAX_COMMAND_ID_CHARACTERS} characters, got {len(id):,}")
    expected = said.get("expected_version")
    if expected is not None and (type(expected) is not int or expected < 0):
        raise Malformed("expected_version is a whole number: 0, or the version of an answer")
    # The door's ids are digests: none of them begins so.
    return commands.asked(f"command/{id}", said["command"], said["key"], said.get("body"), expected)


def _invocation(asked: Asked, context: Any, edge: Edge) -> Invocation:
    return Invocation(
        claim=asked.claim,
        correlation_id=context.aws_request_id,
        attempt=1,
        remaining=lambda: context.get_remaining_time_in_millis() / 1000,
        logger=edge.logger,
        resources=edge.resources,
    )


def _refused(error: Exception, edge: Edge, began: float) -> contract.CommandRefusal:
    message = error.message if isinstance(error, PermanentError) else str(error)
    fields = {"error_type": type(error).__name__, "reason": message}
    match error:
        case UncommittableEffects() | UnusableMessage() | UnusableResource() | UnusableResult():
            _record(edge, "Failed", began, fields)
            raise error  # no fault of the command: whoever watches the function's errors has to see it
        case PermanentError():
            status = 422 if isinstance(error, IdempotencyKeyReused) else error.status or 400
        case Contended():
            status = 503
        case _:
            status = 409
    _record(edge, "Refused", began, {**fields, "status": status})
    return {"status": status, "error": type(error).__name__, "message": message}


def _record(edge: Edge, outcome: str, began: float, more: dict[str, Any]) -> None:
    """One log line and one count. Nothing of the command."""
    fields = {"outcome": outcome, "duration_ms": round((time.monotonic() - began) * 1000), **more}
    (edge.logger.error if outcome == "Failed" else edge.logger.info)("command answered", extra=fields)
    edge.metrics.add_metric(name=outcome, unit="Count", value=1)
    edge.metrics.flush_metrics()


@cache
def _edge() -> Edge:
    return Edge.from_environment()


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _edge()  # at init, which Lambda runs with more CPU, and where a broken import is seen before the first command
