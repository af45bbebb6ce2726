"""A saga's state machine: what its role may do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .._grants import grant_parking, statement
from .._state_machine import define_state_machine

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_stepfunctions as sfn
    from constructs import Construct

    from ..defaults import Settings


def define_machine(
    scope: Construct,
    definition: Mapping[str, Any],
    targets: Sequence[lambda_.IFunction],
    native: Sequence[iam.PolicyStatement],
    claims: dynamodb.ITable,
    settings: Settings,
    key: kms.IKey | None,
    *,
    id: str = "StateMachine",
) -> sfn.StateMachine:
    """A Standard state machine that invokes these functions, may do what native calls take, and parks in the table."""

    def allow(role: iam.Role) -> None:
        grant_parking(role, claims)
        if targets:
            role.add_to_policy(statement(["lambda:InvokeFunction"], [target.function_arn for target in targets]))
        for each in native:
            role.add_to_policy(each)

    return define_state_machine(scope, id, definition, allow, settings, key)
