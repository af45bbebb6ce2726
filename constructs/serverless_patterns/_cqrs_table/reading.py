"""Who reads a view: functions of the user's, and those of ours behind routes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from serverless_patterns_runtime.cqrs_queries.contract import Reading

from .._grants import give, grant_table_key
from .._told import tell_asked

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_lambda as lambda_

    from .seen import Seen

_ROWS = ("dynamodb:GetItem", "dynamodb:Query")
_POINTER = ("dynamodb:GetItem",)
_ALL = ("dynamodb:Scan",)


@dataclass(frozen=True, eq=False)
class Readable:
    """A view with its tables."""

    seen: Seen
    table: dynamodb.ITable
    control: dynamodb.ITable

    def grant(self, grantee: iam.IGrantable) -> iam.Grant:
        """Find out which generation is read, and read its rows by key."""
        for table in (self.table, self.control):
            grant_table_key(grantee, table)
        return give(grantee, _ROWS, [self.table.table_arn]).combine(give(grantee, _POINTER, [self.control.table_arn]))

    def grant_all(self, grantee: iam.IGrantable) -> iam.Grant:
        """The same, and read all of its rows."""
        return self.grant(grantee).combine(give(grantee, _ALL, [self.table.table_arn]))

    def told(self) -> Reading:
        """As `read_view` and the builder of a document read it."""
        seen = self.seen
        return Reading(
            view=seen.name,
            kind=seen.kind,
            pk=seen.partition_key,
            sk=seen.sort_key or "",
            sk_type="N" if seen.number else "S",
            table=self.table.table_name,
            control=self.control.table_name,
        )

    def as_grant(self, name: str) -> Callable[[lambda_.Function], object]:
        """For `Handler(grants=[...])`: the permission, and the variable that `read_view` is given the name of."""

        def grant(function: lambda_.Function) -> None:
            self.grant(cast(iam.IGrantable, function))
            told = Stack.of(function).to_json_string(self.told())
            tell_asked(function, "view", name, told, [self.table, self.control])

        return grant
