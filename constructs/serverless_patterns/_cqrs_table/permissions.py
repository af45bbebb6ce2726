"""What functions of ours may do, in one policy each: `add_to_role_policy` of the CDK may make another one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aws_cdk import aws_iam as iam

from .._grants import grant_table_key

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_lambda as lambda_


def give(function: lambda_.Function, actions: Sequence[str], resources: list[str]) -> None:
    """These actions on these resources."""
    iam.Grant.add_to_principal(grantee=function, actions=[*actions], resource_arns=resources)


def allow(function: lambda_.Function, actions: Sequence[str], table: dynamodb.ITable) -> None:
    """These actions on this table, with its customer key."""
    give(function, actions, [table.table_arn])
    grant_table_key(function, table)
