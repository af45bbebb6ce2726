"""The router: API Gateway's event in, the answer of one of two sides out."""

import os
import time
from functools import cache
from typing import Any

from serverless_patterns_runtime.error_fields import describe
from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.strangler_gateway import record
from serverless_patterns_runtime.strangler_gateway.arrival import Arrival
from serverless_patterns_runtime.strangler_gateway.arriving import arrived
from serverless_patterns_runtime.strangler_gateway.edge import Edge
from serverless_patterns_runtime.strangler_gateway.failure import own_answer
from serverless_patterns_runtime.strangler_gateway.proxy_answer import ProxyAnswer
from serverless_patterns_runtime.strangler_gateway.routing import Routed, routed

__all__ = ["lambda_handler", "process"]

MARGIN_SECONDS = 1.5
"""Before the gateway, or Lambda, gives up: for a table that does not answer, and for handing over a copy."""


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return process(event, context, _edge())


def process(event: dict[str, Any], context: Any, edge: Edge) -> dict[str, Any]:
    """The whole handler, over any edge. Never raises: what API Gateway makes of an error tells the caller nothing."""
    began = time.monotonic()
    whole = edge.settings.migration["deadline_seconds"]
    seconds = min(whole - _waited(event, edge, whole), context.get_remaining_time_in_millis() / 1000)
    try:
        arrival = arrived(event, edge.settings.migration)
        return _answered(edge, arrival, began, began + seconds - MARGIN_SECONDS)
    except PermanentError as refusal:
        named = {"function_request_id": context.aws_request_id, "status": refusal.status, "reason": refusal.message}
        edge.logger.info("request refused", extra=named)
        return own_answer(refusal.status or 400, refusal.message, context.aws_request_id).proxy_result()
    except Exception as error:
        edge.logger.error("a request could not be routed", extra=describe(error, with_message=False))
        return own_answer(500, "the request could not be routed", context.aws_request_id).proxy_result()


def _waited(event: dict[str, Any], edge: Edge, most: float) -> float:
    """Since the request reached the gateway, which counts from there: a cold start took its part of the time."""
    try:
        waited = edge.clock() - event["requestContext"]["requestTimeEpoch"] / 1000
    except (KeyError, TypeError):
        return 0.0
    return min(max(waited, 0.0), most / 2)  # two clocks, of which one may be wrong


def _answered(edge: Edge, arrival: Arrival, began: float, deadline: float) -> dict[str, Any]:
    done = routed(edge, arrival, deadline)
    try:
        result = _told(edge, done).proxy_result()
    except PermanentError as limit:
        answer = own_answer(limit.status or 502, limit.message, arrival.correlation_id)
        done = done._replace(answer=answer, failed=True, reason=limit.message, answered=None)
        result = _told(edge, done).proxy_result()
    migration = edge.settings.migration
    outcome = record.Outcome(
        route=arrival.route,
        side=done.side,
        status=done.answer.status,
        failed=done.failed,
        milliseconds=(time.monotonic() - began) * 1000,
        request_id=arrival.request_id,
        fell_back=done.fell_back,
        forced=done.forced,
        reason=done.reason,
    )
    record.write(migration["gateway"], outcome, edge.clock())
    if arrival.route and done.placed_on == "legacy" and not done.failed:
        _shadowed(edge, arrival, done.answer)
    return result


def _told(edge: Edge, done: Routed) -> ProxyAnswer:
    """To a tester, who has answered: it may be another side than he chose. No side's own word for it is believed."""
    name = edge.settings.migration.get("force_header")
    if not (done.forced and name):
        return done.answer
    others = [header for header in done.answer.headers if header[0].lower() != name.lower()]
    return done.answer._replace(headers=[*others, (name, done.answered or "neither")])


def _shadowed(edge: Edge, arrival: Arrival, answer: ProxyAnswer) -> None:
    if "shadow" not in edge.settings.migration["routes"].get(arrival.route, ()) or edge.shares.killed(arrival.route):
        return  # who kills a route wants its new side left alone
    # Not at the top: few routes have one.
    from serverless_patterns_runtime.strangler_gateway.shadow import hand_over

    hand_over(edge, arrival, answer)


@cache
def _edge() -> Edge:
    return Edge.from_environment()


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    _edge()  # at init, which Lambda runs with more CPU, and where a broken import is seen before the first request
