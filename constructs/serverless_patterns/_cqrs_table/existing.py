"""A table that was there before: what has to be true of it, as far as that can be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from aws_cdk import Stack
from aws_cdk import aws_dynamodb as dynamodb

from .._namespaces import holder
from .._shapes import told
from .._tables import check_table

if TYPE_CHECKING:
    from constructs import Construct

    from .._checks import Problems

_BOTH = "NEW_AND_OLD_IMAGES"


AGGREGATES = "#aggregates"
"""That a construct has these in a table: no namespace of claims is named so."""


def check_existing(problems: Problems, scope: Construct, table: Any, key: str) -> None:
    """Refuse another key, a table without the stream that projections need, and one that another construct writes."""
    if not hasattr(table, "table_arn"):
        fix = "pass the construct, or one of dynamodb.Table.from_...; leave it out for one of its own"
        problems.add("table", "be a DynamoDB table", told(table), fix)
        return
    check_table(problems, "table", table, key, "an aggregate is one item: pass key= as the table has it")
    has = holder(scope, problems.where, table, AGGREGATES)
    if has is not None:
        fix = "its commands, views and readers of the stream are one construct's: add them there"
        problems.add("table", "be of one CqrsTable", f"{table.node.path}, which {has} has", fix)
    if table.table_stream_arn is None:
        fix = f"set its stream to {_BOTH}; of an imported one pass table_stream_arn to from_table_attributes"
        problems.add("table", "have a stream", "none", fix)
        return
    kind = _stream_of(table)
    if kind is not None and kind != _BOTH:
        fix = f"a change is projected by what was there before: set its stream to {_BOTH}"
        problems.add("table stream", f"be {_BOTH}", kind, fix)


def _stream_of(table: Any) -> str | None:
    """What its stream holds; `None` when that cannot be seen: of an imported one, and of a `TableV2`."""
    if not isinstance(table, dynamodb.Table):
        return None
    resource = cast(dynamodb.CfnTable, table.node.default_child)
    seen = cast("dict[str, Any] | None", Stack.of(table).resolve(resource.stream_specification))
    return (seen or {}).get("streamViewType")
