"""What is written down of a request: one log line and one count. No body, no token, no value of a query string."""

import hashlib
import sys
from typing import Any

from serverless_patterns_runtime.api_proxy.answer import Answer
from serverless_patterns_runtime.api_proxy.edge import Edge
from serverless_patterns_runtime.business_function.result import Executed
from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.request import Caller
from serverless_patterns_runtime.telemetry import describe

__all__ = ["write"]


def write(
    edge: Edge, executed: Executed[Answer], error: BaseException | None, *, caller: Caller | None, began: float
) -> None:
    status = executed.answer.status
    outcome = _outcome(executed)
    fields: dict[str, Any] = {
        "outcome": outcome,
        "status": status,
        "duration_ms": round((edge.clock() - began) * 1000),
    }
    if caller is not None:
        fields["caller"] = hashed(caller)
    if error is not None:
        fields |= _of_error(error, verbose=edge.logger.log_level <= 10)  # logging.DEBUG
    log = edge.logger.error if status >= 500 else edge.logger.info
    log("request answered", extra=fields)
    edge.metrics.add_metric(name=outcome, unit="Count", value=1)
    edge.metrics.flush_metrics()


def hashed(caller: Caller) -> str:
    """Tells callers apart without naming them."""
    return hashlib.sha256(f"{caller.kind} {caller.id}".encode(errors="replace")).hexdigest()[:16]


def _outcome(executed: Executed[Answer]) -> str:
    if executed.replayed:
        return "Replayed"
    if executed.fallback:
        return "Fallback"
    status = executed.answer.status
    return "Succeeded" if status < 400 else "Refused" if status < 500 else "Failed"


def _of_error(error: BaseException, *, verbose: bool) -> dict[str, Any]:
    if isinstance(error, PermanentError):
        # Its words are meant to be read; those of other errors may quote what they were about.
        return {"reason": error.message, "error_type": type(error).__name__}
    fields = describe(error, with_message=verbose)
    if "botocore.session" in sys.modules:  # else it is no error of the SDK, which takes long to import
        from serverless_patterns_runtime.clients import unreachable

        hint = unreachable(error)
        return fields | ({"hint": hint} if hint else {})
    return fields
