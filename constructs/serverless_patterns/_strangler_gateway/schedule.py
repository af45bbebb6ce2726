"""Once a day the control function looks for what was set for routes that are gone, and forgets it in time."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_

from serverless_patterns_runtime.strangler_gateway.contract import SWEEP
from serverless_patterns_runtime.strangler_gateway.control_contract import Command

from .._acknowledge import acknowledge

if TYPE_CHECKING:
    from constructs import Construct

UNDELIVERED = "what one sweep has not done the next one does, a day later, and nobody waits for it"
_LATEST = Duration.hours(12)  # the next one is not far then


def sweep_daily(scope: Construct, control: lambda_.Function) -> None:
    """Define the rule, and let it invoke the function.

    Args:
        scope: The gateway.
        control: Which is told to sweep, and nothing else.
    """
    told = events.RuleTargetInput.from_object(dict(Command(action=SWEEP)))
    target = targets.LambdaFunction(cast(lambda_.IFunction, control), event=told, max_event_age=_LATEST)
    rule = events.Rule(
        scope,
        "Sweep",
        description="What was set for routes that are gone is forgotten, a week after they were missed",
        schedule=events.Schedule.rate(Duration.days(1)),
        targets=[cast(events.IRuleTarget, target)],
    )
    acknowledge(rule, UNDELIVERED, "Serverless-EventBusDLQ")
