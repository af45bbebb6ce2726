"""What people see of a migration: alarms, and a dashboard for those who want one."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aws_cdk import aws_cloudwatch as cloudwatch

from .._alarms import AlarmOn
from .metrics import Measured, new_side_error_rate, rolled_back, store_unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..migrated_route import MigratedRoute

_ERROR_RATE = 0.05
_WIDTH = 6


def gateway_alarms(namespace: str) -> list[AlarmOn]:
    """Every alarm of a router. A rollback is critical: somebody has to look before the route goes on."""
    return [
        AlarmOn(
            "RolledBack",
            rolled_back(namespace),
            1,
            "A route went back to legacy by itself: see why (serverless-patterns route list), mend the new side, clear",
            critical=True,
        ),
        AlarmOn(
            "NewSideErrors",
            new_side_error_rate(namespace),
            _ERROR_RATE,
            "One request in 20 or more failed on the new side: look at its functions' logs, or kill the route",
            critical=False,
        ),
        AlarmOn(
            "RouteStoreUnavailable",
            store_unavailable(namespace),
            1,
            "Routers could not read the table: what held before holds, and commands take no effect",
            critical=False,
        ),
    ]


def define_dashboard(gateway: Measured, routes: Iterable[MigratedRoute]) -> cloudwatch.Dashboard:
    """A row for each route: its share, its errors, its latency, on both sides; and differences, if it has a shadow."""
    rows = [_row(gateway, one.route, shadowed=one.shadow is not None) for one in routes]
    return cloudwatch.Dashboard(
        gateway, "Dashboard", widgets=[[cast(cloudwatch.IWidget, one) for one in row] for row in rows]
    )


def _row(gateway: Measured, route: str, *, shadowed: bool) -> Sequence[cloudwatch.GraphWidget]:
    new, legacy = gateway.metric_requests(route, "new"), gateway.metric_requests(route, "legacy")
    share = cloudwatch.MathExpression(
        expression="100 * FILL(new, 0) / (FILL(new, 0) + FILL(legacy, 0))",
        using_metrics={"new": cast(cloudwatch.IMetric, new), "legacy": cast(cloudwatch.IMetric, legacy)},
        label="percent",
    )
    errors = [
        gateway.metric_errors(route, "new"),
        gateway.metric_errors(route, "legacy"),
        gateway.metric_fell_back(route),
    ]
    latency = [gateway.metric_latency(route, "new"), gateway.metric_latency(route, "legacy")]
    shown = [
        _graph(f"{route}: share of the new side", [cast(cloudwatch.IMetric, share)]),
        _graph(f"{route}: errors", cast("list[cloudwatch.IMetric]", errors)),
        _graph(f"{route}: latency, p99", cast("list[cloudwatch.IMetric]", latency)),
    ]
    if shadowed:
        copies = [gateway.metric_shadow_compared(route), gateway.metric_shadow_different(route)]
        shown.append(_graph(f"{route}: copies compared, and different", cast("list[cloudwatch.IMetric]", copies)))
    return shown


def _graph(title: str, left: list[cloudwatch.IMetric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, left=left, width=_WIDTH)
