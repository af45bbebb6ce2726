"""Metrics of a topic, and the alarms on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from .._alarms import METRIC_PERIOD, AlarmOn

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_sns as sns

_NAMESPACE = "ServerlessPatterns"
_DEADLINES_MISSED, _LATE_RESULTS, _UNMATCHED = "DeadlinesMissed", "LateResults", "Unmatched"


class Measured(Construct):
    """A topic, once it is defined."""

    topic: sns.ITopic

    def metric_published(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Messages that SNS took."""
        return self.topic.metric_number_of_messages_published(period=period, statistic="Sum")

    def metric_delivered(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Deliveries to subscribers that succeeded."""
        return self.topic.metric_number_of_notifications_delivered(period=period, statistic="Sum")

    def metric_failed(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Deliveries that SNS gave up: each is in its subscription's dead-letter queue."""
        return self.topic.metric_number_of_notifications_failed(period=period, statistic="Sum")

    def metric_filtered_out(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Deliveries that a filter held back."""
        return self.topic.metric_number_of_notifications_filtered_out(period=period, statistic="Sum")

    def metric_lost(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Deliveries that failed, and that the subscription's dead-letter queue did not take either."""
        return self.topic.metric("NumberOfNotificationsFailedToRedriveToDlq", period=period, statistic="Sum")

    def metric_deadlines_missed(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Messages of which a branch was missing at the deadline."""
        return self._metric(_DEADLINES_MISSED, self.node.id, period)

    def metric_late_results(self, subscriber: str, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Results of a subscriber that came after the deadline, and were refused."""
        return self._metric(_LATE_RESULTS, subscriber, period)

    def metric_unmatched(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Messages that no subscriber's filter matches. Needs `unmatched`."""
        return self._metric(_UNMATCHED, self.node.id, period)

    def _metric(self, name: str, service: str, period: Duration) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=_NAMESPACE, metric_name=name, dimensions_map={"service": service}, period=period, statistic="Sum"
        )

    def _wanted(self, sweep: lambda_.Function | None, *, counts_unmatched: bool) -> list[AlarmOn]:
        failed = "SNS gave up deliveries: find them in a subscription's dead-letter queue"
        lost = "Messages are lost: a subscription's dead-letter queue takes nothing, by its policy or its key"
        wanted = [
            AlarmOn("NotificationsFailed", self.metric_failed(), 1, failed, critical=False),
            AlarmOn("NotificationsLost", self.metric_lost(), 1, lost, critical=True),
        ]
        if sweep is not None:
            errors = sweep.metric_errors(period=METRIC_PERIOD, statistic="Sum")
            stuck = "The sweep fails: deadlines pass unseen until it runs again"
            missed = "A message's branches were not all done at the deadline: look for dead letters and late results"
            wanted += [
                AlarmOn("SweepErrors", errors, 1, stuck, critical=True),
                AlarmOn("DeadlinesMissed", self.metric_deadlines_missed(), 1, missed, critical=True),
            ]
        if counts_unmatched:
            nobody = "Messages match no subscriber's filter: a publisher or a filter is wrong, or one is missing"
            wanted.append(AlarmOn("Unmatched", self.metric_unmatched(), 1, nobody, critical=False))
        return wanted
