"""Rows of a generation, compared with the aggregates that they come from."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from serverless_patterns_runtime.attribute_values import deserialize, serialize
from serverless_patterns_runtime.cqrs_table.aggregate import Aggregate, plain
from serverless_patterns_runtime.cqrs_views.holding import Found, Place
from serverless_patterns_runtime.cqrs_views.sink import RowKey, Sink, StoredRow
from serverless_patterns_runtime.cqrs_views.views import Row, View

__all__ = ["RowHolding"]

Rows = Mapping[RowKey, Row]


class RowHolding(NamedTuple):
    view: View
    sink: Sink

    def prepare(self, generation: int) -> None:
        self.sink.prepare(generation)

    def publish(self, generation: int) -> None:
        self.sink.publish(generation)

    def drop(self, generation: int, segment: int, segments: int, resume: str | None) -> str | None:
        return self.sink.drop(generation, segment, segments, resume)

    def differences(
        self, generation: int, aggregates: Mapping[str, Aggregate | None], places: Mapping[str, Sequence[Place]]
    ) -> Mapping[str, str]:
        wrong: dict[str, str] = {}
        expected: dict[str, Rows] = {}
        for key, aggregate in aggregates.items():
            with suppress(Exception):  # it has been refused, and counted as such
                expected[key] = self.view.rows(aggregate)
        asked = {key: list(dict.fromkeys([*rows, *map(_key, places.get(key, ()))])) for key, rows in expected.items()}
        every = list(dict.fromkeys(row for rows in asked.values() for row in rows))
        stored = dict(zip(every, self.sink.read(generation, every), strict=True)) if every else {}
        for key, rows in asked.items():
            for row in rows:
                difference = _difference(aggregates[key], expected[key].get(row), stored[row], key)
                if difference:
                    wrong.setdefault(key, difference)
        return wrong

    def found(self, generation: int, segment: int, segments: int, resume: str | None) -> Found:
        page = self.sink.rows(generation, segment, segments, resume)
        places: dict[str, list[Place]] = {}
        for row in page.rows:
            if row.row is not None:
                places.setdefault(row.source, []).append(_place(row.key))
        return Found(places, page.resume)


def _difference(aggregate: Aggregate | None, expected: Row | None, stored: StoredRow | None, key: str) -> str:
    """Empty: there is none."""
    version = None if aggregate is None else aggregate.version
    if stored is not None and stored.source == key and version is not None and stored.version > version:
        return ""  # it has changed since
    if expected is None:
        extra = stored is not None and stored.row is not None and stored.source == key
        return "a row is there that it does not have" if extra else ""
    if stored is None or stored.row is None:
        return "a row is missing"
    if stored.source != key:
        return ""  # contested, and counted as such
    return "" if _as_stored(expected) == stored.row else "a row is not as it should be"


def _as_stored(row: Row) -> Any:
    return plain(deserialize(serialize(row)))


def _place(key: RowKey) -> Place:
    return [key.partition, None if key.sort is None else serialize(key.sort)]


def _key(place: Place) -> RowKey:
    partition, sort = place
    return RowKey(partition, None if sort is None else plain(deserialize(sort)))
