"""Permissions of a map's functions and machines beyond those of every pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam

from .._acknowledge import acknowledge_wildcard
from .._grants import give, grant_table_key

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_stepfunctions as sfn
    from constructs import Construct

    from ..s3_items import S3Items

_ANY_KEY = "an execution's input names the object; those below the prefix alone are meant"
_GATHERING = ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem")


def grant_roll(grantee: iam.IGrantable, claims: dynamodb.ITable) -> None:
    """Read what has become of many items at once."""
    give(grantee, ("dynamodb:BatchGetItem",), [claims.table_arn])


def grant_gathering(grantee: iam.IGrantable, claims: dynamodb.ITable) -> None:
    """Read what has become of items, lay tombstones, write down what failed and how it ended."""
    give(grantee, _GATHERING, [claims.table_arn])
    grant_table_key(grantee, claims)


def grant_objects(grantee: iam.IGrantable, role: iam.IRole | None, items: S3Items) -> None:
    """Read the objects in which items are."""
    objects = items.bucket.arn_for_objects(f"{items.prefix}*")
    give(grantee, ("s3:GetObject",), [objects])
    if items.bucket.encryption_key is not None:
        items.bucket.encryption_key.grant(grantee, "kms:Decrypt")
    acknowledge_wildcard(policy_of(role), objects, _ANY_KEY)


def executions_of(machine: sfn.StateMachine) -> str:
    """The ARN of all executions, with those of a distributed map's children."""
    return Stack.of(machine).format_arn(
        service="states",
        resource="execution",
        resource_name=f"{machine.state_machine_name}:*",
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )


def policy_of(role: iam.IRole | None) -> Construct:
    """Of a role of ours."""
    return cast("Construct", cast("iam.Role", role).node.find_child("DefaultPolicy"))
