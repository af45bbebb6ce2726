"""What a saga counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._alarms import METRIC_PERIOD
from .alarms import waiting_metric
from .offering import Offering

if TYPE_CHECKING:
    from aws_cdk import Duration
    from aws_cdk import aws_cloudwatch as cloudwatch


class Measured(Offering):
    """A saga's metrics, as the construct has them."""

    def metric_started(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Executions that began."""
        return self.state_machine.metric_started(period=period, statistic="Sum")

    def metric_succeeded(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Executions that came to a good end: all done, or all undone."""
        return self.state_machine.metric_succeeded(period=period, statistic="Sum")

    def metric_failed(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Executions with a parked step."""
        return self.state_machine.metric_failed(period=period, statistic="Sum")

    def metric_approval_waiting(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Approvals that nobody had decided when their reminder was due."""
        return waiting_metric(self._offered.namespace, self.claims, period)

    def metric_aborted(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Executions that were stopped from outside."""
        return self.state_machine.metric_aborted(period=period, statistic="Sum")

    def metric_timed_out(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Executions that took longer than Step Functions lets them: a year."""
        return self.state_machine.metric_timed_out(period=period, statistic="Sum")
