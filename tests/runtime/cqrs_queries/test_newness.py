"""Read your writes: what a query shows of an aggregate is of the version that was asked for, or of a later one."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serverless_patterns_runtime import PermanentError
from serverless_patterns_runtime.cqrs_queries.newness import LAST_SECONDS, Patience
from serverless_patterns_runtime.cqrs_views.sink import RowKey
from serverless_patterns_runtime.errors import NotNow

from .shop_views import LATEST, Shop, keys, row

State = Mapping[str, Any]
TOO_LATE = "does not show this change yet"


def rows_of(order: State) -> list[dict[str, Any]]:
    return [
        {"customer_id": customer, "order_id": f"{order['order_id']}{at}", "n": n} for customer, at, n in order["rows"]
    ]


class History:
    """Versions of one order, and a view that has got to any of them, row by row."""

    def __init__(self, states: Sequence[list[list[Any]] | None]) -> None:
        self.states = states

    def rows(self, version: int) -> dict[RowKey, dict[str, Any]]:
        state = self.states[version]
        made = [] if state is None else rows_of({"order_id": "o", "rows": state})
        return {RowKey(one["customer_id"], one["order_id"]): one for one in made}

    def changes(self) -> list[tuple[int, RowKey, dict[str, Any] | None]]:
        """What the projector writes: for each version what is different, and what is gone."""
        found = []
        for version in range(1, len(self.states)):
            old, new = self.rows(version - 1), self.rows(version)
            found += [(version, key, one) for key, one in new.items() if old.get(key) != one]
            found += [(version, key, None) for key in old.keys() - new.keys()]
        return found


ROWS = st.lists(
    st.tuples(st.sampled_from("cd"), st.integers(0, 3), st.integers(0, 1)).map(list), max_size=4,
    unique_by=lambda one: (one[0], one[1]),
)  # fmt: skip
HISTORIES = st.lists(st.none() | ROWS, min_size=1, max_size=5).map(lambda states: History([None, *states]))


def write(shop: Shop, change: tuple[int, RowKey, dict[str, Any] | None]) -> None:
    version, key, one = change
    known = shop.dynamodb.tables[shop.table].items.get((f"1#{key.partition}", str(key.sort)))
    if known is None or int(known["_row"]["M"]["version"]["N"]) < version:
        shop.write(one, key, version=version, source="o")


@settings(max_examples=300)
@given(HISTORIES, st.data())
def test_a_page_shows_nothing_older_than_its_min_version_however_far_the_projector_is(
    history: History, data: st.DataObject
) -> None:
    current = len(history.states) - 1
    asked = data.draw(st.integers(1, current), label="min_version")
    shop = Shop(made=rows_of, seconds=1)
    state = history.states[current]
    shop.order("o", current, None if state is None else {"rows": state})
    shop.write(row("n", n=9), RowKey("c", "n"), source="n")
    written = data.draw(st.permutations(history.changes()), label="order")
    for change in written[: data.draw(st.integers(0, len(written)), label="written")]:
        write(shop, change)
    query = data.draw(st.fixed_dictionaries({}, optional={"limit": st.sampled_from(["1", "2"]), "from": st.just("o1")}))
    try:
        shown = {one["order_id"]: one for one in shop.ask(min_version=f"{asked}@o", **query).body["rows"]}
    except NotNow:
        return
    later = [history.rows(version) for version in range(asked, current + 1)]
    last = max(shown, default="") if len(shown) == int(query.get("limit", "50")) else "~"
    for key in {key for of in range(current + 1) for key in history.rows(of)}:
        if key.partition == "c" and query.get("from", "") <= str(key.sort) <= last:
            assert shown.get(str(key.sort)) in [one.get(key) for one in later]


@settings(max_examples=150)
@given(HISTORIES, st.data())
def test_once_the_projector_is_done_every_version_is_shown_at_once(history: History, data: st.DataObject) -> None:
    current = len(history.states) - 1
    shop = Shop(made=rows_of, seconds=1)
    state = history.states[current]
    shop.order("o", current, None if state is None else {"rows": state})
    for change in data.draw(st.permutations(history.changes())):
        write(shop, change)
    for asked in range(1, current + 1):
        for query in ({}, {"limit": "1"}, {"order": "desc", "limit": "2"}, {"to": "o1"}, {"prefix": "o2"}):
            shop.ask(min_version=f"{asked}@o", **query)
    assert not shop.clock.sleeps


def test_the_projector_is_waited_for() -> None:
    shop = Shop(made=rows_of)
    shop.order("o", 2, {"rows": [["c", 1, 5]]})
    at = shop.clock.now + 3.0
    _at(shop, at, lambda: shop.write(row("o1", n=5), RowKey("c", "o1"), version=2, source="o"))
    assert keys(shop.ask(min_version="2@o").body["rows"]) == ["o1"]
    assert at <= shop.clock.now < at + 1.1
    assert all(0 < pause <= 1 for pause in shop.clock.sleeps)


def test_waiting_ends_with_the_time_that_the_route_gives_it() -> None:
    shop = Shop(made=rows_of, seconds=4)
    shop.order("o", 2, {"rows": [["c", 1, 5]]})
    began = shop.clock.now
    with pytest.raises(NotNow, match=TOO_LATE) as caught:
        shop.ask(min_version="2@o")
    assert 2 < shop.clock.now - began <= 4
    assert caught.value.retry_after > 0


def test_waiting_leaves_time_to_answer() -> None:
    shop = Shop(made=rows_of, seconds=20)
    shop.order("o", 2, {"rows": [["c", 1, 5]]})
    began = shop.clock.now
    with pytest.raises(NotNow, match=TOO_LATE):
        shop.ask(min_version="2@o", remaining=6.0)
    assert shop.clock.now - began <= 6.0 - LAST_SECONDS


def test_a_rebuild_meanwhile_is_seen() -> None:
    shop = Shop(made=rows_of)
    shop.order("o", 2, {"rows": [["c", 1, 5]]})
    shop.ask()

    def flip() -> None:
        shop.write(row("o1", n=5), RowKey("c", "o1"), version=2, source="o", of=2)
        shop.point(live=2, previous=1)

    _at(shop, shop.clock.now + 0.2, flip)
    assert keys(shop.ask(min_version="2@o").body["rows"]) == ["o1"]
    assert shop.clock.sleeps


def test_pages_of_a_generation_that_changes_no_more_are_not_waited_for() -> None:
    shop = Shop(made=rows_of)
    shop.order("o", 2, {"rows": [["c", 1, 5]]})
    for order_id in ("a", "b"):
        shop.write(row(order_id), RowKey("c", order_id))
    cursor = shop.ask(limit="1").body["cursor"]
    shop.point(live=2, previous=1)
    with pytest.raises(PermanentError) as caught:
        shop.ask(limit="1", cursor=cursor, min_version="2@o")
    assert caught.value.status == 410
    assert not shop.clock.sleeps


@pytest.mark.parametrize("version", [3, 10**19])
def test_a_version_that_there_is_not_yet_is_refused(version: int) -> None:
    shop = Shop(made=rows_of)
    shop.order("o", 2, {"rows": []})
    with pytest.raises(PermanentError) as caught:
        shop.ask(min_version=f"{version}@o")
    assert caught.value.status == 400


def test_an_aggregate_that_is_gone_has_no_rows_once_they_are_taken_away() -> None:
    shop = Shop(made=rows_of, seconds=1)
    assert shop.ask(min_version="7@o").body["rows"] == []
    shop.write(row("o1", n=1), RowKey("c", "o1"), version=6, source="o")
    with pytest.raises(NotNow, match=TOO_LATE):
        shop.ask(min_version="7@o")
    shop.write(None, RowKey("c", "o1"), version=7, source="o")
    assert shop.ask(min_version="7@o").body["rows"] == []


def test_a_row_that_a_later_version_took_away_is_shown_as_gone_though_it_has_come_again() -> None:
    shop = Shop(made=rows_of)
    shop.order("o", 9, {"rows": [["c", 1, 5]]})
    shop.write(None, RowKey("c", "o1"), version=8, source="o")
    assert shop.ask(min_version="8@o").body["rows"] == []
    assert not shop.clock.sleeps


def test_another_aggregates_row_is_not_looked_at_and_one_in_the_place_is_not_ours() -> None:
    shop = Shop(LATEST, made=rows_of, seconds=1)
    shop.order("o", 2, {"rows": [["c", 1, 5]]})
    shop.write(row("n", n=1), RowKey("c", None), version=99, source="n")
    assert len(shop.ask().body["rows"]) == 1
    with pytest.raises(NotNow, match=TOO_LATE):
        shop.ask(min_version="2@o")


def test_a_state_that_the_view_refuses_is_said_to_be_parked() -> None:
    def made(_: State) -> Any:
        raise ValueError("secret")

    shop = Shop(made=made)
    shop.order("o", 2, {"rows": []})
    with pytest.raises(NotNow, match="its record is parked"):
        shop.ask(min_version="2@o")


def test_a_state_of_newer_code_is_not_shown_yet() -> None:
    shop = Shop(made=rows_of)
    item = {"order_id": {"S": "o"}, "_aggregate": {"M": {"version": {"N": "2"}, "schema": {"N": "2"}}}}
    shop.dynamodb.put_item(TableName="orders", Item=item)
    with pytest.raises(NotNow, match="schema version 2"):
        shop.ask(min_version="2@o")


def test_without_min_version_the_aggregate_is_not_read() -> None:
    def made(_: State) -> Any:
        raise AssertionError

    shop = Shop(made=made)
    shop.order("o", 2, {"rows": []})
    assert shop.ask().status == 200


def test_looking_once_needs_no_time() -> None:
    shop = Shop()
    patience = Patience(0, shop.clock, shop.clock.sleep, shop.door.patience.chance)
    assert patience.until(lambda: "there", lambda: 0.0) == "there"
    with pytest.raises(NotNow):
        patience.until(lambda: None, lambda: 30.0)


def _at(shop: Shop, time: float, happens: Callable[[], None]) -> None:
    """When the clock gets there, by somebody's sleep."""
    sleep, left = shop.clock.sleep, [happens]

    def sleep_and_happen(seconds: float) -> None:
        sleep(seconds)
        if left and shop.clock.now >= time:
            left.pop()()

    shop.door = shop.door._replace(patience=shop.door.patience._replace(sleep=sleep_and_happen))
