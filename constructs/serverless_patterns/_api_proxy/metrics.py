"""What an API counts and measures: the metrics of its stage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from .._alarms import METRIC_PERIOD
from .existing import check_named

if TYPE_CHECKING:
    from aws_cdk import Duration
    from aws_cdk import aws_apigateway as apigateway
    from aws_cdk import aws_cloudwatch as cloudwatch

    from .existing import ExistingApi


class Measured(Construct):
    """A construct with a stage."""

    stage: apigateway.StageBase
    _existing: ExistingApi | None

    @property
    def _measured(self) -> apigateway.StageBase:
        check_named(self, self._existing)
        return self.stage

    def metric_requests(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Requests, whatever was answered."""
        return self._measured.metric_count(period=period, statistic="Sum")

    def metric_client_errors(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Answers with 4xx."""
        return self._measured.metric_client_error(period=period, statistic="Sum")

    def metric_server_errors(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Answers with 5xx."""
        return self._measured.metric_server_error(period=period, statistic="Sum")

    def metric_latency(self, *, period: Duration = METRIC_PERIOD, statistic: str = "p99") -> cloudwatch.Metric:
        """Milliseconds from request to answer."""
        return self._measured.metric_latency(period=period, statistic=statistic)
