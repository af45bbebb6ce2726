"""Metrics of a topic, and the alarms on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from serverless_patterns_runtime.fan_in import contract as fan_in
from serverless_patterns_runtime.fan_out_topic import contract

from .._alarms import METRIC_PERIOD, AlarmOn
from .._checks import Problems

if TYPE_CHECKING:
    from aws_cdk import aws_sns as sns

    from .gathering import DefinedFanIn


class Measured(Construct):
    """A topic, once it is defined."""

    topic: sns.ITopic
    fan_in: DefinedFanIn | None

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

    def metric_completed(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Messages of which every branch was done in time. Needs a fan-in, as the next four."""
        return self._of_fan_in(fan_in.METRIC_COMPLETED, period)

    def metric_deadlines_missed(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Messages of which a branch was missing at the deadline."""
        return self._of_fan_in(fan_in.METRIC_DEADLINE_MISSED, period)

    def metric_late_results(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Results that came after the deadline, and were refused."""
        return self._of_fan_in(fan_in.METRIC_LATE_RESULTS, period)

    def metric_unexpected_results(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Results of branches that whoever came first did not expect, and were refused."""
        return self._of_fan_in(fan_in.METRIC_UNEXPECTED_RESULTS, period)

    def metric_conflicting_results(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Results of another message with the same key, which were refused."""
        return self._of_fan_in(fan_in.METRIC_CONFLICTING_RESULTS, period)

    def metric_unmatched(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Messages that no subscriber's filter matches. Needs `unmatched`."""
        return _metric(contract.METRIC_UNMATCHED, {contract.TOPIC_DIMENSION: self.topic.topic_name}, period)

    def _of_fan_in(self, name: str, period: Duration) -> cloudwatch.Metric:
        gathering = self.fan_in
        if gathering is None:
            problems = Problems(self.node.path)
            problems.add("fan_in", "be given for its metrics", "None", "pass FanIn(...) to the FanOutTopic")
            problems.raise_any()
        assert gathering is not None
        dimensions = {
            fan_in.FAN_IN_DIMENSION: gathering.namespace,
            fan_in.TABLE_DIMENSION: gathering.table.table_name,
        }
        return _metric(name, dimensions, period)

    def _wanted(self, *, counts_unmatched: bool) -> list[AlarmOn]:
        failed = "SNS gave up deliveries: find them in a subscription's dead-letter queue"
        lost = "Messages are lost: a subscription's dead-letter queue takes nothing, by its policy or its key"
        wanted = [
            AlarmOn("NotificationsFailed", self.metric_failed(), 1, failed, critical=False),
            AlarmOn("NotificationsLost", self.metric_lost(), 1, lost, critical=True),
        ]
        if self.fan_in is not None:
            errors = self.fan_in.sweep_function.metric_errors(period=METRIC_PERIOD, statistic="Sum")
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


def _metric(name: str, dimensions: Mapping[str, str], period: Duration) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=fan_in.METRICS_NAMESPACE,
        metric_name=name,
        dimensions_map=dimensions,
        period=period,
        statistic="Sum",
    )
