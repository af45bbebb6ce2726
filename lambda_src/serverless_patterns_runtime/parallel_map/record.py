"""What is written down of a task: one log line and one count. Nothing of what the items are about."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, NoReturn

from serverless_patterns_runtime.claims.claim import RunningElsewhere, Undone
from serverless_patterns_runtime.clients import unreachable
from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.parallel_map.edge import Edge
from serverless_patterns_runtime.parallel_map.failures import StillGathering
from serverless_patterns_runtime.telemetry import describe

__all__ = ["LATE", "written"]

LATE = "LateResults"
"""Counted: an attempt at an item that is a dead letter already. It was refused."""

_KEYS = {"correlation_id": "execution", "index": "index", "task": "task", "status": "status"}
_NO_FAILURE = ("Busy", LATE, "Continues")


@contextmanager
def written(
    edge: Edge, context: Any, event: Any, what: str, fail: Callable[[BaseException], NoReturn]
) -> Generator[None]:
    """Around the work; what it raises is written down, and raised by `fail`."""
    given: dict[str, Any] = event if isinstance(event, dict) else {}  # pyright: ignore[reportUnknownVariableType]
    edge.logger.append_keys(function_request_id=context.aws_request_id)
    began, error = edge.clock(), None
    with edge.logger.append_context_keys(**{key: given[name] for key, name in _KEYS.items() if name in given}):
        try:
            yield
        except KeyboardInterrupt:
            raise
        except BaseException as raised:  # SystemExit and CancelledError too: Lambda would take them for its own death
            error = raised
        outcome = _outcome(error)
        fields: dict[str, Any] = {"outcome": outcome, "duration_ms": round((edge.clock() - began) * 1000)}
        log = edge.logger.info
        if error is not None:
            fields |= _of_error(error, verbose=edge.logger.log_level <= 10)  # logging.DEBUG
            log = edge.logger.info if outcome in _NO_FAILURE else edge.logger.error
        log(what, extra=fields)
        edge.note(outcome)
    if error is not None:
        fail(error)


def _outcome(error: BaseException | None) -> str:
    match error:
        case None:
            return "Succeeded"
        case Undone():
            return LATE
        case PermanentError():
            return "Refused"
        case RunningElsewhere():
            return "Busy"
        case StillGathering():
            return "Continues"
        case _:
            return "Failed"


def _of_error(error: BaseException, *, verbose: bool) -> dict[str, Any]:
    if isinstance(error, PermanentError):
        # Its words are meant to be read; those of other errors may quote what they were about.
        return {"reason": error.message, "error_type": type(error).__name__}
    hint = unreachable(error)
    return describe(error, with_message=verbose) | ({"hint": hint} if hint else {})
