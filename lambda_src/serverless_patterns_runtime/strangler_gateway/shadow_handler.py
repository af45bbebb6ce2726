"""The shadow: asks the new side what legacy was asked, and counts where they differ. Nobody waits for it."""

import os
import time
from functools import cache
from typing import Any, NamedTuple

from serverless_patterns_runtime.strangler_gateway import metric_contract, record
from serverless_patterns_runtime.strangler_gateway.arriving import arrived
from serverless_patterns_runtime.strangler_gateway.comparison import differences, fields
from serverless_patterns_runtime.strangler_gateway.contract import ShadowCopy
from serverless_patterns_runtime.strangler_gateway.edge import Edge
from serverless_patterns_runtime.strangler_gateway.failure import Failed
from serverless_patterns_runtime.strangler_gateway.new_side import ask_new_side

__all__ = ["lambda_handler", "process"]

SAMPLE_SECONDS = 10.0
"""Between two lines about a route's differences, of one environment; all are counted."""


class Shadow(NamedTuple):
    edge: Edge
    said: dict[str, float]
    """When each route's differences were last written down."""


def lambda_handler(event: Any, context: Any) -> None:
    process(event, context, _edge())


def process(event: ShadowCopy, context: Any, shadow: Shadow) -> None:
    """The whole handler. Never raises: Lambda would try again, and the new side be asked twice."""
    edge, route = shadow.edge, str(event.get("route"))
    now, gateway = edge.clock(), edge.settings.migration["gateway"]
    try:
        different = _compared(edge, event, context)
    except Exception as error:
        record.count(gateway, metric_contract.METRIC_SHADOW_SKIPPED, now, route, reason=type(error).__name__)
    else:
        record.count(gateway, metric_contract.METRIC_SHADOW_COMPARED, now, route)
        if different:
            record.count(
                gateway, metric_contract.METRIC_SHADOW_DIFFERENT, now, route, **_sampled(shadow, route, different)
            )


def _sampled(shadow: Shadow, route: str, different: dict[str, str]) -> dict[str, Any]:
    now = shadow.edge.clock()
    if now < shadow.said.get(route, 0) + SAMPLE_SECONDS:
        return {}
    shadow.said[route] = now
    return {"different": different}


def _compared(edge: Edge, copy: ShadowCopy, context: Any) -> dict[str, str]:
    """By what is compared: of legacy, and of the new side."""
    migration = edge.settings.migration
    settings = migration["routes"][copy["route"]]
    paths = settings["shadow"]["compare"] if "shadow" in settings else []
    seconds = min(settings["timeout_seconds"], context.get_remaining_time_in_millis() / 1000 - 1)
    found: dict[str, Any] = {}
    try:
        answer = ask_new_side(edge, arrived(copy["event"], migration), time.monotonic() + seconds)
    except Failed as failure:
        status, legacy = failure.status, {}
    else:
        status, legacy = answer.status, copy["fields"]
        found = fields(answer.body, answer.first("content-encoding"), paths)
    different = {} if status == copy["status"] else {"status": f"{copy['status']}, {status}"}
    return different | differences(legacy, found, paths)


@cache
def _edge() -> Shadow:
    return Shadow(Edge.from_environment(), {})


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _edge()  # at init: what is missing is seen at once
