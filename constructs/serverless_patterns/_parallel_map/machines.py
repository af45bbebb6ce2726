"""The two state machines: the map, and what completes an execution that died."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from .._acknowledge import acknowledge_wildcard
from .._grants import statement
from .._state_machine import define_state_machine
from ..s3_items import S3Items
from .definition import Resources, completing, definition
from .functions import Functions
from .grants import executions_of, grant_objects
from .plan import Plan

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_stepfunctions as sfn
    from constructs import Construct

    from ..defaults import Settings

_CHILDREN = "children of a map get their names when they start; those of this machine alone are meant"


class Machines(NamedTuple):
    """What was defined."""

    main: sfn.StateMachine
    completion: sfn.StateMachine


def define_machines(
    scope: Construct, plan: Plan, functions: Functions, settings: Settings, key: kms.IKey | None
) -> Machines:
    """Define both."""
    resources = Resources(
        Aws.PARTITION,
        functions.item_target.function_arn,
        functions.gather.function_arn,
        functions.completion_target.function_arn,
        plan.items.bucket.bucket_name if isinstance(plan.items, S3Items) else "",
    )

    ending = [resources.gather, resources.complete]

    def allow_all(role: iam.Role) -> None:
        role.add_to_policy(statement(["lambda:InvokeFunction"], [resources.process, *ending]))

    def allow_completion(role: iam.Role) -> None:
        role.add_to_policy(statement(["lambda:InvokeFunction"], ending))

    main = define_state_machine(scope, "StateMachine", definition(plan, resources), allow_all, settings, key)
    if isinstance(plan.items, S3Items):
        grant_objects(main, main.role, plan.items)
    if plan.mode == "distributed":
        _let_start_children(scope, main)
    told = completing(plan, resources)
    return Machines(main, define_state_machine(scope, "Completion", told, allow_completion, settings, key))


def _let_start_children(scope: Construct, machine: sfn.StateMachine) -> None:
    """In a policy of its own, which names the machine: the machine waits for its role's other one."""
    children = executions_of(machine)
    start = statement(["states:StartExecution"], [machine.state_machine_arn])
    look = statement(["states:DescribeExecution", "states:StopExecution"], [children])
    policy = iam.Policy(scope, "Children", statements=[start, look])
    policy.attach_to_role(machine.role)
    acknowledge_wildcard(policy, children, _CHILDREN)
