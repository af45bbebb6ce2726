"""What functions of ours may do with a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .._grants import give, grant_table_key

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_iam as iam


def allow(grantee: iam.IGrantable, actions: Sequence[str], table: dynamodb.ITable) -> iam.Grant:
    """These actions on this table, with its customer key."""
    given = give(grantee, actions, [table.table_arn])
    grant_table_key(grantee, table)
    return given
