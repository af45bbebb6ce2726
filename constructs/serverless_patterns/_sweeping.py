"""What a function does again and again by the clock: what one sweep leaves, the next one does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_

from ._acknowledge import acknowledge

if TYPE_CHECKING:
    from constructs import Construct


def sweep_every(
    scope: Construct,
    id: str,
    function: lambda_.Function,
    period: Duration,
    *,
    description: str,
    undelivered: str,
    told: Mapping[str, Any] | None = None,
    max_event_age: Duration | None = None,
) -> None:
    """Define the rule, and let it invoke the function.

    Args:
        scope: Whose it is.
        id: The rule's construct id.
        function: Which sweeps.
        period: From one sweep to the next.
        description: What a sweep does, for whoever finds the rule in the console.
        undelivered: Why a sweep that is not delivered is not missed, for scanners.
        told: The event; `None`: EventBridge's own.
        max_event_age: How long EventBridge tries to deliver one; `None`: a day.
    """
    event = None if told is None else events.RuleTargetInput.from_object(dict(told))
    target = targets.LambdaFunction(cast(lambda_.IFunction, function), event=event, max_event_age=max_event_age)
    rule = events.Rule(
        scope,
        id,
        description=description,
        schedule=events.Schedule.rate(period),
        targets=[cast(events.IRuleTarget, target)],
    )
    acknowledge(rule, undelivered, "Serverless-EventBusDLQ")
