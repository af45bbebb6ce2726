"""One request: which side it is for, and who answers when that side does not."""

import math
import time
from contextlib import suppress
from typing import NamedTuple

from serverless_patterns_runtime.errors import CircuitOpen, PermanentError
from serverless_patterns_runtime.strangler_gateway import record
from serverless_patterns_runtime.strangler_gateway.arrival import Arrival
from serverless_patterns_runtime.strangler_gateway.contract import RouteSettings, Side
from serverless_patterns_runtime.strangler_gateway.edge import Edge
from serverless_patterns_runtime.strangler_gateway.failure import Failed, own_answer
from serverless_patterns_runtime.strangler_gateway.metric_contract import METRIC_STORE_UNAVAILABLE
from serverless_patterns_runtime.strangler_gateway.new_side import ask_new_side
from serverless_patterns_runtime.strangler_gateway.pins import PinsUnavailable
from serverless_patterns_runtime.strangler_gateway.placement import Placement, placed
from serverless_patterns_runtime.strangler_gateway.proxy_answer import ProxyAnswer

__all__ = ["Routed", "routed"]

AGAIN_SECONDS = 1
"""When to try again where nobody knows when it can work."""


class Routed(NamedTuple):
    answer: ProxyAnswer
    side: Side
    """That answered, or should have: the new one, where legacy answers in its place."""
    failed: bool = False
    """The new side, whoever answered; or legacy, without any answer."""
    fell_back: bool = False
    forced: bool = False
    reason: str = ""
    """Why the answer is not simply that of the side."""
    placed_on: Side | None = "legacy"
    """None: it was sent to no side."""
    answered: Side | None = None
    """Whose answer it is. None: the router's own."""


def routed(edge: Edge, arrival: Arrival, deadline: float) -> Routed:
    """`deadline`: by `time.monotonic`. Raises PermanentError for what is sent to no side."""
    if not arrival.route:
        return _by_legacy(edge, arrival, deadline)
    migration = edge.settings.migration
    if arrival.route not in migration["routes"]:
        return _finished(edge, arrival, deadline)
    route = migration["routes"][arrival.route]
    placement = placed(migration, route, arrival, edge.shares.percent(arrival.route), edge.random)
    try:
        done = _placed(edge, arrival, route, placement, deadline)
    except PinsUnavailable as error:
        done = _unpinned(edge, arrival, placement.side, error)
    if placement.set_cookie is not None:
        headers = [*done.answer.headers, ("Set-Cookie", placement.set_cookie)]
        done = done._replace(answer=done.answer._replace(headers=headers))
    return done._replace(forced=placement.forced)


def _finished(edge: Edge, arrival: Arrival, deadline: float) -> Routed:
    """As API Gateway will do without a router, but for keys that legacy has had: those are still known here."""
    try:
        if _pinned(edge, arrival, Placement("new")) == "legacy":
            return _by_legacy(edge, arrival, deadline)
        return Routed(ask_new_side(edge, arrival, deadline), "new", placed_on="new", answered="new")
    except PinsUnavailable as error:
        return _unpinned(edge, arrival, "new", error)
    except Failed as failure:
        if failure.answer is not None:
            return _failed(failure.answer, failure)
        retry_after = AGAIN_SECONDS if failure.status == 503 else None
        return _said(arrival, "new", failure.status, failure.detail, retry_after=retry_after)._replace(placed_on="new")


def _unpinned(edge: Edge, arrival: Arrival, side: Side, error: PinsUnavailable) -> Routed:
    """No side was asked, and none has failed."""
    kind = type(error.__cause__).__name__
    record.count(edge.settings.migration["gateway"], METRIC_STORE_UNAVAILABLE, edge.clock(), error_type=kind)
    done = _said(arrival, side, 503, "it cannot be told where this request belongs", retry_after=AGAIN_SECONDS)
    return done._replace(failed=False, placed_on=None)


