"""Metrics of a table and its views, and the alarms on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from serverless_patterns_runtime.cqrs_table.contract import METRIC_CONFLICTS, METRICS_NAMESPACE, TABLE_DIMENSION
from serverless_patterns_runtime.cqrs_views.contract import (
    METRIC_EXPIRED,
    METRIC_LAG,
    METRIC_PARKED,
    METRIC_REMOVED,
    METRIC_UNVERSIONED,
)

from .._alarms import METRIC_PERIOD, AlarmOn

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_stepfunctions as sfn

SERVICE_DIMENSION = "service"  # Powertools' own
_OLDEST_MILLISECONDS = 3_600_000  # of the 24 hours that a stream keeps its records
_LAG_SECONDS = 300


class Measured(Construct):
    """A table, once it is defined."""

    table: dynamodb.ITable

    def metric_conflicts(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Times that a command was decided again, because another one had changed the aggregate."""
        return _metric(METRIC_CONFLICTS, {TABLE_DIMENSION: self.table.table_name}, period)

    def metric_projection_lag(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Seconds from a change until it is in all views: the longest in each period."""
        return self._of_views(METRIC_LAG, period, "Maximum")

    def metric_parked(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Changes that could not be projected, and are in the bucket."""
        return self._of_views(METRIC_PARKED, period)

    def metric_unversioned(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Changes of items without a version: somebody else writes the table."""
        return self._of_views(METRIC_UNVERSIONED, period)

    def metric_expired(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Aggregates that time to live has removed."""
        return self._of_views(METRIC_EXPIRED, period)

    def metric_removed(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Aggregates that somebody has removed without a command."""
        return self._of_views(METRIC_REMOVED, period)

    def _of_views(self, name: str, period: Duration, statistic: str = "Sum") -> cloudwatch.Metric:
        return _metric(name, {SERVICE_DIMENSION: self.node.path}, period, statistic)

    def _of_projection(self, control: lambda_.Function) -> list[AlarmOn]:
        return [
            AlarmOn(
                "Parked",
                self.metric_parked(),
                1,
                "Changes could not be projected: see why (serverless-patterns view parked), mend it, then retry",
                critical=True,
            ),
            AlarmOn(
                "ProjectionLag",
                self.metric_projection_lag(),
                _LAG_SECONDS,
                "Views are late: a sink takes nothing, a projector fails or is throttled",
                critical=False,
            ),
            AlarmOn(
                "Unversioned",
                self.metric_unversioned(),
                1,
                "Somebody changes items without a command: views may not show it",
                critical=False,
            ),
            AlarmOn(
                "ControlErrors",
                control.metric_errors(period=METRIC_PERIOD, statistic="Sum"),
                1,
                "The sweep fails: nothing parked is tried again, and no view is filled for the first time",
                critical=False,
            ),
        ]


def command_alarm(function: lambda_.Function) -> AlarmOn:
    """Commands that nobody refused, and that failed all the same."""
    return AlarmOn(
        "CommandErrors",
        function.metric_errors(period=METRIC_PERIOD, statistic="Sum"),
        1,
        "The command function fails: decide has an error, or DynamoDB is not there",
        critical=False,
    )


def projector_alarms(suffix: str, function: lambda_.Function, machine: sfn.StateMachine) -> list[AlarmOn]:
    """Of one group of views."""
    oldest = function.metric("IteratorAge", period=METRIC_PERIOD, statistic="Maximum")
    return [
        # Who never runs has no iterator age: Lambda tells it with what it hands over.
        AlarmOn(
            f"ProjectorThrottles{suffix}",
            function.metric_throttles(period=METRIC_PERIOD, statistic="Sum"),
            1,
            "A projector was refused for a quarter of an hour: it, or the account, has too little concurrency",
            critical=True,
            periods=3,
        ),
        AlarmOn(
            f"IteratorAge{suffix}",
            oldest,
            _OLDEST_MILLISECONDS,
            "A projector is an hour behind: the stream forgets after a day",
            critical=True,
        ),
        AlarmOn(
            f"ProjectorErrors{suffix}",
            function.metric_errors(period=METRIC_PERIOD, statistic="Sum"),
            1,
            "A projector crashed or timed out as a whole: what it never answers ends in the bucket",
            critical=False,
        ),
        AlarmOn(
            f"RecordsLost{suffix}",
            function.metric("DestinationDeliveryFailures", period=METRIC_PERIOD, statistic="Sum"),
            1,
            "What a projector never answered is in no bucket either: see who may write to it, then rebuild its views",
            critical=True,
        ),
        AlarmOn(
            f"RebuildFailed{suffix}",
            machine.metric_failed(period=METRIC_PERIOD, statistic="Sum"),
            1,
            "A view could not be filled anew, and the former one is still read: see serverless-patterns view status",
            critical=True,
        ),
    ]


def _metric(name: str, dimensions: Mapping[str, str], period: Duration, statistic: str = "Sum") -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=METRICS_NAMESPACE,
        metric_name=name,
        dimensions_map=dimensions,
        period=period,
        statistic=statistic,
    )
