"""Alarms on a queue and its consumer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from aws_cdk import Duration, Validations
from aws_cdk import aws_cloudwatch as cloudwatch

if TYPE_CHECKING:
    from constructs import Construct

    from .defaults import Alarms


class AlarmOn(NamedTuple):
    """One alarm: it fires when the metric reaches the threshold in one period."""

    name: str
    metric: cloudwatch.IMetric
    threshold: float
    description: str
    critical: bool


PERIOD = Duration.minutes(5)


def define_alarms(
    scope: Construct, wanted: Sequence[AlarmOn], which: Alarms, actions: Sequence[cloudwatch.IAlarmAction]
) -> dict[str, cloudwatch.Alarm]:
    """The alarms that the user asked for, by name; warns at synth when they would notify nobody."""
    alarms = {
        alarm.name: cloudwatch.Alarm(
            scope,
            f"{alarm.name}Alarm",
            metric=alarm.metric,
            threshold=alarm.threshold,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,  # an idle queue sends no data
            alarm_description=alarm.description,
        )
        for alarm in wanted
        if which == "all" or (which == "critical" and alarm.critical)
    }
    for alarm in alarms.values():
        if actions:
            alarm.add_alarm_action(*actions)
    if alarms and not actions:
        Validations.of(scope).add_warning(
            "serverless-patterns:alarm-without-action",
            f"{len(alarms)} alarms notify nobody: pass alarm_actions, or Defaults.of(app).set(alarm_actions=[...])",
        )
    return alarms
