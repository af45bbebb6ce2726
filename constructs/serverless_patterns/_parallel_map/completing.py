"""What completes executions that ended before they were complete: timed out, aborted, or failed on their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam

from serverless_patterns_runtime.parallel_map.contract import DEAD

from .._grants import grant_start
from .._queues import define_letters

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_sqs as sqs
    from aws_cdk import aws_stepfunctions as sfn
    from constructs import Construct


def tell_of_bad_ends(
    scope: Construct, machine: sfn.StateMachine, completion: sfn.StateMachine, key: kms.IKey | None
) -> sqs.Queue:
    """Start the completion of each; returns the queue of events that could not be delivered."""
    letters = define_letters(scope, "CompletionDeadLetters", key)
    if key is not None:
        key.grant(
            cast(iam.IGrantable, iam.ServicePrincipal("events.amazonaws.com")), "kms:Decrypt", "kms:GenerateDataKey"
        )
    role = iam.Role(scope, "BadEndsRole", assumed_by=cast(iam.IPrincipal, iam.ServicePrincipal("events.amazonaws.com")))
    grant_start(role, completion, key)
    ended: Mapping[str, Any] = {"stateMachineArn": [machine.state_machine_arn], "status": sorted(DEAD)}
    told = {
        "arn": events.EventField.from_path("$.detail.executionArn"),
        "status": events.EventField.from_path("$.detail.status"),
    }
    target = targets.SfnStateMachine(
        cast("sfn.IStateMachine", completion),
        input=events.RuleTargetInput.from_object(told),
        dead_letter_queue=letters,
        role=cast(iam.IRole, role),
    )
    events.Rule(
        scope,
        "BadEnds",
        description="Executions that ended without success: what is left of them is closed, and on_complete is told",
        event_pattern=events.EventPattern(
            source=["aws.states"], detail_type=["Step Functions Execution Status Change"], detail=ended
        ),
        targets=[cast(events.IRuleTarget, target)],
    )
    return letters
