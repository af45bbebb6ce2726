"""Alarms on a map: items that need a person, and executions that nobody was told of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._alarms import METRIC_PERIOD, AlarmOn

if TYPE_CHECKING:
    from aws_cdk import aws_sqs as sqs
    from aws_cdk import aws_stepfunctions as sfn


def map_alarms(
    machine: sfn.StateMachine, completion: sfn.StateMachine, dead_letters: sqs.IQueue, undelivered: sqs.IQueue
) -> list[AlarmOn]:
    """Every alarm of a map. Critical: something needs a person, and will go on needing one."""
    return [
        AlarmOn(
            "DeadLetters",
            dead_letters.metric_approximate_number_of_messages_visible(period=METRIC_PERIOD, statistic="Maximum"),
            1,
            "Items could not be processed: read why (serverless-patterns peek), mend it, then start them anew",
            critical=True,
        ),
        AlarmOn(
            "CompletionFailed",
            completion.metric_failed(period=METRIC_PERIOD, statistic="Sum"),
            1,
            "An execution ended badly, and on_complete could not be told: mend it, then redrive this execution",
            critical=True,
        ),
        AlarmOn(
            "CompletionNotStarted",
            undelivered.metric_approximate_number_of_messages_visible(period=METRIC_PERIOD, statistic="Maximum"),
            1,
            "EventBridge could not start the completion of an execution that ended badly: start it with the message",
            critical=True,
        ),
        AlarmOn(
            "Failed",
            machine.metric_failed(period=METRIC_PERIOD, statistic="Sum"),
            1,
            "More items failed than are tolerated, or on_complete failed",
            critical=False,
        ),
        AlarmOn(
            "TimedOut",
            machine.metric_timed_out(period=METRIC_PERIOD, statistic="Sum"),
            1,
            "An execution took longer than its timeout: what was left of it is dead letters",
            critical=False,
        ),
        AlarmOn(
            "Throttled",
            machine.metric_throttled(period=METRIC_PERIOD, statistic="Sum"),
            1,
            "Transitions were held back: the account starts more than its quota allows, and maps take longer",
            critical=False,
        ),
    ]
