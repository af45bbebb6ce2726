"""Totals: each group is some shards, which are added up when it is read."""

from collections.abc import Iterator, Mapping
from decimal import Context, Decimal
from typing import Any, NamedTuple

from serverless_patterns_runtime.attribute_values import AttributeValue, deserialize, deserialize_item
from serverless_patterns_runtime.cqrs_queries.reading import scanned
from serverless_patterns_runtime.cqrs_table.aggregate import plain
from serverless_patterns_runtime.cqrs_views import contract as views
from serverless_patterns_runtime.cqrs_views.row_items import prefix_of

__all__ = ["Counted", "Measures", "Totals"]

Measures = dict[str, int | Decimal]

_EXACT = Context(prec=120)
"""Of ten sums with 38 digits each, none is lost."""


class Counted(NamedTuple):
    """What an aggregate contributes, as it is counted."""

    version: int
    """0: it never was."""
    amounts: Mapping[str, Measures]


class Totals(NamedTuple):
    dynamodb: Any
    table_name: str

    def of(self, generation: int, group: str) -> Measures:
        """As of now. Empty: nothing has been contributed, or what was is gone again."""
        answer = self.dynamodb.query(
            TableName=self.table_name,
            KeyConditionExpression="#pk = :pk",
            ExpressionAttributeNames={"#pk": views.ROW_PARTITION},
            ExpressionAttributeValues={":pk": {"S": f"{_beginning(generation)}{group}"}},
            ConsistentRead=True,
        )
        measures: Measures = {}
        for item in answer["Items"]:
            _add(measures, item)
        return _shown(measures)

    def contribution(self, generation: int, source: str) -> Counted:
        """As of now: a sum that is read after this has it in it."""
        key = {
            views.ROW_PARTITION: {"S": f"{prefix_of(generation)}{views.CONTRIBUTION}#{source}"},
            views.ROW_SORT: {"N": "0"},
        }
        answer = self.dynamodb.get_item(TableName=self.table_name, Key=key, ConsistentRead=True)
        item = plain(deserialize_item(answer.get("Item", {})))
        return Counted(item[views.ROW_ABOUT][views.ROW_VERSION], item[views.AMOUNTS]) if item else Counted(0, {})

    def every(self, generation: int) -> Iterator[tuple[str, Measures]]:
        """All groups, in no order. Each is at least as new as the moment this begins."""
        beginning = _beginning(generation)
        groups: dict[str, Measures] = {}
        for item in scanned(self.dynamodb, self.table_name, beginning):
            _add(groups.setdefault(item[views.ROW_PARTITION]["S"].removeprefix(beginning), {}), item)
        for group, measures in groups.items():
            if shown := _shown(measures):
                yield group, shown


def _beginning(generation: int) -> str:
    return f"{prefix_of(generation)}{views.TOTAL}#"


def _add(measures: Measures, item: Mapping[str, AttributeValue]) -> None:
    for name, value in item.items():
        if name not in _KEYS and "N" in value:
            measures[name] = plain(_EXACT.add(Decimal(measures.get(name, 0)), deserialize(value)))


def _shown(measures: Measures) -> Measures:
    """What was contributed and taken away again leaves a zero, which a rebuild would not have."""
    return {name: amount for name, amount in measures.items() if amount}


_KEYS = (views.ROW_PARTITION, views.ROW_SORT, views.TIME_TO_LIVE)
