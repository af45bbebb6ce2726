"""What a sink promises, of models of DynamoDB and of OpenSearch and of a real PostgreSQL server alike."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serverless_patterns_runtime.cqrs_views.sink import Contested, RowChange, RowKey, Sink, StoredRow, Unstorable

from .sinks import KEY, ROW, Store, change, found_in, interfered

SAME_STORE = settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # each example has keys of its own


def test_a_row_is_read_as_it_was_written(store: Store) -> None:
    sink = store.sink()
    row = {
        **ROW,
        "lines": [{"n": 1, "price": Decimal("1.50")}, []],
        "none": None,
        "paid": True,
        "large": 10**30,
        "small": Decimal("1E-30"),
        "digits": Decimal("1234567890.12345678901234567890"),
        "text": "äöü \u2028 \\u0000 \"quoted\" 'too' :name %s 𝄞 \x01",
        store.oddest_name: {},
    }
    assert not sink.write(1, [change(7, row)])
    stored = found_in(sink)
    assert stored == StoredRow(KEY, 7, "o-1", row)
    assert type(stored.row["large"]) is int
    assert type(stored.row["small"]) is Decimal
    assert found_in(sink, generation=2) is None


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1), (3, 1, 2), (1, 3, 3, 2, 1)])
@pytest.mark.parametrize("together", [True, False])
def test_the_highest_version_wins_in_any_order(store: Store, order: tuple[int, ...], together: bool) -> None:
    sink = store.sink()
    states = {1: {**ROW, "total": 1}, 2: None, 3: {**ROW, "total": 3}}
    changes = [change(version, states[version]) for version in order]
    for batch in [changes] if together else [[one] for one in changes]:
        assert not sink.write(1, batch)
    assert found_in(sink) == StoredRow(KEY, 3, "o-1", states[3])


VERSIONS = st.lists(st.tuples(st.integers(1, 6), st.integers(0, 2)), min_size=1, max_size=24)
_runs = iter(range(10**9))


@SAME_STORE
@given(VERSIONS, st.randoms(use_true_random=False), st.integers(1, 5))
def test_any_order_and_any_number_of_writes_ends_in_the_highest_version(
    two_sinks: tuple[Sink, Sink], written: list[tuple[int, int]], random: Any, size: int
) -> None:
    first, second = two_sinks
    run = next(_runs)

    def of(version: int, row: int) -> RowChange:
        content = None if (version + row) % 3 == 0 else {"version": version, "row": row}
        return RowChange(RowKey(f"p{run}", str(row)), version, "a", content)

    changes = [of(*one) for one in [*written, *written]]
    random.shuffle(changes)
    for start in range(0, len(changes), size):
        assert not random.choice([first, second]).write(1, changes[start : start + size])
    for row in range(3):
        highest = max((version for version, number in written if number == row), default=None)
        stored = found_in(first, RowKey(f"p{run}", str(row)))
        if highest is None:
            assert stored is None
        else:
            assert stored._replace(mark="") == StoredRow(*of(highest, row))


def test_a_tombstone_refuses_an_earlier_row(store: Store) -> None:
    sink = store.sink()
    sink.write(1, [change(2, None)])
    assert not sink.write(1, [change(1)])
    assert found_in(sink)[1:4] == (2, "o-1", None)


def test_another_aggregates_row_is_left_alone_and_told(store: Store) -> None:
    sink = store.sink()
    sink.write(1, [change(5)])
    theirs = found_in(sink)
    mine = change(9, {**ROW, "total": 9}, "o-2")
    assert sink.write(1, [mine]) == [Contested(mine, theirs)]
    assert not sink.write(1, [change(9, None, "o-2")])
    assert found_in(sink) == theirs


def test_another_aggregates_tombstone_is_told_to_rows_and_tombstones(store: Store) -> None:
    sink = store.sink()
    sink.write(1, [change(5, None)])
    theirs = found_in(sink)
    for mine in (change(9, ROW, "o-2"), change(9, None, "o-2")):
        assert sink.write(1, [mine]) == [Contested(mine, theirs)]
    assert found_in(sink) == theirs


def test_a_row_twice_in_a_batch_is_the_first_aggregates(store: Store) -> None:
    sink = store.sink()
    mine, theirs = change(1), change(9, {**ROW, "total": 9}, "o-2")
    assert sink.write(1, [mine, theirs, change(2)]) == [Contested(theirs, StoredRow(KEY, 1, "o-1", ROW))] or (
        found_in(sink).version == 2
    )
    assert found_in(sink) == StoredRow(KEY, 2, "o-1", ROW)


def test_exactly_the_tombstone_that_was_seen_is_replaced(store: Store) -> None:
    sink = store.sink()
    sink.write(1, [change(5, None)])
    seen = found_in(sink)
    mine = change(3, ROW, "o-2")
    for other in (seen._replace(mark="another"), seen._replace(version=6), seen._replace(source="o-3")):
        assert not sink.replace_tombstone(1, mine, other)
    assert sink.replace_tombstone(1, mine, seen)
    assert found_in(sink) == StoredRow(KEY, 3, "o-2", ROW)
    assert not sink.replace_tombstone(1, mine, seen)


def test_a_newer_change_is_never_lost_to_an_older_one_that_takes_the_place_over_meanwhile(store: Store) -> None:
    other, sink, mine = store.sink(), store.sink(), change(9, {**ROW, "total": 9})
    for number in range(6):
        key = RowKey("meanwhile", str(number))
        other.write(1, [change(1, None, "o-9", key)])
        seen = found_in(other, key)

        def taken(key: RowKey = key, seen: StoredRow = seen) -> None:
            assert other.replace_tombstone(1, change(5, ROW, key=key), seen)

        contested = interfered(sink, number, taken).write(1, [mine._replace(key=key)])
        there = found_in(other, key)
        assert [one.found for one in contested] == ([] if there.version == 9 else [seen])


def test_a_row_is_never_replaced_as_a_tombstone(store: Store) -> None:
    sink = store.sink()
    sink.write(1, [change(5)])
    assert not sink.replace_tombstone(1, change(9, ROW, "o-2"), found_in(sink))


def test_a_tombstone_may_take_a_tombstones_place(store: Store) -> None:
    sink = store.sink()
    sink.write(1, [change(5, None)])
    assert sink.replace_tombstone(1, change(9, None, "o-2"), found_in(sink))
    assert found_in(sink)[1:4] == (9, "o-2", None)


def test_no_two_tombstones_are_the_same(store: Store) -> None:
    sink = store.sink()
    marks = set()
    for version in range(5):
        sink.write(1, [change(version, None)])
        marks.add(found_in(sink).mark)
    assert len(marks) == 5


@pytest.mark.parametrize("row", [{"x": object()}, {"x": "x" * 410_000}], ids=["no type", "too large"])
def test_a_row_that_cannot_be_kept_says_so_and_the_others_are_written(store: Store, row: dict[str, Any]) -> None:
    sink = store.sink()
    others = [change(1, key=RowKey("ada", f"o-{n}")) for n in (2, 3)]
    with pytest.raises(Unstorable) as raised:
        sink.write(1, [others[0], change(1, ROW | row), others[1]])
    assert "xxx" not in str(raised.value)
    assert all(found_in(sink, *[other.key for other in others]))


@pytest.mark.parametrize("sort", [3, Decimal("1.5"), -2, 10**30, Decimal("-0.000001")])
def test_numbers_are_sort_keys(new_store: Callable[[str | None], Store], sort: Any) -> None:
    sink = prepared(new_store("N"))
    key = RowKey("ada", sort)
    sink.write(1, [change(1, key=key)])
    assert found_in(sink, key).key == key
    assert sink.rows(1, 0, 1, None).rows[0].key == key


def test_a_view_without_a_sort_key_has_one_row_a_partition(new_store: Callable[[str | None], Store]) -> None:
    sink = prepared(new_store(None))
    key = RowKey("ada#1", None)
    sink.write(1, [change(1, key=key)])
    assert found_in(sink, key).key == key


def test_a_sort_key_may_be_a_dash(store: Store) -> None:
    sink = store.sink()
    sink.write(1, [change(1, key=RowKey("ada", "-"))])
    assert found_in(sink, RowKey("ada", "-")).key == RowKey("ada", "-")


def test_keys_differ_by_case_accents_and_blanks(store: Store) -> None:
    sink = store.sink()
    keys = [RowKey(p, s) for p in ("a", "A", "a ", "á", "a\u0301") for s in ("x", "X", " x")]
    assert not sink.write(1, [change(1, {"n": number}, key=key) for number, key in enumerate(keys)])
    assert [row.row["n"] for row in found_in(sink, *keys)] == list(range(len(keys)))


@pytest.mark.parametrize("segments", [1, 3])
def test_all_rows_of_a_generation_are_found_and_dropped_and_no_others(store: Store, segments: int) -> None:
    sink = store.sink()
    keys = {RowKey(f"c{n % 7}", f"o-{n}") for n in range(60)}
    for generation in (1, 2, 11):
        sink.write(generation, [change(1, key=key) for key in keys])
    sink.write(1, [change(2, None, key=RowKey("c0", "o-0"))])
    assert paged(sink, 1, segments) == keys
    for segment in range(segments):
        resume = None
        while (resume := sink.drop(1, segment, segments, resume)) is not None:
            pass
    assert paged(sink, 2, segments) == keys == paged(sink, 11, segments)
    sink.prepare(1)
    assert paged(sink, 1, segments) == set()


def test_more_keys_than_a_request_takes_are_read_in_their_order(store: Store) -> None:
    sink = store.sink()
    keys = [RowKey("ada", f"o-{n}") for n in range(1_100)]
    sink.write(1, [change(1, key=key) for key in keys[::2]])
    found = sink.read(1, [*keys, keys[0]])
    expected = [key if n % 2 == 0 else None for n, key in enumerate(keys)]
    assert [row.key if row else None for row in found] == [*expected, keys[0]]


def test_large_rows_are_written_read_and_paged(store: Store) -> None:
    sink = store.sink()
    keys = [RowKey(f"c{n}", "o") for n in range(40)]
    assert not sink.write(1, [change(1, {"text": "é" * 25_000, "n": n}, key=key) for n, key in enumerate(keys)])
    assert [row.row["n"] for row in found_in(sink, *keys)] == list(range(40))
    assert paged(sink, 1, 2) == {*keys}


def prepared(store: Store) -> Sink:
    sink = store.sink()
    sink.prepare(1)
    return sink


def paged(sink: Sink, generation: int, segments: int) -> set[RowKey]:
    found: list[RowKey] = []
    for segment in range(segments):
        resume: str | None = None
        while True:
            page = sink.rows(generation, segment, segments, resume)
            found += [row.key for row in page.rows]
            resume = page.resume
            if resume is None:
                break
    assert len(found) == len(set(found))
    return set(found)
