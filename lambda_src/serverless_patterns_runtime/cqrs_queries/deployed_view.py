"""A view as a deployed function reads it."""

import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from serverless_patterns_runtime.cqrs_queries.asking import SortKind, limit_of, partition_of, sort_range, sort_value
from serverless_patterns_runtime.cqrs_queries.contract import DEFAULT_LIMIT, Reading
from serverless_patterns_runtime.cqrs_queries.pages import Pages, Query
from serverless_patterns_runtime.cqrs_queries.pointer import Pointer
from serverless_patterns_runtime.cqrs_queries.reading import LAST_SECONDS, Rows
from serverless_patterns_runtime.cqrs_queries.tokens import Tokens
from serverless_patterns_runtime.cqrs_queries.totals_reading import Totals
from serverless_patterns_runtime.cqrs_queries.view import Page, Sort, Total
from serverless_patterns_runtime.cqrs_views.stores import store_of
from serverless_patterns_runtime.errors import UnusableResource

__all__ = ["DeployedView"]

_NO_SECRET = (b"",)
"""So a cursor is told apart from another query's, by mistake; on purpose anybody can make one, of this query alone."""


class DeployedView:
    def __init__(self, told: Reading, dynamodb: Any, clock: Callable[[], float] = time.time) -> None:
        self._told = told
        store = store_of(told["table"], told["kind"], told["pk"], told["sk"])
        self._pointer = Pointer(dynamodb, told["control"], told["view"], store, clock)
        self._kind: SortKind = told.get("sk_type", "S") if told["sk"] else ""
        self._rows = Rows(dynamodb, told["table"], bool(told["sk"]))
        self._totals = Totals(dynamodb, told["table"])
        tokens = Tokens(lambda: _NO_SECRET, lambda: (), clock)
        self._pages = Pages(told["view"], self._rows, self._pointer, tokens)

    def query(
        self,
        partition: str | int,
        *,
        sort: Sort | None = None,
        limit: int = DEFAULT_LIMIT,
        cursor: str | None = None,
        descending: bool = False,
    ) -> Page:
        self._check("rows", "query")
        between = sort_range(sort, self._kind)
        query = Query(partition_of(partition) or "", between, limit_of(limit), cursor, descending)
        # A function of the user's has its own time to mind.
        looked = self._pages.look(query, lambda: LAST_SECONDS)
        return Page([dict(row.row or {}) for row in looked.found.rows], looked.cursor)

    def get(self, partition: str | int, sort: str | int | Decimal | None = None) -> dict[str, Any] | None:
        self._check("rows", "get")
        sort_range(sort, self._kind)
        if self._kind:
            sort = sort_value(sort, "the sort key", self._kind)
        key = partition_of(partition)
        row = None if key is None else self._rows.get(self._pointer.read().live, key, sort)
        return None if row is None else dict(row.row or {})

    def total(self, group: str | int) -> Total:
        self._check("totals", "total")
        key = partition_of(group)
        measures = {} if key is None else self._totals.of(self._pointer.read().live, key)
        return Total({self._told["pk"]: group, **measures})

    def __iter__(self) -> Iterator[dict[str, Any]]:
        # As of now: a build counts on reading all that was written before it began.
        live = self._pointer.read(fresh=True).live
        if self._told["kind"] == "totals":
            return (Total({self._told["pk"]: group, **measures}) for group, measures in self._totals.every(live))
        return (dict(row.row or {}) for row in self._rows.every(live))

    def _check(self, kind: str, asked: str) -> None:
        if self._told["kind"] != kind:
            has = "query(), get() and an iterator" if kind == "totals" else "total() and an iterator"
            raise UnusableResource(f"{self._told['view']} has no {asked}: it is of {self._told['kind']}, with {has}")
