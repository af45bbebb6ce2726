from decimal import Decimal
from typing import Any

import pytest

from serverless_patterns_runtime.cqrs_views import contract
from serverless_patterns_runtime.cqrs_views.dynamodb_sink import DynamoDbSink
from serverless_patterns_runtime.cqrs_views.sink import (
    Contested,
    RowChange,
    RowKey,
    SinkUnavailable,
    StoredRow,
    Unstorable,
)
from serverless_patterns_runtime.cqrs_views.together import Together

from ...simulation.dynamodb_model import DynamoDB, Table
from .modelled import Modelled, refused

KEY = RowKey("ada", "o-1")
ROW = {"customer": "ada", "order": "o-1", "total": 12}


class Rows:
    """A view's table, and a sink over it."""

    def __init__(self, sort: str | None = "S") -> None:
        self.now = 1_700_000_000.0
        table = Table({"pk": "S", "sk": sort or "S"}, time_to_live="expires_at")
        self.service = DynamoDB({"view": table}, lambda: self.now)
        self.client = Modelled("dynamodb", self.service)
        self.sink = DynamoDbSink(self.client, "view", sort is not None, Together(), lambda: self.now, lambda _: None)

    def there(self, generation: int = 1, *keys: RowKey) -> Any:
        found = self.sink.read(generation, keys or [KEY])
        return found if len(found) != 1 else found[0]


@pytest.fixture
def rows() -> Rows:
    return Rows()


def change(version: int, row: dict[str, Any] | None = ROW, source: str = "o-1", key: RowKey = KEY) -> RowChange:
    return RowChange(key, version, source, row)


def test_a_row_is_read_as_it_was_written(rows: Rows) -> None:
    row = {**ROW, "lines": [{"n": 1, "price": Decimal("1.50")}], "note": None, "paid": True}
    assert not rows.sink.write(1, [change(7, row)])
    assert rows.there() == StoredRow(KEY, 7, "o-1", row)
    assert rows.there(2) is None


def test_one_request_is_made_for_each_change(rows: Rows) -> None:
    rows.sink.write(1, [change(7, key=RowKey("ada", f"o-{n}")) for n in range(30)])
    assert rows.client.operations == ["PutItem"] * 30


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 2, 1), (2, 3, 1), (3, 1, 2), (1, 3, 3, 2, 1)])
def test_the_highest_version_wins_in_any_order(rows: Rows, order: tuple[int, ...]) -> None:
    states = {1: {**ROW, "total": 1}, 2: None, 3: {**ROW, "total": 3}}
    for version in order:
        assert not rows.sink.write(1, [change(version, states[version])])
    assert rows.there() == StoredRow(KEY, 3, "o-1", states[3])


def test_a_tombstone_refuses_an_earlier_row_and_ends_in_a_week(rows: Rows) -> None:
    rows.sink.write(1, [change(2, None)])
    assert not rows.sink.write(1, [change(1)])
    assert rows.there().row is None
    (item,) = rows.service.tables["view"].items.values()
    assert item[contract.TIME_TO_LIVE] == {"N": str(int(rows.now) + 7 * 24 * 3600)}


def test_another_aggregates_row_is_left_alone_and_told(rows: Rows) -> None:
    rows.sink.write(1, [change(5)])
    theirs = rows.there()
    assert rows.sink.write(1, [change(9, {**ROW, "total": 9}, "o-2")]) == [
        Contested(change(9, {**ROW, "total": 9}, "o-2"), theirs)
    ]
    assert not rows.sink.write(1, [change(9, None, "o-2")])
    assert rows.there() == theirs


def test_another_aggregates_tombstone_is_told_to_rows_and_tombstones(rows: Rows) -> None:
    rows.sink.write(1, [change(5, None)])
    theirs = rows.there()
    for mine in (change(9, ROW, "o-2"), change(9, None, "o-2")):
        assert rows.sink.write(1, [mine]) == [Contested(mine, theirs)]
    assert rows.there() == theirs


def test_exactly_the_tombstone_that_was_seen_is_replaced(rows: Rows) -> None:
    rows.sink.write(1, [change(5, None)])
    seen = rows.there()
    mine = change(3, ROW, "o-2")
    for other in (seen._replace(mark="another"), seen._replace(version=6), seen._replace(source="o-3")):
        assert not rows.sink.replace_tombstone(1, mine, other)
    assert rows.sink.replace_tombstone(1, mine, seen)
    assert rows.there() == StoredRow(KEY, 3, "o-2", ROW)
    assert not rows.sink.replace_tombstone(1, mine, seen)


def test_no_two_tombstones_are_the_same(rows: Rows) -> None:
    marks = set()
    for version in range(5):
        rows.sink.write(1, [change(version, None)])
        marks.add(rows.there().mark)
    assert len(marks) == 5


