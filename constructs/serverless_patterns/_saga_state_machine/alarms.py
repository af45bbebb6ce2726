"""Alarms on a saga: executions that need a person. One that was undone as it should be is none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._alarms import METRIC_PERIOD, AlarmOn

if TYPE_CHECKING:
    from aws_cdk import aws_stepfunctions as sfn


def saga_alarms(machine: sfn.StateMachine) -> list[AlarmOn]:
    """Every alarm of a saga. Failed and aborted are critical: something is neither done nor undone."""
    return [
        AlarmOn(
            "Failed",
            machine.metric_failed(period=METRIC_PERIOD, statistic="Sum"),
            1,
            "A step is parked: its error and input are in the claims, under parked#; mend it, then finish by hand",
            critical=True,
        ),
        AlarmOn(
            "Aborted",
            machine.metric_aborted(period=METRIC_PERIOD, statistic="Sum"),
            1,
            "An execution was stopped from outside: what it had done is not undone",
            critical=True,
        ),
        AlarmOn(
            "Throttled",
            machine.metric_throttled(period=METRIC_PERIOD, statistic="Sum"),
            1,
            "Transitions were held back: the account starts more than its quota allows, and sagas take longer",
            critical=False,
        ),
    ]
