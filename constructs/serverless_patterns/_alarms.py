"""Alarms on a queue and its consumer: what to look at in the middle of the night."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from aws_cdk import Duration, Validations
from aws_cdk import aws_cloudwatch as cloudwatch

from ._checks import Problems
from ._delivery import LONGEST_RETENTION_SECONDS
from ._queues import visible_retention
from ._shapes import several, told
from .defaults import ALARMS, Alarms

if TYPE_CHECKING:
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_sqs as sqs
    from constructs import Construct

    from ._interfaces import AlarmAction


class AlarmOn(NamedTuple):
    """One alarm: it fires when the metric reaches the threshold in so many periods, one after the other."""

    name: str
    metric: cloudwatch.IMetric
    threshold: float
    description: str
    critical: bool
    periods: int = 1


_METRIC_SECONDS = 300
METRIC_PERIOD = Duration.seconds(_METRIC_SECONDS)
_ASSUMED_LEFT_SECONDS = 86_400  # where nobody can tell: what retention_period leaves at least


def queue_alarms(
    queue: sqs.IQueue,
    dead_letter_queue: sqs.IQueue,
    consumer: lambda_.IFunction,
    max_oldest_age: Duration,
    retention: int | None,
) -> list[AlarmOn]:
    """Every alarm of a queue and its consumer. Age and dead letters are critical: work is late, or needs a person.

    Args:
        queue: Where messages wait.
        dead_letter_queue: Where they end when they cannot be processed.
        consumer: Whose errors and throttles count.
        max_oldest_age: How long a message may wait.
        retention: Seconds that the queue keeps a message; `None` when that is a token.
    """
    kept = visible_retention(dead_letter_queue)
    assumed = "" if kept else " if they are kept 14 days, which cannot be seen at synth"
    return [
        AlarmOn(
            "OldestMessage",
            queue.metric_approximate_age_of_oldest_message(period=METRIC_PERIOD, statistic="Maximum"),
            max_oldest_age.to_seconds(),
            "Messages wait too long: the consumer is stopped, failing, or its cap is too low",
            critical=True,
        ),
        AlarmOn(
            "DeadLetters",
            dead_letter_queue.metric_approximate_number_of_messages_visible(period=METRIC_PERIOD, statistic="Maximum"),
            1,
            "Messages could not be processed: read why (serverless-patterns peek), mend it, then redrive",
            critical=True,
        ),
        AlarmOn(
            "DeadLettersExpire",
            dead_letter_queue.metric_approximate_age_of_oldest_message(period=METRIC_PERIOD, statistic="Maximum"),
            _half_of_what_is_left(kept or LONGEST_RETENTION_SECONDS, retention or LONGEST_RETENTION_SECONDS),
            f"Dead letters will be deleted soon{assumed}: redrive them, or let them go on purpose",
            critical=False,
        ),
        AlarmOn(
            "ConsumerErrors",
            consumer.metric_errors(period=METRIC_PERIOD, statistic="Sum"),
            1,
            "The consumer crashed or timed out as a whole; single messages that fail are not counted here",
            critical=False,
        ),
        AlarmOn(
            "ConsumerThrottles",
            consumer.metric_throttles(period=METRIC_PERIOD, statistic="Sum"),
            1,
            "Invocations were refused: the account or the function has too little concurrency for the cap",
            critical=False,
        ),
    ]


def _half_of_what_is_left(kept: int, retention: int) -> int:
    """Seconds that a dead letter may wait: the other half is for people.

    A standard queue's retention clock starts when a message is first sent, so up to the source's retention is gone when
    it becomes a dead letter; the age metric starts anew.
    """
    left = kept - retention if kept > retention else min(_ASSUMED_LEFT_SECONDS, kept)
    return max(left // 2, _METRIC_SECONDS)


def check_actions(problems: Problems, actions: Any) -> None:
    """Refuse what CDK would refuse with an error of its own: a topic in place of an action on it."""
    for action in several(problems, "alarm_actions", actions):
        if not hasattr(action, "bind"):
            got = action.node.path if hasattr(action, "node") else told(action)
            fix = "write alarm_actions=[cloudwatch_actions.SnsAction(topic)]"
            problems.add("alarm_actions", "hold actions of aws_cloudwatch_actions", got, fix)


def check_alarms(problems: Problems, which: object, max_oldest_age: object) -> None:
    """Check what the user says of alarms."""
    if which is not None:
        problems.one_of("alarms", which, ALARMS, "'critical' keeps age and dead letters")
    fix = "how long the oldest message may wait before somebody is told"
    problems.duration("max_oldest_age", max_oldest_age, 60, LONGEST_RETENTION_SECONDS, fix)


def define_alarms(
    scope: Construct,
    wanted: Sequence[AlarmOn],
    which: Alarms,
    actions: Sequence[AlarmAction],
) -> dict[str, cloudwatch.Alarm]:
    """The alarms that the user asked for, by name; warns at synth when they would notify nobody."""
    alarms = {
        alarm.name: cloudwatch.Alarm(
            scope,
            f"{alarm.name}Alarm",
            metric=alarm.metric,
            threshold=alarm.threshold,
            evaluation_periods=alarm.periods,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,  # an idle queue sends no data
            alarm_description=alarm.description,
        )
        for alarm in wanted
        if which == "all" or (which == "critical" and alarm.critical)
    }
    for alarm in alarms.values():
        if actions:
            alarm.add_alarm_action(*cast("Sequence[cloudwatch.IAlarmAction]", actions))
    if alarms and not actions:
        Validations.of(scope).add_warning(
            "serverless-patterns:alarm-without-action",
            f"{len(alarms)} alarms notify nobody: pass alarm_actions, or Defaults.of(app).set(alarm_actions=[...])",
        )
    return alarms
