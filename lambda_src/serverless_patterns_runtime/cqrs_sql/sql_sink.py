"""Rows in PostgreSQL: a table for each generation, and an SQL view that shows the live one."""

import json
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple, cast

from serverless_patterns_runtime.cqrs_sql.definitions import Definitions
from serverless_patterns_runtime.cqrs_sql.row_json import change_json, key_json, sort_text, stored_row
from serverless_patterns_runtime.cqrs_sql.statement import Connection
from serverless_patterns_runtime.cqrs_sql.statements import Statements
from serverless_patterns_runtime.cqrs_views import contract
from serverless_patterns_runtime.cqrs_views.refusals import contested_of
from serverless_patterns_runtime.cqrs_views.sink import (
    Contested,
    Page,
    RowChange,
    RowKey,
    StoredRow,
    Unstorable,
)

__all__ = ["SqlSink"]

MOST_AT_ONCE = 500
MOST_BYTES_AT_ONCE = 512 * 1024
"""Of a request. The Data API takes 4 MiB, and text may become six times as long in its JSON."""

MOST_BYTES_READ = 320 * 1024
"""Of an answer. The Data API gives 1 MiB of JSON, where text may take three times the space."""

PAGE = 500
PURGED_WITH_EACH = 2
"""Tombstones that go for each that comes: so there are never many whose time has ended."""

_LOWEST, _HASHES = -(2**31), 2**32


class SqlSink(NamedTuple):
    """A port of `Sink`. A batch is one statement."""

    connection: Connection
    statements: Statements
    definitions: Definitions
    most_row_bytes: int | None = None
    clock: Callable[[], float] = time.time
    new_mark: Callable[[], str] = partial(secrets.token_hex, 8)

    def prepare(self, generation: int) -> None:
        self.definitions.make(generation)

    def publish(self, generation: int) -> None:
        self.definitions.show(generation)

    def drop(self, generation: int, segment: int, segments: int, resume: str | None) -> str | None:  # noqa: ARG002
        if segment == 0:  # a table goes at once
            self.definitions.drop(generation)
        return None

    def write(self, generation: int, changes: Sequence[RowChange]) -> Sequence[Contested]:
        contested: list[Contested] = []
        unstorable: Unstorable | None = None
        for together in _without_two_of_a_row(changes):
            known: list[tuple[RowChange, str]] = []
            for change in together:
                try:
                    known.append((change, self._json(change)))
                except Unstorable as error:
                    unstorable = unstorable or error
            for batch in _batches(known):
                try:
                    contested += self._write(generation, batch)
                except Unstorable as error:
                    unstorable = unstorable or error
        if unstorable is not None:
            raise unstorable
        return contested

    def replace_tombstone(self, generation: int, change: RowChange, seen: StoredRow) -> bool:
        changes = f"[{{{self._json(change)}]"
        statement = self.statements.replace(generation, changes, seen.source, seen.version, seen.mark)
        return bool(self.connection.run(statement)[0][0])

    def read(self, generation: int, keys: Sequence[RowKey]) -> Sequence[StoredRow | None]:
        wanted = [key for key in dict.fromkeys(keys) if _may_be_there(key)]
        found: dict[RowKey, StoredRow | None] = {}
        start = 0
        while start < len(wanted):
            asked = wanted[start : start + MOST_AT_ONCE]
            text = f"[{', '.join(key_json(number, key) for number, key in enumerate(asked))}]"
            answered = self.connection.run(self.statements.read(generation, text, MOST_BYTES_READ))
            for number, *columns, _ in answered:
                key = asked[cast("int", number)]
                found[key] = None if columns[0] is None else self._row(columns)
            start += len(answered)
        return [found.get(key) for key in keys]

    def rows(self, generation: int, segment: int, segments: int, resume: str | None) -> Page:
        part = _LOWEST + _HASHES * segment // segments, _LOWEST + _HASHES * (segment + 1) // segments - 1
        after = None if resume is None else cast("tuple[str, str]", tuple(json.loads(resume)))
        found = self.connection.run(self.statements.page(generation, part, after, PAGE, MOST_BYTES_READ))
        rows = [self._row(columns) for _, *columns, _ in found]
        return Page(rows, json.dumps([rows[-1].key.partition, sort_text(rows[-1].key)]) if rows else None)

    def _write(self, generation: int, batch: Sequence[tuple[RowChange, str]]) -> Sequence[Contested]:
        """One statement; those that are refused together, each by itself, so that the others are written."""
        try:
            refused = self._refused(generation, batch)
        except Unstorable:
            if len(batch) == 1:
                raise
            return self._write_each(generation, batch)
        gone = sum(change.row is None for change, _ in batch)
        if gone:
            self.connection.run(self.statements.purge(generation, int(self.clock()), gone * PURGED_WITH_EACH))

        def again(some: Sequence[RowChange]) -> Sequence[RowChange]:
            return self._refused(generation, [(change, self._json(change)) for change in some])

        return contested_of(refused, partial(self.read, generation), again)

    def _refused(self, generation: int, batch: Sequence[tuple[RowChange, str]]) -> Sequence[RowChange]:
        texts = [f'{{"n": {number}, {text}' for number, (_, text) in enumerate(batch)]
        refused = self.connection.run(self.statements.write(generation, f"[{', '.join(texts)}]"))
        return [batch[cast("int", number)][0] for (number,) in refused]

    def _write_each(self, generation: int, batch: Sequence[tuple[RowChange, str]]) -> Sequence[Contested]:
        contested: list[Contested] = []
        unstorable: Unstorable | None = None
        for one in batch:
            try:
                contested += self._write(generation, [one])
            except Unstorable as error:
                unstorable = unstorable or error
        if unstorable is not None:
            raise unstorable
        return contested

    def _json(self, change: RowChange) -> str:
        """Without its number. Raises Unstorable."""
        gone = change.row is None
        expires_at = int(self.clock()) + contract.TOMBSTONE_SECONDS if gone else None
        text = change_json(change, self.new_mark() if gone else "", expires_at)
        if self.most_row_bytes is not None and len(text.encode()) > self.most_row_bytes:
            raise Unstorable(f"a row and its keys take at most {self.most_row_bytes:,} bytes with the Data API")
        return text

    def _row(self, columns: Sequence[Any]) -> StoredRow:
        return stored_row(columns, self.statements.sort)


def _without_two_of_a_row(changes: Sequence[RowChange]) -> list[list[RowChange]]:
    """PostgreSQL refuses a statement that writes a row twice."""
    rounds: list[list[RowChange]] = []
    count: dict[RowKey, int] = {}
    for change in changes:
        number = count[change.key] = count.get(change.key, -1) + 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(change)
    return rounds


def _batches(known: Sequence[tuple[RowChange, str]]) -> Iterator[Sequence[tuple[RowChange, str]]]:
    batch: list[tuple[RowChange, str]] = []
    size = 0
    for change, text in known:
        length = len(text.encode())
        if batch and (len(batch) == MOST_AT_ONCE or size + length > MOST_BYTES_AT_ONCE):
            yield batch
            batch, size = [], 0
        batch.append((change, text))
        size += length
    if batch:
        yield batch


def _may_be_there(key: RowKey) -> bool:
    """PostgreSQL's text has no character 0."""
    return "\0" not in key.partition and not (isinstance(key.sort, str) and "\0" in key.sort)
