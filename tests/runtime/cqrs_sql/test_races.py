"""Writers, readers and definitions at once, each with a connection of its own, on a real PostgreSQL server; what every
sink promises, on the model of OpenSearch too.
"""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from serverless_patterns_runtime.cqrs_views.sink import RowChange, RowKey, SinkUnavailable

from .postgres_server import Server
from .sinks import ROW, SqlStore, Store, change, found_in

WRITERS = 4


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Raises what one of them raises."""
    gate = threading.Barrier(len(works))

    def started(work: Callable[[], Any]) -> Any:
        gate.wait(30)
        return work()

    with ThreadPoolExecutor(len(works)) as threads:
        return [one.result() for one in [threads.submit(started, work) for work in works]]


def test_the_highest_version_wins_whoever_writes_it(shared_store: Store) -> None:
    keys = [RowKey("hot", str(number)) for number in range(8)]
    versions = range(1, 13)

    def of(key: RowKey, version: int) -> RowChange:
        gone = (int(str(key.sort)) + version) % 4 == 0
        return RowChange(key, version, "a", None if gone else {"version": version})

    def write(seed: int) -> None:
        sink, chance = shared_store.sink(), random.Random(seed)
        changes = [of(key, version) for key in keys for version in versions]
        chance.shuffle(changes)
        for start in range(0, len(changes), 7):
            assert not sink.write(1, changes[start : start + 7])

    at_once(*[lambda seed=seed: write(seed) for seed in range(WRITERS)])
    for key in keys:
        assert found_in(shared_store.sink(), key)._replace(mark="") == (*of(key, versions[-1]), "")


def test_batches_with_the_same_rows_in_other_orders_do_not_wait_for_each_other_in_a_circle(shared_store: Store) -> None:
    keys = [RowKey("hot", str(number)) for number in range(300)]

    def write(seed: int) -> None:
        sink, chance = shared_store.sink(), random.Random(seed)
        for version in range(1, 6):
            chance.shuffle(keys_ := [*keys])
            sink.write(1, [RowChange(key, version, "a", {"version": version}) for key in keys_])

    at_once(*[lambda seed=seed: write(seed) for seed in range(WRITERS)])
    assert {row.version for row in found_in(shared_store.sink(), *keys)} == {5}


def test_of_two_aggregates_that_want_a_row_one_has_it_and_the_other_is_told(shared_store: Store) -> None:
    sinks = [shared_store.sink() for _ in range(WRITERS)]
    for number in range(20):
        key = RowKey("contested", str(number))
        mine = [change(1, {"n": n}, f"o-{n}", key) for n in range(WRITERS)]
        told = at_once(
            *[lambda sink=sink, one=one: sink.write(1, [one]) for sink, one in zip(sinks, mine, strict=True)]
        )
        there = found_in(sinks[0], key)
        assert [bool(one) for one in told].count(False) == 1
        for n, one in enumerate(told):
            assert bool(one) == (there.source != f"o-{n}")
            assert not one or one[0].found == there


def test_a_tombstones_place_is_taken_by_one(shared_store: Store) -> None:
    sinks = [shared_store.sink() for _ in range(WRITERS)]
    sinks[0].write(1, [change(1, None)])
    seen = found_in(sinks[0])
    taken = at_once(
        *[
            lambda n=n, sink=sink: sink.replace_tombstone(1, change(1, ROW, f"o-{n}"), seen)
            for n, sink in enumerate(sinks)
        ]
    )
    assert taken.count(True) == 1
    assert found_in(sinks[0]).source == f"o-{taken.index(True)}"


def test_a_generation_is_prepared_by_many_at_once(shared_store: Store) -> None:
    sinks = [shared_store.sink() for _ in range(8)]
    for generation in range(2, 7):
        at_once(*[lambda sink=sink, number=generation: sink.prepare(number) for sink in sinks])
        assert not sinks[0].write(generation, [change(1)])


def test_readers_of_the_sql_view_see_one_whole_generation_while_it_is_changed(postgres: Server) -> None:
    store = SqlStore(postgres)
    sink = store.sink()
    generations = range(1, 9)
    for generation in generations:
        sink.prepare(generation)
        sink.write(generation, [change(1, {"g": generation}, key=RowKey("all", str(n))) for n in range(20)])
    sink.publish(1)
    done = threading.Event()

    def read() -> list[int]:
        connection = postgres.connect()
        connection.autocommit = True
        seen: list[int] = []
        try:
            ended = False
            while not ended:
                ended = done.is_set()  # one look more after the last change
                cursor = connection.cursor()
                cursor.execute(f"SELECT (\"row\"->>'g')::int FROM {store.table}")
                rows = cursor.fetchall()
                assert len(rows) == 20
                assert len({number for (number,) in rows}) == 1
                seen.append(rows[0][0])
        finally:
            connection.close()
        return seen

    def publish() -> None:
        try:
            for generation in generations:
                sink.publish(generation)
                if generation > 1:
                    sink.drop(generation - 1, 0, 1, None)
        finally:
            done.set()

    seen, *_ = at_once(read, publish)
    assert seen == sorted(seen)
    assert seen[-1] == generations[-1]


def test_a_reader_that_does_not_end_keeps_nobody_else_from_reading(postgres: Server) -> None:
    store = SqlStore(postgres)
    sink = store.sink()
    for generation in (1, 2):
        sink.prepare(generation)
        sink.write(generation, [change(1, {"g": generation})])
    sink.publish(1)
    slow = postgres.connect()
    try:
        slow.cursor().execute(f"SELECT * FROM {store.table}")
        with pytest.raises(SinkUnavailable, match="55P03"):
            sink.publish(2)
        assert postgres.ask(f"SELECT \"row\"->>'g' FROM {store.table}") == (["1"],)
    finally:
        slow.close()
    sink.publish(2)
    assert postgres.ask(f"SELECT \"row\"->>'g' FROM {store.table}") == (["2"],)
