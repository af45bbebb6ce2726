"""Rows of one partition, in order, page by page, as of now; tombstones are passed over."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from serverless_patterns_runtime.attribute_values import AttributeValue, deserialize, serialize
from serverless_patterns_runtime.cqrs_queries.tokens import SortValue
from serverless_patterns_runtime.cqrs_table.aggregate import plain
from serverless_patterns_runtime.cqrs_views import contract as views
from serverless_patterns_runtime.cqrs_views.row_items import item_key, prefix_of, row_of
from serverless_patterns_runtime.cqrs_views.sink import RowKey, StoredRow
from serverless_patterns_runtime.limits import item_size

__all__ = ["Found", "Rows", "SortRange", "in_page", "scanned"]

ENOUGH_BYTES = 1_000_000
"""A page of large rows ends here, before it is full: a function answers 6 MB, and JSON is longer than items."""

LAST_SECONDS = 2.0
"""Of an invocation: a page that has passed over very many tombstones ends before it is full."""


class SortRange(NamedTuple):
    """Both ends belong to it."""

    first: SortValue | None = None
    last: SortValue | None = None
    prefix: str | None = None

    @property
    def is_empty(self) -> bool:
        """DynamoDB refuses to look for what is between the higher and the lower one."""
        return self.first is not None and self.last is not None and _order(self.first) > _order(self.last)

    def has(self, sort: Any) -> bool:
        if sort is None:
            return True
        return (
            (self.first is None or _order(self.first) <= _order(sort))
            and (self.last is None or _order(sort) <= _order(self.last))
            and (self.prefix is None or sort.startswith(self.prefix))
        )


class Found(NamedTuple):
    rows: Sequence[StoredRow]
    seen: Sequence[StoredRow]
    """The same, and the tombstones between them."""
    more: bool
    upto: SortValue | None
    """With more: the last sort key of what was looked at."""


class Rows(NamedTuple):
    dynamodb: Any
    table_name: str
    has_sort: bool
    """Whether the view has a sort key."""

    def page(
        self,
        generation: int,
        partition: str,
        between: SortRange,
        limit: int,
        *,
        after: SortValue | None = None,
        descending: bool = False,
        remaining: Callable[[], float],
    ) -> Found:
        """At most so many rows. Fewer, with more behind them, only where they are large, or time is short."""
        seen: list[StoredRow] = []
        rows: list[StoredRow] = []
        size = 0
        start = None if after is None else item_key(generation, RowKey(partition, after))
        while True:
            answer = self._query(generation, partition, between, limit + 1 - len(rows), start, descending)
            for item in answer["Items"]:
                seen.append(self._row(item))
                if seen[-1].row is not None:
                    rows.append(seen[-1])
                size += item_size(item)
            start = answer.get("LastEvaluatedKey")
            if len(rows) > limit:
                last = seen.index(rows[limit - 1]) + 1
                return Found(rows[:limit], seen[:last], True, rows[limit - 1].key.sort)
            if start is None:
                return Found(rows, seen, False, None)
            if size >= ENOUGH_BYTES or remaining() < LAST_SECONDS:
                return Found(rows, seen, True, plain(deserialize(start[views.ROW_SORT])))

    def get(self, generation: int, partition: str, sort: SortValue | None) -> StoredRow | None:
        """The row with exactly this key; of a tombstone nothing."""
        key = item_key(generation, RowKey(partition, sort))
        item = self.dynamodb.get_item(TableName=self.table_name, Key=key, ConsistentRead=True).get("Item")
        row = None if item is None else self._row(item)
        return None if row is None or row.row is None else row

    def every(self, generation: int) -> Iterator[StoredRow]:
        """All rows of a generation, in no order. Each is at least as new as the moment this begins."""
        for item in scanned(self.dynamodb, self.table_name, prefix_of(generation)):
            row = self._row(item)
            if row.row is not None:
                yield row

    def _query(
        self,
        generation: int,
        partition: str,
        between: SortRange,
        limit: int,
        start: Mapping[str, AttributeValue] | None,
        descending: bool,
    ) -> dict[str, Any]:
        condition, values = _condition(between)
        names = {"#pk": views.ROW_PARTITION} | ({"#sk": views.ROW_SORT} if condition else {})
        more = {} if start is None else {"ExclusiveStartKey": start}
        return self.dynamodb.query(
            TableName=self.table_name,
            KeyConditionExpression="#pk = :pk" + condition,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={":pk": {"S": prefix_of(generation) + partition}, **values},
            ConsistentRead=True,
            ScanIndexForward=not descending,
            Limit=limit,
            **more,
        )

    def _row(self, item: Mapping[str, AttributeValue]) -> StoredRow:
        return row_of(item, has_sort=self.has_sort)


def _condition(between: SortRange) -> tuple[str, dict[str, AttributeValue]]:
    """A query has one condition on the sort key."""
    match between:
        case SortRange(None, None, None):
            return "", {}
        case SortRange(None, None, prefix):
            return " AND begins_with(#sk, :prefix)", {":prefix": {"S": prefix}}
        case SortRange(first, None, _):
            return " AND #sk >= :first", {":first": serialize(first)}
        case SortRange(None, last, _):
            return " AND #sk <= :last", {":last": serialize(last)}
        case SortRange(first, last, _):
            return " AND #sk BETWEEN :first AND :last", {":first": serialize(first), ":last": serialize(last)}


def scanned(dynamodb: Any, table_name: str, beginning: str) -> Iterator[Mapping[str, AttributeValue]]:
    """Items whose partition begins like this: of a table that has another generation too while one is built."""
    start: dict[str, Any] = {}
    while True:
        answer = dynamodb.scan(
            TableName=table_name,
            ConsistentRead=True,
            FilterExpression="begins_with(#pk, :beginning)",
            ExpressionAttributeNames={"#pk": views.ROW_PARTITION},
            ExpressionAttributeValues={":beginning": {"S": beginning}},
            **start,
        )
        yield from answer["Items"]
        if "LastEvaluatedKey" not in answer:
            return
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def in_page(key: RowKey, between: SortRange, after: SortValue | None, found: Found, *, descending: bool) -> bool:
    """Whether a row with this key of the same partition would be on the page."""
    if key.sort is None:
        return after is None
    if after is not None and not _behind(key.sort, after, descending):
        return False
    if found.more and found.upto is not None and _behind(key.sort, found.upto, descending):
        return False
    return between.has(key.sort)


def _behind(sort: SortValue, other: SortValue, descending: bool) -> bool:
    return _order(sort) < _order(other) if descending else _order(sort) > _order(other)


def _order(sort: SortValue) -> Any:
    """As DynamoDB has it: text by its bytes."""
    return sort.encode() if isinstance(sort, str) else sort
