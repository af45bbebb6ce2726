"""The new side of a route: a function, with the very event that API Gateway would send it, or a service of its own."""

import json
import time
from typing import Any

from serverless_patterns_runtime.strangler_gateway.arrival import Arrival
from serverless_patterns_runtime.strangler_gateway.edge import Edge
from serverless_patterns_runtime.strangler_gateway.failure import Failed
from serverless_patterns_runtime.strangler_gateway.proxy_answer import ProxyAnswer

__all__ = ["ask_new_side"]


def ask_new_side(edge: Edge, arrival: Arrival, deadline: float) -> ProxyAnswer:
    """Raises Failed for no answer, and for one that says the new side has failed (5xx)."""
    service = edge.services.get(arrival.route)
    answer = service.ask(arrival, deadline) if service else _invoked(edge, arrival, deadline)
    if answer.status >= 500:
        raise Failed(answer.status, f"it answered {answer.status}", answer)
    return answer


def _invoked(edge: Edge, arrival: Arrival, deadline: float) -> ProxyAnswer:
    migration = edge.settings.migration
    side = migration["routes"].get(arrival.route) or migration.get("done", {})[arrival.route]
    try:
        function = edge.settings.targets[side["function"]]  # pyright: ignore[reportTypedDictNotRequiredAccess]
        left = deadline - time.monotonic()
        invoked = edge.functions.invoke(function, _payload(arrival.event), left, again=arrival.safe)
    except Exception as error:
        raise _failed(error) from error
    if invoked.error:
        raise Failed(502, "the function behind this route has failed")
    try:
        return ProxyAnswer.of_function(invoked.payload)
    except ValueError:
        raise Failed(502, "the function behind this route answers what is no HTTP") from None


def _payload(event: dict[str, Any]) -> bytes:
    """No larger than it came."""
    try:
        return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half a surrogate pair
        return json.dumps(event, separators=(",", ":")).encode()


def _failed(error: Exception) -> Failed:
    # Not at the top: it is needed when something fails.
    from botocore.exceptions import ClientError, ReadTimeoutError

    if isinstance(error, ReadTimeoutError):
        return Failed(504, "the function behind this route has not answered in time")
    if isinstance(error, ClientError) and error.response["ResponseMetadata"]["HTTPStatusCode"] == 429:  # pyright: ignore[reportTypedDictNotRequiredAccess]
        return Failed(503, "the function behind this route has as much to do as it may")
    return Failed(502, "the function behind this route cannot be invoked")
