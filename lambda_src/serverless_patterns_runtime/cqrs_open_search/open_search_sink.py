"""Rows in OpenSearch: an index for each generation, and an alias that shows the live one."""

import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from serverless_patterns_runtime.cqrs_open_search.connection import OpenSearchConnection
from serverless_patterns_runtime.cqrs_open_search.contract import ABOUT
from serverless_patterns_runtime.cqrs_open_search.documents import PARTS, decide, document_of, id_of, row_of
from serverless_patterns_runtime.cqrs_open_search.index_requests import IndexRequests, Write
from serverless_patterns_runtime.cqrs_open_search.indexes import Indexes
from serverless_patterns_runtime.cqrs_views import contract
from serverless_patterns_runtime.cqrs_views.refusals import contested_of
from serverless_patterns_runtime.cqrs_views.sink import (
    Contested,
    Page,
    RowChange,
    RowKey,
    SinkUnavailable,
    StoredRow,
    Unstorable,
)

__all__ = ["OpenSearchSink"]

MOST_AT_ONCE = 500
MOST_BYTES_AT_ONCE = 5 * 1024 * 1024
"""Of a request. Small domains take 10 MiB."""

PAGE = 50
"""Whole documents in an answer: 20 MB at most."""

ROUNDS = 10
"""Each in which a change is not written, another one of the same row is."""

PURGED_WITH_EACH = 2
"""Tombstones that go for each that comes: so there are never many whose time has ended."""

Wanted = Mapping[str, Sequence[tuple[RowChange, str]]]
"""By id, changes of one row, each with its document."""


class OpenSearchSink(NamedTuple):
    """A port of `Sink`. A batch is read and then written, each write on condition that nothing has changed since."""

    connection: OpenSearchConnection
    indexes: Indexes
    has_sort: bool
    clock: Callable[[], float] = time.time
    new_mark: Callable[[], str] = partial(secrets.token_hex, 8)

    def prepare(self, generation: int) -> None:
        self.indexes.make(generation)

    def publish(self, generation: int) -> None:
        self.indexes.show(generation)

    def drop(self, generation: int, segment: int, segments: int, resume: str | None) -> str | None:  # noqa: ARG002
        if segment == 0:  # an index goes at once
            self.indexes.drop(generation)
        return None

    def write(self, generation: int, changes: Sequence[RowChange]) -> Sequence[Contested]:
        unstorable: list[Unstorable] = []
        refused = self._refused(generation, changes, unstorable)
        if gone := sum(change.row is None for change in changes):
            self._purge(generation, gone * PURGED_WITH_EACH)
        again = partial(self._refused, generation, unstorable=unstorable)
        contested = contested_of(refused, partial(self.read, generation), again)
        if unstorable:
            raise unstorable[0]
        return contested

    def replace_tombstone(self, generation: int, change: RowChange, seen: StoredRow) -> bool:
        id = id_of(change.key)
        there = self._index(generation).standing([id])[id]
        if there is None or there[:3] != (seen.source, seen.version, seen.mark):
            return False
        refused: list[Unstorable] = []
        lost = self._index(generation).write({id: (there.sequence, self._document(id, change))}, refused)
        if refused:
            raise refused[0]
        return not lost

    def read(self, generation: int, keys: Sequence[RowKey]) -> Sequence[StoredRow | None]:
        ids = {key: id for key in keys if (id := _id_or_none(key)) is not None}
        found: dict[str, StoredRow] = {}
        index = self._index(generation)
        wanted = [*dict.fromkeys(ids.values())]
        for start in range(0, len(wanted), PAGE):
            asked = wanted[start : start + PAGE]
            for id, hit in zip(asked, index.get(asked), strict=True):
                if hit["found"]:
                    found[id] = row_of(hit, has_sort=self.has_sort)
        return [found.get(ids.get(key, "")) for key in keys]

    def rows(self, generation: int, segment: int, segments: int, resume: str | None) -> Page:
        index = self._index(generation)
        if resume is None:  # a search sees no more than the last refresh
            index.refresh()
        part = {"gte": PARTS * segment // segments, "lt": PARTS * (segment + 1) // segments}
        query: dict[str, Any] = {"query": {"range": {f"{ABOUT}.part": part}}}
        query["sort"] = [{f"{ABOUT}.part": "asc"}, {f"{ABOUT}.id": "asc"}]
        if resume is not None:
            query["search_after"] = json.loads(resume)
        hits = index.search({**query, "size": PAGE})
        rows = [row_of(hit, has_sort=self.has_sort) for hit in hits]
        return Page(rows, json.dumps(hits[-1]["sort"]) if len(hits) == PAGE else None)

    def _document(self, id: str, change: RowChange) -> str:
        gone = change.row is None
        return document_of(id, change, self.new_mark() if gone else "", int(self.clock()) + contract.TOMBSTONE_SECONDS)

    def _refused(
        self, generation: int, changes: Sequence[RowChange], unstorable: list[Unstorable]
    ) -> Sequence[RowChange]:
        wanted: dict[str, list[tuple[RowChange, str]]] = {}
        for change in changes:
            try:
                id = id_of(change.key)
                document = self._document(id, change)
                wanted.setdefault(id, []).append((change, document))
            except Unstorable as error:
                unstorable.append(error)
        return [one for batch in _batches(wanted) for one in self._write(generation, batch, unstorable)]

    def _write(self, generation: int, wanted: Wanted, unstorable: list[Unstorable]) -> Sequence[RowChange]:
        """Those that were not written because another aggregate has their place."""
        contested: list[RowChange] = []
        index = self._index(generation)
        for _ in range(ROUNDS):
            standing = index.standing([*wanted])
            writes: dict[str, Write] = {}
            others: dict[str, Sequence[RowChange]] = {}
            for id, changes in wanted.items():
                there = standing[id]
                last, others[id] = decide(there, changes)
                if last is not None:
                    writes[id] = None if there is None else there.sequence, last
            lost = index.write(writes, unstorable)
            contested += [change for id, some in others.items() if id not in lost for change in some]
            wanted = {id: wanted[id] for id in wanted if id in lost}
            if not wanted:
                return contested
        raise SinkUnavailable("others change the same rows, again and again")

    def _purge(self, generation: int, most: int) -> None:
        """Delete tombstones whose time has ended, if a search sees some."""
        index = self._index(generation)
        ended = {"range": {f"{ABOUT}.expires_at": {"lt": int(self.clock())}}}
        found = index.search({"query": ended, "size": most, "_source": [ABOUT]})
        index.delete([hit for hit in found if hit["_source"][ABOUT].get("deleted")])

    def _index(self, generation: int) -> IndexRequests:
        return IndexRequests(self.connection, self.indexes.rows(generation))


def _batches(wanted: Wanted) -> Iterator[Wanted]:
    batch: dict[str, Sequence[tuple[RowChange, str]]] = {}
    size = 0
    for id, changes in wanted.items():
        length = max(len(document.encode()) for _, document in changes)
        if batch and (len(batch) == MOST_AT_ONCE or size + length > MOST_BYTES_AT_ONCE):
            yield batch
            batch, size = {}, 0
        batch[id] = changes
        size += length
    if batch:
        yield batch


def _id_or_none(key: RowKey) -> str | None:
    """None: no document can have this key."""
    try:
        return id_of(key)
    except Unstorable:
        return None