def _placed(edge: Edge, arrival: Arrival, route: RouteSettings, placement: Placement, deadline: float) -> Routed:
    # For the new side a key is pinned once the breaker lets its request go.
    if placement.side == "new" or _pinned(edge, arrival, placement) == "new":
        with suppress(_LegacysKey):
            return _by_new_side(edge, arrival, route, placement, deadline)
    return _by_legacy(edge, arrival, deadline)


class _LegacysKey(Exception):
    """Its first request was sent there."""


def _pinned(edge: Edge, arrival: Arrival, placement: Placement) -> Side:
    """Where the key was first sent, that of the same request tried again is sent too."""
    key, side = arrival.idempotency_key, placement.side
    if key is not None:
        side = edge.pins.side(arrival.route, key, side)
    if placement.forced and side != placement.side:
        raise PermanentError("a request with this idempotency key has been sent to the other side", status=409)
    return side


def _by_new_side(edge: Edge, arrival: Arrival, route: RouteSettings, placement: Placement, deadline: float) -> Routed:
    retry_after: int | None = None
    try:
        answer = _guarded(edge, arrival, placement, min(deadline, time.monotonic() + route["timeout_seconds"]))
    except CircuitOpen as refusal:
        retry_after = max(1, math.ceil(refusal.retry_at - edge.clock()))
        failure = Failed(503, "a service that this needs does not answer at present")
    except Failed as error:
        failure = error
        retry_after = AGAIN_SECONDS if error.status == 503 else None
    else:
        _note(edge, arrival, placement, failed=False)
        return Routed(answer, "new", placed_on="new", answered="new")
    # Refused ones too: a route whose breaker stays open must come to its rollback.
    _note(edge, arrival, placement, failed=True)
    if arrival.safe and route["fallback"]:
        done = _by_legacy(edge, arrival, deadline)
        return done._replace(side="new", failed=True, fell_back=True, reason=failure.detail, placed_on="new")
    if failure.answer is not None:
        return _failed(failure.answer, failure)
    done = _said(arrival, "new", failure.status, failure.detail, retry_after=retry_after)
    return done._replace(placed_on="new")


def _guarded(edge: Edge, arrival: Arrival, placement: Placement, deadline: float) -> ProxyAnswer:
    if placement.forced:  # a tester passes by the breaker: his requests must not open it for everybody
        _pinned(edge, arrival, placement)
        return ask_new_side(edge, arrival, deadline)
    breaker = edge.breakers[arrival.route]
    try:
        permit = breaker.permit(lambda: deadline - time.monotonic())
    except CircuitOpen:
        key = arrival.idempotency_key
        # Nothing is sent, and so nothing is pinned: a kill frees this key.
        if key is not None and edge.pins.known(arrival.route, key) == "legacy":
            raise _LegacysKey from None
        breaker.refused(1)
        raise
    with permit:
        if _pinned(edge, arrival, placement) == "legacy" and placement.side == "new":
            raise _LegacysKey
        return permit.run(lambda: ask_new_side(edge, arrival, deadline))


def _note(edge: Edge, arrival: Arrival, placement: Placement, *, failed: bool) -> None:
    if not placement.forced:
        edge.shares.note(arrival.route, failed)


def _by_legacy(edge: Edge, arrival: Arrival, deadline: float) -> Routed:
    seconds = edge.settings.migration["legacy_timeout_seconds"]
    try:
        answer = edge.legacy.ask(arrival, min(deadline, time.monotonic() + seconds))
    except Failed as failure:
        return _said(arrival, "legacy", failure.status, failure.detail)
    return Routed(answer, "legacy", answered="legacy")


def _failed(answer: ProxyAnswer, failure: Failed) -> Routed:
    return Routed(answer, "new", failed=True, reason=failure.detail, placed_on="new", answered="new")


def _said(arrival: Arrival, side: Side, status: int, detail: str, *, retry_after: int | None = None) -> Routed:
    answer = own_answer(status, detail, arrival.correlation_id, retry_after=retry_after)
    return Routed(answer, side, failed=True, reason=detail)
