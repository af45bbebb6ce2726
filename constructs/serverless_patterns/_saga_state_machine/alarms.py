"""Alarms on a saga: executions that need a person. One that was undone as it should be is none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_cloudwatch as cloudwatch

from serverless_patterns_runtime.saga_state_machine.approval_contract import (
    METRIC_WAITING,
    METRICS_NAMESPACE,
    SAGA_DIMENSION,
    TABLE_DIMENSION,
)

from .._alarms import METRIC_PERIOD, AlarmOn

if TYPE_CHECKING:
    from aws_cdk import Duration
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_sqs as sqs
    from aws_cdk import aws_stepfunctions as sfn


def approval_alarms(waiting: cloudwatch.Metric) -> list[AlarmOn]:
    """Of a saga with approvals."""
    words = "Nobody has decided yet, and the reminder is sent: look who should; without a decision the saga goes back"
    return [AlarmOn("ApprovalWaiting", waiting, 1, words, critical=False)]


def waiting_metric(namespace: str, claims: dynamodb.ITable, period: Duration) -> cloudwatch.Metric:
    """Reminders: of each approval that waits one, when half its time is over, or when it says."""
    return cloudwatch.Metric(
        namespace=METRICS_NAMESPACE,
        metric_name=METRIC_WAITING,
        dimensions_map={SAGA_DIMENSION: namespace, TABLE_DIMENSION: claims.table_name},
        period=period,
        statistic="Sum",
    )


def saga_alarms(machine: sfn.StateMachine, recovery: sfn.StateMachine, letters: sqs.Queue) -> list[AlarmOn]:
    """Every alarm of a saga. Critical: something is neither done nor undone, and will stay so.

    Args:
        machine: The saga's.
        recovery: What sees to executions that died.
        letters: Where events are that the guardian could not handle.
    """
    return [*_of_executions(machine), *_of_recoveries(recovery, letters)]


def _of_executions(machine: sfn.StateMachine) -> list[AlarmOn]:
    return [
        AlarmOn(
            "Failed",
            machine.metric_failed(period=METRIC_PERIOD, statistic="Sum"),
            1,
            "A step is parked: see which (serverless-patterns saga list), mend the cause, then resume",
            critical=True,
        ),
        AlarmOn(
            "Aborted",
            machine.metric_aborted(period=METRIC_PERIOD, statistic="Sum"),
            1,
            "An execution was stopped from outside: the guardian has what it had done undone, or finished",
            critical=False,
        ),
        AlarmOn(
            "TimedOut",
            machine.metric_timed_out(period=METRIC_PERIOD, statistic="Sum"),
            1,
            "An execution met Step Functions' limit of a year: the guardian has what it had done undone, or finished",
            critical=False,
        ),
        AlarmOn(
            "Throttled",
            machine.metric_throttled(period=METRIC_PERIOD, statistic="Sum"),
            1,
            "Transitions were held back: the account starts more than its quota allows, and sagas take longer",
            critical=False,
        ),
    ]


def _of_recoveries(recovery: sfn.StateMachine, letters: sqs.Queue) -> list[AlarmOn]:
    return [
        AlarmOn(
            "GuardianFailed",
            letters.metric_approximate_number_of_messages_visible(period=METRIC_PERIOD, statistic="Maximum"),
            1,
            "The guardian could not see to an execution that ended badly, or could not look: its log says why",
            critical=True,
        ),
        AlarmOn(
            "RecoveryFailed",
            recovery.metric_failed(period=METRIC_PERIOD, statistic="Sum"),
            1,
            "A recovery has parked a step, or could not begin: see which (serverless-patterns saga list), then resume",
            critical=True,
        ),
        AlarmOn(
            "RecoveryAborted",
            recovery.metric_aborted(period=METRIC_PERIOD, statistic="Sum"),
            1,
            "A recovery was stopped from outside, and nothing starts it again: serverless-patterns saga resume does",
            critical=True,
        ),
    ]
