"""The state machine that fills a view anew, and what the control function may do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam

from .._acknowledge import acknowledge_wildcard
from .._grants import give, statement
from .._parallel_map.grants import executions_of, policy_of
from .._state_machine import define_state_machine
from .rebuild_definition import rebuild_definition

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_stepfunctions as sfn
    from constructs import Construct

    from ..defaults import Settings

_NAMED_LATER = "executions, and children of a map, get their names when they start; those of this machine are meant"


def define_machine(
    scope: Construct,
    suffix: str,
    function: lambda_.Function,
    projector: lambda_.Function,
    settings: Settings,
    key: kms.IKey | None,
) -> sfn.StateMachine:
    """Runs the tasks of a rebuild in the function that has the code of its views, and has the projector try again."""
    arns = function.function_arn, projector.function_arn

    def allow(role: iam.Role) -> None:
        role.add_to_policy(statement(["lambda:InvokeFunction"], arns))

    machine = define_state_machine(scope, f"Rebuilding{suffix}", rebuild_definition(*arns), allow, settings, key)
    children = executions_of(machine)
    start = statement(["states:StartExecution"], [machine.state_machine_arn])
    look = statement(["states:DescribeExecution", "states:StopExecution"], [children])
    policy = iam.Policy(scope, f"Children{suffix}", statements=[start, look])  # of its own: it names the machine
    policy.attach_to_role(machine.role)
    acknowledge_wildcard(policy, children, _NAMED_LATER)
    return machine


def allow_rebuilds(control: lambda_.Function, machine: sfn.StateMachine, key: kms.IKey | None) -> None:
    """Start executions, look at them, and stop them."""
    executions = executions_of(machine)
    give(control, ["states:StartExecution"], [machine.state_machine_arn])
    give(control, ["states:DescribeExecution", "states:StopExecution"], [executions])
    acknowledge_wildcard(policy_of(control.role), executions, _NAMED_LATER)
    if key is not None:
        key.grant(control, "kms:Decrypt", "kms:GenerateDataKey")
