"""Totals of one generation: each aggregate's contribution, compared with what is counted.

The sums need no comparing: they change in the transactions that change contributions, and in no others.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from serverless_patterns_runtime.cqrs_table.aggregate import Aggregate
from serverless_patterns_runtime.cqrs_views import contract
from serverless_patterns_runtime.cqrs_views.dynamodb_sink import DynamoDbSink
from serverless_patterns_runtime.cqrs_views.holding import Found, Holding, Place
from serverless_patterns_runtime.cqrs_views.row_holding import RowHolding
from serverless_patterns_runtime.cqrs_views.row_items import prefix_of
from serverless_patterns_runtime.cqrs_views.stores import store_of
from serverless_patterns_runtime.cqrs_views.together import Together
from serverless_patterns_runtime.cqrs_views.totals import Kept, Totals
from serverless_patterns_runtime.cqrs_views.views import Amounts, View

__all__ = ["TotalHolding", "holding_of", "store_of_view"]


class TotalHolding(NamedTuple):
    view: View
    totals: Totals
    together: Together

    def prepare(self, generation: int) -> None: ...

    def publish(self, generation: int) -> None: ...

    def drop(self, generation: int, segment: int, segments: int, resume: str | None) -> str | None:
        table = DynamoDbSink(self.totals.dynamodb, self.totals.table_name, True, self.together)
        return table.drop(generation, segment, segments, resume)

    def differences(
        self,
        generation: int,
        aggregates: Mapping[str, Aggregate | None],
        places: Mapping[str, Sequence[Place]],  # noqa: ARG002  an aggregate has one contribution
    ) -> Mapping[str, str]:
        expected: dict[str, Amounts] = {}
        for key, aggregate in aggregates.items():
            with suppress(Exception):  # it has been refused, and counted as such
                expected[key] = self.view.amounts(aggregate)
        stored = self.together([partial(self.totals.read, generation, key) for key in expected])
        compared = zip(expected.items(), stored, strict=True)
        wrong = [(key, amounts) for (key, amounts), kept in compared if _differs(aggregates[key], amounts, kept)]
        return {key: "it contributes something else" for key, _ in wrong}

    def found(self, generation: int, segment: int, segments: int, resume: str | None) -> Found:
        prefix = f"{prefix_of(generation)}{contract.CONTRIBUTION}#"
        start: dict[str, Any] = {} if resume is None else {"ExclusiveStartKey": json.loads(resume)}
        answer = self.totals.dynamodb.scan(
            TableName=self.totals.table_name,
            Segment=segment,
            TotalSegments=segments,
            ConsistentRead=True,
            FilterExpression="begins_with(#pk, :prefix)",
            ExpressionAttributeNames={"#pk": contract.ROW_PARTITION},
            ExpressionAttributeValues={":prefix": {"S": prefix}},
            **start,
        )
        keys = [item[contract.ROW_PARTITION]["S"].removeprefix(prefix) for item in answer["Items"]]
        last = answer.get("LastEvaluatedKey")
        return Found({key: [[]] for key in keys}, json.dumps(last) if last else None)


def _differs(aggregate: Aggregate | None, expected: Amounts, kept: Kept | None) -> bool:
    if kept is None:
        return bool(expected)
    version = None if aggregate is None else aggregate.version
    newer = version is not None and kept.version > version
    return not newer and kept.amounts != expected


def holding_of(view: View, together: Together) -> Holding:
    if isinstance(view.store, Totals):
        return TotalHolding(view, view.store, together)
    return RowHolding(view, view.store)


def store_of_view(view: View) -> str:
    """As its control item has it; empty: nobody has said."""
    place = view.store.table_name if isinstance(view.store, DynamoDbSink | Totals) else view.place
    return store_of(place, view.kind, view.partition, view.sort) if place else ""
