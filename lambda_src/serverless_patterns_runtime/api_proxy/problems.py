"""What goes wrong, as the caller is told: problem details (RFC 9457), and of our own failures nothing."""

import math
from typing import Any

from serverless_patterns_runtime.api_proxy.answer import Answer
from serverless_patterns_runtime.api_proxy.validation import BrokenSchema
from serverless_patterns_runtime.business_function.business_function import UnusableResult
from serverless_patterns_runtime.claims.claim import Contended, RunningElsewhere
from serverless_patterns_runtime.errors import (
    CircuitOpen,
    ConditionNotMet,
    IdempotencyKeyReused,
    NotNow,
    PermanentError,
    UncommittableEffects,
    UnusableMessage,
    UnusableResource,
)
from serverless_patterns_runtime.problem_details import MEDIA_TYPE, problem_details

__all__ = ["problem_of", "status_of"]

MOST_CHARACTERS = 1_000
"""Of the words of an error."""

RUNNING_SECONDS = 2
"""When to ask again, at the latest, while another request with the key is at work."""

CONTENDED_SECONDS = 1
"""When to try again where nobody knows when it can work."""


def status_of(error: BaseException) -> int:
    match error:
        case UncommittableEffects() | UnusableMessage() | UnusableResource() | UnusableResult():
            return 500  # permanent, but no fault of the request
        case IdempotencyKeyReused():
            return 422
        case PermanentError(status=None):
            return 400
        case PermanentError(status=status):
            return status if type(status) is int and 400 <= status <= 599 else 500
        case RunningElsewhere():
            return 409
        case Contended() | CircuitOpen() | NotNow():
            return 503
        case _:
            return 500


def problem_of(error: BaseException, *, correlation_id: str, now: float) -> Answer:
    """The answer that says so. An error's words reach the caller only if they were written for somebody to read."""
    status = status_of(error)
    headers = {"Content-Type": (MEDIA_TYPE,)}
    match error:
        case RunningElsewhere():
            # Most requests end in far less time than their leases, which are free from the second after `until` on.
            left = math.ceil(error.until + 1 - now)
            headers["Retry-After"] = (str(max(1, min(left, RUNNING_SECONDS))),)
        case CircuitOpen():
            headers["Retry-After"] = (str(max(1, math.ceil(error.retry_at - now))),)
        case NotNow():
            headers["Retry-After"] = (str(error.retry_after),)
        case Contended():
            headers["Retry-After"] = (str(CONTENDED_SECONDS),)
        case _:
            pass
    return Answer(status, headers, problem_details(status, _details(error, status), correlation_id), False)


def _details(error: BaseException, status: int) -> dict[str, Any]:
    match error:
        case BrokenSchema():
            return {"detail": error.message, "errors": [{"pointer": error.pointer, "rule": error.rule}]}
        case UncommittableEffects() | UnusableMessage() | UnusableResource() | UnusableResult():
            return {}
        case ConditionNotMet():
            return {"detail": "the present state of the data does not allow it"}
        case PermanentError() if error.status in (None, status):
            return {"detail": str(error.message)[:MOST_CHARACTERS]}
        case RunningElsewhere():
            return {"detail": "a request with this idempotency key is still at work"}
        case NotNow():
            return {"detail": error.message[:MOST_CHARACTERS]}
        case Contended():
            return {"detail": "others are changing the same data"}
        case CircuitOpen():
            return {"detail": "a service that this needs does not answer at present"}
        case _:
            return {}
