"""A request that legacy has answered is handed over, for the new side to be compared.

The caller waits until Lambda has taken the copy, which is bounded, and for nothing that is done with it.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from serverless_patterns_runtime.strangler_gateway import contract, metric_contract, record
from serverless_patterns_runtime.strangler_gateway.arrival import Arrival
from serverless_patterns_runtime.strangler_gateway.comparison import fields
from serverless_patterns_runtime.strangler_gateway.contract import ShadowCopy
from serverless_patterns_runtime.strangler_gateway.edge import Edge
from serverless_patterns_runtime.strangler_gateway.proxy_answer import ProxyAnswer

__all__ = ["hand_over"]

SECONDS = 0.3
"""For Lambda to take it."""

MOST_BYTES = 256 * 1024
"""Of an asynchronous invocation."""

MOST_READ_BYTES = 1024 * 1024
"""Of an answer whose fields are compared: reading more takes time of the caller's."""

_KEY = "idempotency-key"


def hand_over(edge: Edge, arrival: Arrival, answer: ProxyAnswer) -> None:
    """Of what legacy was chosen for, and has answered. Never raises: what cannot be handed over is counted."""
    shadow = edge.settings.migration["routes"][arrival.route].get("shadow")
    if shadow is None or not (arrival.safe or shadow["declared"]) or edge.random.random() * 100 >= shadow["percent"]:
        return
    try:
        payload = json.dumps(_copy(arrival, answer, shadow), separators=(",", ":")).encode()
        if len(payload) > MOST_BYTES:
            raise TooLarge
        edge.functions.send(edge.settings.shadow_function, payload, SECONDS)
    except Exception as error:
        name, gateway = type(error).__name__, edge.settings.migration["gateway"]
        record.count(gateway, metric_contract.METRIC_SHADOW_SKIPPED, edge.clock(), arrival.route, reason=name)


class TooLarge(Exception): ...


def _copy(arrival: Arrival, answer: ProxyAnswer, shadow: contract.ShadowSettings) -> ShadowCopy:
    event = dict(arrival.event)
    event["headers"] = _rekeyed(event.get("headers"))
    event["multiValueHeaders"] = _rekeyed(event.get("multiValueHeaders"))
    if shadow["compare"] and len(answer.body) > MOST_READ_BYTES:
        raise TooLarge
    found = fields(answer.body, answer.first("content-encoding"), shadow["compare"])
    return {"route": arrival.route, "event": event, "status": answer.status, "fields": found}


def _rekeyed(headers: Mapping[str, Any] | None) -> dict[str, Any]:
    """With a key of the copy's own, the same for every copy: the new side may need one, and never the caller's."""
    return {name: _other(value) if name.lower() == _KEY else value for name, value in (headers or {}).items()}


def _other(key: Any) -> Any:
    if isinstance(key, list):
        return [_other(one) for one in key]  # pyright: ignore[reportUnknownVariableType]
    return f"shadow-{hashlib.sha256(str(key).encode(errors='replace')).hexdigest()[:32]}"
