"""What is written down of a request: one line, which CloudWatch takes for metrics too. No body, no token, no query."""

import json
import sys
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

from serverless_patterns_runtime.strangler_gateway import metric_contract
from serverless_patterns_runtime.strangler_gateway.contract import Side

__all__ = ["Outcome", "count", "teller", "write"]

_GATEWAY, _ROUTE, _SIDE = (
    metric_contract.GATEWAY_DIMENSION,
    metric_contract.ROUTE_DIMENSION,
    metric_contract.SIDE_DIMENSION,
)


class Outcome(NamedTuple):
    route: str
    """Empty: it is not migrating."""
    side: Side
    """That answered, or should have."""
    status: int
    failed: bool
    """The side, not the caller."""
    milliseconds: float
    request_id: str
    fell_back: bool = False
    """The new side failed, and legacy answered."""
    forced: bool = False
    reason: str = ""
    """Why the router itself answered, or the name of the new side's error."""


def write(gateway: str, outcome: Outcome, now: float) -> None:
    """By hand: this is done for every request, and the rest of the line is always the same."""
    beginning = _beginning(gateway, outcome.route or "*", outcome.side, outcome.fell_back)
    more = ',"forced":true' if outcome.forced else ""
    if outcome.reason:
        more += f',"reason":{json.dumps(outcome.reason)}'
    _print(
        f'{beginning}"Timestamp":{int(now * 1000)}}},"{metric_contract.METRIC_ERRORS}":{int(outcome.failed)},'
        f'"{metric_contract.METRIC_LATENCY}":{outcome.milliseconds:.1f},"status":{outcome.status},'
        f'"function_request_id":{json.dumps(outcome.request_id)}{more}}}'
    )


def teller(gateway: str, clock: Callable[[], float]) -> Callable[[str, str | None, BaseException | None], None]:
    """What `Shares` tells by."""

    def tell(metric: str, route: str | None, error: BaseException | None) -> None:
        count(gateway, metric, clock(), route, **({"error_type": type(error).__name__} if error else {}))

    return tell


def count(gateway: str, metric: str, now: float, route: str | None = None, **more: Any) -> None:
    """A count of its own, of the gateway or of one route."""
    named = {_GATEWAY: gateway} | ({} if route is None else {_ROUTE: route})
    alone = [[_GATEWAY]] if metric == metric_contract.METRIC_ROLLED_BACK else []
    metrics = _directive([[*named], *alone], (metric, "Count"))
    line = {"_aws": {"CloudWatchMetrics": [metrics], "Timestamp": int(now * 1000)}, **named, metric: 1, **more}
    _print(json.dumps(line))


@cache
def _beginning(gateway: str, route: str, side: Side, fell_back: bool) -> str:
    whole = [_GATEWAY, _ROUTE, _SIDE]
    directives = [
        _directive(
            [whole], (metric_contract.METRIC_REQUESTS, "Count"), (metric_contract.METRIC_LATENCY, "Milliseconds")
        ),
        _directive([whole, [_GATEWAY, _SIDE]], (metric_contract.METRIC_ERRORS, "Count")),
    ]
    named: dict[str, Any] = {_GATEWAY: gateway, _ROUTE: route, _SIDE: side, metric_contract.METRIC_REQUESTS: 1}
    if fell_back:
        directives.append(_directive([[_GATEWAY, _ROUTE]], (metric_contract.METRIC_FELL_BACK, "Count")))
        named[metric_contract.METRIC_FELL_BACK] = 1
    # The end is left open for what differs.
    return f'{json.dumps(named)[:-1]},"_aws":{{"CloudWatchMetrics":{json.dumps(directives)},'


def _directive(dimensions: list[list[str]], *metrics: tuple[str, str]) -> dict[str, Any]:
    return {
        "Namespace": metric_contract.METRICS_NAMESPACE,
        "Dimensions": dimensions,
        "Metrics": [{"Name": name, "Unit": unit} for name, unit in metrics],
    }


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
