"""A view, as every function that fills it, rebuilds it or reads it sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb

from serverless_patterns_runtime.cqrs_views.contract import (
    ROW_PARTITION,
    ROW_SORT,
    TIME_TO_LIVE,
    Kind,
    ViewTold,
)

from .._tables import define_table
from .sinks import variable_of

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from ..handler import Handler
    from .sinks import ViewSink


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What there is to know of it."""

    name: str
    kind: Kind
    handler: Handler
    """Its project, or contributes."""

    partition_key: str
    sort_key: str | None
    number: bool
    """Whether the sort key is one."""

    sink: ViewSink | None = None
    """None: rows are in a table of DynamoDB."""

    @property
    def told(self) -> ViewTold:
        """As the runtime reads it."""
        sink = "dynamodb" if self.sink is None else variable_of(self.name)
        view = ViewTold(name=self.name, kind=self.kind, call=self.handler.function, pk=self.partition_key, sink=sink)
        if self.sort_key is not None:
            view["sk"] = self.sort_key
            if self.number:
                view["sk_type"] = "N"
        return view

    def place(self, table: dynamodb.ITable | None) -> str:
        """What tells where its rows are from anywhere else."""
        return cast("dynamodb.ITable", table).table_name if self.sink is None else self.sink.place

    def define_table(self, scope: Construct, key: kms.IKey | None) -> dynamodb.Table:
        """Where its rows are. It can be filled anew at any time, so it goes with its stack."""
        return define_table(
            scope,
            "Table",
            ROW_PARTITION,
            key=key,
            removal_policy=RemovalPolicy.DESTROY,
            time_to_live=TIME_TO_LIVE,
            sort_key=ROW_SORT,
            sort_key_type=dynamodb.AttributeType.NUMBER if self.number else dynamodb.AttributeType.STRING,
        )
