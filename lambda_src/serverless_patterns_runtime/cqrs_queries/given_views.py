"""Views in a unit test: rows in memory, read as deployed ones are."""

import time
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from serverless_patterns_runtime.attribute_values import deserialize_item, serialize_item
from serverless_patterns_runtime.cqrs_queries.asking import SortKind, limit_of, partition_of, sort_range, sort_value
from serverless_patterns_runtime.cqrs_queries.contract import DEFAULT_LIMIT
from serverless_patterns_runtime.cqrs_queries.tokens import Asked, Cursor, SortValue, Tokens
from serverless_patterns_runtime.cqrs_queries.view import Page, Sort, Total
from serverless_patterns_runtime.cqrs_table.aggregate import plain
from serverless_patterns_runtime.errors import UnusableResource

__all__ = ["Totals", "View"]

Row = dict[str, Any]
_TOKENS = Tokens(lambda: (b"",), lambda: (), time.time)


class View:
    """Rows of a view: `View(partition_key="customer_id", sort_key="order_id", rows=[{...}])`.

    Raises TypeError for a row without its keys, and for two with the same.
    """

    def __init__(self, *, partition_key: str, sort_key: str | None = None, rows: Iterable[Mapping[str, Any]]) -> None:
        self._partition_key = partition_key
        self._sort_key = sort_key
        self._rows: dict[tuple[str, SortValue | None], Row] = {}
        for row in rows:
            stored = _stored(row)
            if missing := {partition_key, *([sort_key] if sort_key else [])} - stored.keys():
                raise TypeError(f"a row has no {sorted(missing)[0]!r}, which is a key of the view")
            key = (partition_of(stored[partition_key]) or "", stored[sort_key] if sort_key else None)
            if key in self._rows:
                raise TypeError("two rows have the same keys")
            self._rows[key] = stored
        numbers = any(not isinstance(sort, str) for _, sort in self._rows)
        self._kind: SortKind = "" if sort_key is None else "N" if numbers else "S"

    def query(
        self,
        partition: str | int,
        *,
        sort: Sort | None = None,
        limit: int = DEFAULT_LIMIT,
        cursor: str | None = None,
        descending: bool = False,
    ) -> Page:
        between, limit = sort_range(sort, self._kind), limit_of(limit)
        wanted = partition_of(partition) or ""
        asked = Asked("", "", wanted, descending, between.first, between.last, between.prefix)
        after = None if cursor is None else _TOKENS.read(cursor, asked).after
        of_partition = {key: row for (of, key), row in self._rows.items() if of == wanted and between.has(key)}
        order = sorted(of_partition, key=_order, reverse=descending)
        if after is not None:
            order = [key for key in order if (_order(key) < _order(after)) == descending and key != after]
        page = order[:limit]
        more = _TOKENS.write(Cursor(1, page[-1], _TOKENS.expires()), asked) if len(page) < len(order) else None
        return Page([dict(of_partition[key]) for key in page], more)

    def get(self, partition: str | int, sort: str | int | Decimal | None = None) -> Row | None:
        sort_range(sort, self._kind)
        if self._kind:
            sort = sort_value(sort, "the sort key", self._kind)
        found = self._rows.get((partition_of(partition) or "", sort))
        return None if found is None else dict(found)

    def total(self, group: str | int) -> Total:  # noqa: ARG002
        raise UnusableResource("the view has no total: it is of rows, with query(), get() and an iterator")

    def __iter__(self) -> Iterator[Row]:
        return iter([dict(row) for row in self._rows.values()])


class Totals:
    """Totals of groups: `Totals(group="product_id", totals=[{"product_id": "tea", "sold": 3}])`."""

    def __init__(self, *, group: str, totals: Iterable[Mapping[str, Any]]) -> None:
        self._group = group
        self._totals: dict[str, Row] = {}
        for total in totals:
            if group not in total:
                raise TypeError(f"a total has no {group!r}, which its group is known by")
            measures = {name: amount for name, amount in _stored(total).items() if amount or name == group}
            self._totals[str(total[group])] = measures

    def query(self, *_: Any, **__: Any) -> Page:
        raise UnusableResource("the view has no query: it is of totals, with total() and an iterator")

    def get(self, *_: Any, **__: Any) -> Row | None:
        raise UnusableResource("the view has no get: it is of totals, with total() and an iterator")

    def total(self, group: str | int) -> Total:
        return Total({self._group: group, **self._totals.get(str(group), {})})

    def __iter__(self) -> Iterator[Total]:
        return iter([Total(total) for total in self._totals.values()])


def _stored(row: Mapping[str, Any]) -> Row:
    """As DynamoDB gives it back."""
    return plain(deserialize_item(serialize_item(row)))


def _order(sort: SortValue | None) -> Any:
    return sort.encode() if isinstance(sort, str) else sort or 0
