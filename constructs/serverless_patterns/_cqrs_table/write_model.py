"""The table of aggregates and its claims."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam

from .._grants import give, grant_table_key
from .._namespaces import take
from .._tables import define_table
from .existing import AGGREGATES

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from ..defaults import Settings
    from .arguments import Asked

_DECIDES = ("dynamodb:BatchGetItem", "dynamodb:PutItem")


@dataclass(frozen=True, eq=False)
class WriteModel:
    """What commands write."""

    asked: Asked
    table: dynamodb.ITable
    claims: dynamodb.ITable

    def allow_deciding(self, grantee: iam.IGrantable) -> None:
        """One read of aggregate and claim, and one transaction that puts both."""
        self._allow(grantee, _DECIDES, self.table, self.claims)

    def allow_reading(self, grantee: iam.IGrantable) -> None:
        """Aggregates, by key."""
        self._allow(grantee, ("dynamodb:BatchGetItem", "dynamodb:GetItem"), self.table)

    def allow_stamping(self, grantee: iam.IGrantable) -> None:
        """All aggregates, and the first version of those that have none."""
        self._allow(
            grantee, ("dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Scan", "dynamodb:UpdateItem"), self.table
        )

    @property
    def own_table(self) -> list[dynamodb.ITable]:
        """None for one that was there before, whose name somebody may have given."""
        return [self.table] if self.asked.table is None else []

    @property
    def own_claims(self) -> list[dynamodb.ITable]:
        """Likewise."""
        return [self.claims] if self.asked.once.claims is None else []

    @property
    def env(self) -> dict[str, str]:
        """What every function that reads or writes aggregates is told."""
        return self.asked.env(self.table.table_name)

    @property
    def command_env(self) -> dict[str, str]:
        """What those that decide are told."""
        return {**self.env, **self.asked.command_env(), **self.asked.once.env(self.claims)}

    def _allow(self, grantee: iam.IGrantable, actions: tuple[str, ...], *tables: dynamodb.ITable) -> None:
        give(grantee, actions, [table.table_arn for table in tables])
        for table in tables:
            grant_table_key(grantee, table)


def define_write_model(scope: Construct, asked: Asked, settings: Settings, key: kms.IKey | None) -> WriteModel:
    """The table, with its stream, and the claims: each of our own, or the given one."""
    removal = settings.removal_policy
    table: dynamodb.ITable = asked.table or define_table(
        scope,
        "Table",
        asked.key,
        key=key,
        removal_policy=removal,
        time_to_live=asked.time_to_live_attribute,
        stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
    )
    take(scope, table, AGGREGATES)
    return WriteModel(asked, table, asked.once.define(scope, key=key, removal_policy=removal))
