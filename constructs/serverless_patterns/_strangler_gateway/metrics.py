"""What a gateway counts and measures: of each route, and of each side of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from serverless_patterns_runtime.strangler_gateway import metric_contract

from .._alarms import METRIC_PERIOD
from .._api_proxy.known_routes import known

if TYPE_CHECKING:
    from aws_cdk import Duration

    from .._api_proxy.paths import Path
    from ..migrated_route import MigratedRoute

    Side = Literal["legacy", "new"]


UNLISTED = "*"
"""What a router counts as, of requests that no route is listed for."""


class Measured(Construct):
    """A gateway's metrics, as the construct has them: of routes while they are migrating."""

    _namespace: str
    _routes: Mapping[str, tuple[MigratedRoute, Path]]

    def metric_requests(self, route: str, side: Side, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Requests of a route that a side answered."""
        return self._of_route(metric_contract.METRIC_REQUESTS, period, "Sum", route, side)

    def metric_errors(self, route: str, side: Side, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Those of them that the side failed: 5xx, no answer, too late. The average is the rate."""
        return self._of_route(metric_contract.METRIC_ERRORS, period, "Sum", route, side)

    def metric_latency(
        self, route: str, side: Side, *, period: Duration = METRIC_PERIOD, statistic: str = "p99"
    ) -> cloudwatch.Metric:
        """Milliseconds of the side that answered."""
        return self._of_route(metric_contract.METRIC_LATENCY, period, statistic, route, side)

    def metric_fell_back(self, route: str, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Requests of a route that legacy answered because the new side had failed."""
        return self._of_route(metric_contract.METRIC_FELL_BACK, period, "Sum", route)

    def metric_shadow_different(self, route: str, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Copies that the new side answered in another way than legacy."""
        return self._of_route(metric_contract.METRIC_SHADOW_DIFFERENT, period, "Sum", route)

    def metric_shadow_compared(self, route: str, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Copies whose answer was compared with legacy's, alike or not."""
        return self._of_route(metric_contract.METRIC_SHADOW_COMPARED, period, "Sum", route)

    def _of_route(
        self, name: str, period: Duration, statistic: str, route: str, side: str | None = None
    ) -> cloudwatch.Metric:
        if route != UNLISTED:
            known(self, self._routes, route)
        return _metric(self._namespace, name, period, statistic, route, side)


def rolled_back(namespace: str) -> cloudwatch.Metric:
    """Routes that went back to legacy by themselves."""
    return _metric(namespace, metric_contract.METRIC_ROLLED_BACK, METRIC_PERIOD, "Sum")


def new_side_error_rate(namespace: str) -> cloudwatch.Metric:
    """Of all routes together, 0 to 1."""
    dimensions = {metric_contract.GATEWAY_DIMENSION: namespace, metric_contract.SIDE_DIMENSION: "new"}
    return _of(metric_contract.METRIC_ERRORS, METRIC_PERIOD, "Average", dimensions)


def store_unavailable(namespace: str) -> cloudwatch.Metric:
    """How often the table did not answer a router."""
    return _metric(namespace, metric_contract.METRIC_STORE_UNAVAILABLE, METRIC_PERIOD, "Sum")


def _metric(
    namespace: str, name: str, period: Duration, statistic: str, route: str | None = None, side: str | None = None
) -> cloudwatch.Metric:
    dimensions = {metric_contract.GATEWAY_DIMENSION: namespace}
    if route is not None:
        dimensions[metric_contract.ROUTE_DIMENSION] = route
    if side is not None:
        dimensions[metric_contract.SIDE_DIMENSION] = side
    return _of(name, period, statistic, dimensions)


def _of(name: str, period: Duration, statistic: str, dimensions: dict[str, str]) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=metric_contract.METRICS_NAMESPACE,
        metric_name=name,
        dimensions_map=dimensions,
        period=period,
        statistic=statistic,
    )