def test_a_tombstone_whose_time_has_come_is_not_replaced(rows: Rows) -> None:
    rows.sink.write(1, [change(5, None)])
    seen = rows.there()
    rows.service.tables["view"].items.clear()
    assert not rows.sink.replace_tombstone(1, change(9, ROW, "o-2"), seen)
    assert not rows.sink.write(1, [change(9, ROW, "o-2")])


@pytest.mark.parametrize(
    "row",
    [{"pk": "x"}, {"_row": {}}, {"expires_at": 5}, {"x": object()}, {"x": "x" * 410_000}],
    ids=["pk", "_row", "expires_at", "no type", "too large"],
)
def test_a_row_that_cannot_be_kept_says_so_and_the_others_are_written(rows: Rows, row: dict[str, Any]) -> None:
    row = ROW | row
    others = [change(1, key=RowKey("ada", f"o-{n}")) for n in (2, 3)]
    with pytest.raises(Unstorable) as raised:
        rows.sink.write(1, [others[0], change(1, row), others[1]])
    assert "xxx" not in str(raised.value)
    assert all(rows.there(1, *[other.key for other in others]))


def test_a_sort_key_of_another_type_is_unstorable() -> None:
    with pytest.raises(Unstorable):
        Rows("N").sink.write(1, [change(1)])


@pytest.mark.parametrize("sort", [3, Decimal("1.5"), -2])
def test_numbers_sort(sort: Any) -> None:
    rows = Rows("N")
    key = RowKey("ada", sort)
    rows.sink.write(1, [change(1, key=key)])
    assert rows.there(1, key).key == key


def test_a_view_without_a_sort_key_has_one_row_a_partition() -> None:
    rows = Rows(None)
    rows.sink.write(1, [change(1, key=RowKey("ada#1", None))])
    assert rows.there(1, RowKey("ada#1", None)).key == RowKey("ada#1", None)


def test_a_sort_key_may_be_a_dash(rows: Rows) -> None:
    rows.sink.write(1, [change(1, key=RowKey("ada", "-"))])
    assert rows.there(1, RowKey("ada", "-")).key == RowKey("ada", "-")


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalServerError", "AccessDeniedException"])
def test_whatever_dynamodb_does_not_do_may_be_asked_again(rows: Rows, code: str) -> None:
    def meets(operation: str, arguments: dict[str, Any]) -> None:
        if operation != "PutItem" or arguments["Item"]["sk"] == {"S": "o-1"}:
            raise refused(code)

    rows.client.meets = meets
    other = change(1, key=RowKey("ada", "o-2"))
    with pytest.raises(SinkUnavailable):
        rows.sink.write(1, [change(1), other])
    with pytest.raises(SinkUnavailable):
        rows.sink.read(1, [KEY])
    with pytest.raises(SinkUnavailable):
        rows.sink.rows(1, 0, 1, None)
    rows.client.meets = lambda *_: None
    assert rows.there(1, KEY, other.key)[0] is None
    assert rows.there(1, KEY, other.key)[1] is not None


@pytest.mark.parametrize("segments", [1, 3])
def test_all_rows_of_a_generation_are_found_and_dropped_and_no_others(rows: Rows, segments: int) -> None:
    keys = {RowKey(f"c{n % 7}", f"o-{n}") for n in range(60)}
    for generation in (1, 2, 11):
        rows.sink.write(generation, [change(1, key=key) for key in keys])
    rows.sink.write(1, [change(2, None, key=RowKey("c0", "o-0"))])
    rows.service.page = 7
    assert paged(rows, segments) == keys
    for segment in range(segments):
        resume = None
        while (resume := rows.sink.drop(1, segment, segments, resume)) is not None:
            pass
    assert paged(rows, segments) == set()
    left = {item["pk"]["S"].partition("#")[0] for item in rows.service.tables["view"].items.values()}
    assert left == {"2", "11"}
    assert len(rows.service.tables["view"].items) == 120


def paged(rows: Rows, segments: int) -> set[RowKey]:
    found: list[RowKey] = []
    for segment in range(segments):
        resume: str | None = None
        while True:
            page = rows.sink.rows(1, segment, segments, resume)
            found += [row.key for row in page.rows]
            resume = page.resume
            if resume is None:
                break
    assert len(found) == len(set(found))
    return set(found)


def test_more_keys_than_a_request_takes_are_read_in_their_order(rows: Rows) -> None:
    keys = [RowKey("ada", f"o-{n}") for n in range(150)]
    rows.sink.write(1, [change(1, key=key) for key in keys[::2]])
    found = rows.sink.read(1, [*keys, keys[0]])
    assert [row.key if row else None for row in found] == [
        key if n % 2 == 0 else None for n, key in enumerate(keys)
    ] + [keys[0]]
