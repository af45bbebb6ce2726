"""What the recovery's functions write down: one log line for what they did. Nothing of what the saga is about."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from serverless_patterns_runtime.claims.claim import RunningElsewhere
from serverless_patterns_runtime.claims.outside import Outside
from serverless_patterns_runtime.clients import unreachable
from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.telemetry import describe

__all__ = ["telling"]


@contextmanager
def telling(outside: Outside, context: Any, task: str, execution: str | None) -> Generator[dict[str, Any]]:
    """Gives the line's fields, to be added to; writes it at the end, with the error if there is one."""
    outside.logger.append_keys(function_request_id=context.aws_request_id)
    keys = {"task": task} | ({} if execution is None else {"correlation_id": execution})
    fields: dict[str, Any] = {}
    with outside.logger.append_context_keys(**keys):
        try:
            yield fields
        except Exception as error:
            _write_error(outside, error)
            raise
        outside.logger.info("recovery handled", extra=fields)


def _write_error(outside: Outside, error: Exception) -> None:
    if isinstance(error, RunningElsewhere):
        outside.logger.info("an attempt is at work, or has died")
    elif isinstance(error, PermanentError):
        outside.logger.error("refused", extra={"reason": error.message, "error_type": type(error).__name__})
    else:
        hint = unreachable(error)
        fields = describe(error, with_message=False) | ({"hint": hint} if hint else {})
        outside.logger.error("recovery not handled", extra=fields)
