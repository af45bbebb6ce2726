from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serverless_patterns_runtime import PermanentError
from serverless_patterns_runtime.attribute_values import serialize_item
from serverless_patterns_runtime.cqrs_queries import contract
from serverless_patterns_runtime.cqrs_views.sink import RowKey
from serverless_patterns_runtime.errors import NotNow
from tests.simulation import aws_errors

from .shop_views import BY_TIME, CONTROL, LATEST, REVENUE, TOTALS, Shop, keys, row

IDS = st.text("abcé-1😀", min_size=1, max_size=3)


def refusal(shop: Shop, *arguments: Any, **query: Any) -> tuple[int, str]:
    with pytest.raises(PermanentError) as caught:
        shop.ask(*arguments, **query)
    return caught.value.status or 0, caught.value.message


@settings(max_examples=60)
@given(
    st.dictionaries(IDS, st.booleans(), max_size=12),
    st.integers(1, 5),
    st.sampled_from(["asc", "desc"]),
    st.sampled_from(
        [{}, {"from": "b"}, {"to": "b"}, {"from": "a", "to": "c"}, {"prefix": "a"}, {"from": "c", "to": "a"}]
    ),
    st.integers(1, 4),
)
def test_pages_together_are_the_whole_query_whatever_their_size(
    orders: dict[str, bool], limit: int, order: str, between: dict[str, str], of_dynamodb: int
) -> None:
    shop = Shop()
    shop.dynamodb.page = of_dynamodb
    for order_id, is_there in orders.items():
        shop.write(row(order_id) if is_there else None, RowKey("c", order_id))
        shop.write(row(order_id, "d"), RowKey("d", order_id))
        shop.write(row(order_id), RowKey("c", order_id), of=2)
    whole = sorted((one for one, there in orders.items() if there), key=str.encode, reverse=order == "desc")
    low, high = between.get("from", "").encode(), between.get("to", "\U0010ffff").encode()
    wanted = [one for one in whole if low <= one.encode() <= high and one.startswith(between.get("prefix", ""))]
    assert keys(shop.all_of(limit=str(limit), order=order, **between)) == wanted


@settings(max_examples=40)
@given(st.sets(st.decimals(-50, 50, places=1), max_size=10), st.integers(1, 4), st.booleans())
def test_numbers_are_in_the_order_of_numbers(times: set[Decimal], limit: int, descending: bool) -> None:
    shop = Shop(BY_TIME)
    for at in times:
        shop.write({"customer_id": "c", "at": at}, RowKey("c", at), source="o")
    wanted = sorted((at for at in times if Decimal("-9.5") <= at <= 20), reverse=descending)
    more = {"limit": str(limit), "order": "desc" if descending else "asc", "from": "-9.5", "to": "20"}
    assert [one["at"] for one in shop.all_of(**more)] == wanted


def test_nothing_follows_a_page_that_is_exactly_full() -> None:
    shop = Shop()
    for order_id in ("a", "b"):
        shop.write(row(order_id), RowKey("c", order_id))
    shop.write(None, RowKey("c", "d"))
    assert shop.ask(limit="2").body == {"rows": [row("a"), row("b")], "cursor": None}


def test_a_page_is_fifty_rows_unless_the_caller_says_otherwise() -> None:
    shop = Shop()
    for number in range(60):
        shop.write(row(f"{number:02}"), RowKey("c", f"{number:02}"))
    assert len(shop.ask().body["rows"]) == contract.DEFAULT_LIMIT == 50
    assert len(shop.ask(limit="1000").body["rows"]) == 60


def test_a_page_of_large_rows_ends_before_it_is_full() -> None:
    shop = Shop()
    for number in range(5):
        shop.write(row(str(number), text="x" * 390_000), RowKey("c", str(number)))
    shop.dynamodb.page = 1
    first = shop.ask().body
    assert keys(first["rows"]) == ["0", "1", "2"]
    assert keys(shop.ask(cursor=first["cursor"]).body["rows"]) == ["3", "4"]


def test_a_page_behind_very_many_tombstones_ends_before_time_is_up() -> None:
    shop = Shop()
    for number in range(5):
        shop.write(None, RowKey("c", str(number)))
    shop.write(row("9"), RowKey("c", "9"))
    shop.dynamodb.page = 1
    first = shop.ask(remaining=1.0).body
    assert first["rows"] == []
    assert keys(shop.ask(cursor=first["cursor"]).body["rows"]) == ["9"]


def test_a_view_without_a_sort_key_has_one_row_in_a_partition() -> None:
    shop = Shop(LATEST)
    shop.write(row("o-1"), RowKey("c", None), source="o-1")
    assert shop.ask().body == {"rows": [row("o-1")], "cursor": None}
    assert refusal(shop, **{"from": "a"})[0] == 400


@pytest.mark.parametrize("partition", ["x" * 3000, "nobody", "\ud800"])
def test_a_partition_that_no_row_has_is_empty(partition: str) -> None:
    assert Shop().ask(partition).body == {"rows": [], "cursor": None}


def test_what_json_cannot_say_is_shown_as_text_and_lists() -> None:
    shop = Shop()
    long = Decimal("0.12345678901234567890123456789")
    shop.write(row("a", tags={"b", "a"}, raw=b"\x00", long=long, half=Decimal("0.5"), n=3), RowKey("c", "a"))
    (shown,) = shop.ask().body["rows"]
    assert shown == row("a", tags=["a", "b"], raw="AA==", long=str(long), half=Decimal("0.5"), n=3)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"limit": "0"}, "limit is a whole number from 1 to 1,000"),
        ({"limit": "1001"}, "limit is a whole number"),
        ({"limit": "x"}, "limit is a whole number"),
        ({"limit": "9" * 5000}, "limit is a whole number"),
        ({"limit": ("1", "2")}, "limit comes once"),
        ({"order": "up"}, "order is asc or desc"),
        ({"sort": "a"}, "there are limit, cursor, order, min_version, from, to, prefix"),
        ({"prefix": "a", "to": "b"}, "'prefix' stands alone"),
        ({"from": ""}, "from comes once, and is not empty"),
        ({"from": "x" * 1025}, "from is text of 1 to 1,024 bytes"),
        ({"cursor": "x"}, "begin again without a cursor"),
        ({"cursor": "x" * 50_000}, "begin again without a cursor"),
        ({"min_version": "7"}, "pass it on unchanged"),
        ({"min_version": "7@"}, "pass it on unchanged"),
        ({"min_version": "-7@o"}, "pass it on unchanged"),
        ({"min_version": "9" * 30 + "@o"}, "pass it on unchanged"),
        ({"min_version": "7@" + "x" * 2000}, "pass it on unchanged"),
        ({"min_version": "7@\ud800"}, "pass it on unchanged"),
    ],
)
def test_what_no_query_is_is_refused_with_what_to_do(query: dict[str, Any], said: str) -> None:
    status, message = refusal(Shop(), **query)
    assert status == 400
    assert said in message


@pytest.mark.parametrize("value", ["x", "nan", "inf", "1_0", " 1", "1e500", "1" * 39, "9" * 100])
def test_a_numeric_sort_key_is_asked_for_by_numbers(value: str) -> None:
    assert refusal(Shop(BY_TIME), **{"from": value}) == (400, "from is a number, as the view's sort keys are")


def test_a_numeric_sort_key_has_no_prefix() -> None:
    assert refusal(Shop(BY_TIME), prefix="1")[0] == 400


def test_before_the_first_build_there_is_no_answer_and_no_empty_page() -> None:
    with pytest.raises(NotNow) as caught:
        Shop(live=None).ask()
    assert caught.value.retry_after == 10


@pytest.mark.parametrize("store", ["another customer_id order_id", "rows name order_id", "rows customer_id "])
def test_rows_of_another_table_or_with_other_keys_are_not_read(store: str) -> None:
    shop = Shop()
    shop.dynamodb.put_item(
        TableName="control", Item=serialize_item({"item": "view/ByCustomer", "live": 1, "store": store})
    )
    with pytest.raises(NotNow, match="first time"):
        shop.ask()
    shop.dynamodb.put_item(
        TableName="control",
        Item=serialize_item({"item": "view/ByCustomer", "live": 1, "store": "rows customer_id order_id"}),
    )
    assert shop.ask().status == 200


def test_pages_go_on_in_their_generation_over_a_rebuild() -> None:
    shop = Shop()
    for order_id in "abcd":
        shop.write(row(order_id, old=True), RowKey("c", order_id))
        shop.write(row(order_id), RowKey("c", order_id), of=2)
    first = shop.ask(limit="2").body
    shop.point(live=2, previous=1)
    shop.clock.now += contract.POINTER_SECONDS
    assert shop.ask(limit="4").body["rows"] == [row(one) for one in "abcd"]
    second = shop.ask(limit="1", cursor=first["cursor"]).body
    assert second["rows"] == [row("c", old=True)]
    # However one goes on, the generation's last cursor is good for no longer than the first one was.
    shop.clock.now += contract.TOKEN_SECONDS - contract.POINTER_SECONDS - 1
    third = shop.ask(limit="1", cursor=second["cursor"]).body
    assert third == {"rows": [row("d", old=True)], "cursor": None}
    shop.clock.now += 1
    assert refusal(shop, limit="1", cursor=second["cursor"])[0] == 400


def test_a_cursor_of_a_generation_that_is_dropped_says_to_begin_again() -> None:
    shop = Shop()
    for order_id in "ab":
        shop.write(row(order_id), RowKey("c", order_id))
    cursor = shop.ask(limit="1").body["cursor"]
    shop.point(live=3, previous=2)
    shop.clock.now += contract.POINTER_SECONDS
    assert refusal(shop, cursor=cursor) == (
        410, "the view has been rebuilt since the page before: begin again without a cursor"
    )  # fmt: skip


def test_a_cursor_of_a_generation_that_this_function_has_not_heard_of_is_looked_up() -> None:
    shop, other = Shop(), Shop()
    for one in (shop, other):
        for order_id in "ab":
            one.write(row(order_id), RowKey("c", order_id), of=2)
    shop.ask()
    other.point(live=2, previous=1)
    cursor = other.ask(limit="1").body["cursor"]
    shop.point(live=2, previous=1)
    assert keys(shop.ask(cursor=cursor).body["rows"]) == ["b"]


def test_the_pointer_is_read_once_in_five_seconds() -> None:
    shop = Shop()
    shop.write(row("a"), RowKey("c", "a"))
    shop.ask()
    shop.point(live=2, previous=1)
    assert keys(shop.ask().body["rows"]) == ["a"]
    shop.clock.now += contract.POINTER_SECONDS
    assert shop.ask().body["rows"] == []
    shop.clock.now -= 3600  # the clock was set
    shop.point(live=1)
    assert keys(shop.ask().body["rows"]) == ["a"]


def test_a_generation_is_kept_longer_than_any_cursor_of_it_is_good() -> None:
    assert contract.KEPT_SECONDS > contract.TOKEN_SECONDS + contract.POINTER_SECONDS + 30


def total(shop: Shop, group: str, shard: int, of: int = 1, **measures: Any) -> None:
    item = serialize_item({"pk": f"{of}#total#{group}", "sk": shard, **measures})
    shop.dynamodb.put_item(TableName=TOTALS, Item=item)


def test_a_total_is_the_sum_of_its_shards_without_what_was_taken_away_again() -> None:
    shop = Shop(REVENUE)
    large = Decimal("12345678901234567890123456789012345678")
    total(shop, "tea", 0, revenue=large, gone=3)
    total(shop, "tea", 5, revenue=Decimal("0.5"), gone=-3, sold=2)
    total(shop, "teapot", 0, sold=1)
    total(shop, "tea", 1, of=2, sold=9)
    assert shop.ask("tea").body == {"product_id": "tea", "revenue": f"{large}.5", "sold": 2}
    assert shop.ask("milk").body == {"product_id": "milk"}
    assert shop.ask("x" * 5000).body == {"product_id": "x" * 5000}
    assert refusal(shop, "tea", limit="1")[0] == 400


def test_totals_wait_for_a_contribution() -> None:
    shop = Shop(REVENUE, made=lambda order: {"tea": {"sold": order["n"]}}, seconds=2)
    shop.order("o", 7, {"n": 2})

    def contribute(version: int, sold: int) -> None:
        about = {"version": version, "source": "o"}
        item = {"pk": "1#from#o", "sk": 0, "_row": about, "amounts": {"tea": {"sold": sold}}}
        shop.dynamodb.put_item(TableName=TOTALS, Item=serialize_item(item))
        total(shop, "tea", 0, sold=sold)

    contribute(6, 1)
    with pytest.raises(NotNow, match="does not show this change yet"):
        shop.ask("tea", min_version="7@o")
    contribute(6, 2)  # has not changed since
    assert shop.ask("tea", min_version="7@o").body["sold"] == 2
    shop.order("o", 9, {"n": 5})
    contribute(8, 4)  # on its way
    assert shop.ask("tea", min_version="8@o").body["sold"] == 4
    shop.order("o", 10, None)
    with pytest.raises(NotNow):
        shop.ask("tea", min_version="10@o")


def test_a_view_that_takes_no_requests_is_told_apart_from_a_broken_one() -> None:
    shop = Shop()

    def throttle(**_: Any) -> None:
        raise aws_errors.client_error("dynamodb", "Query", aws_errors.ServiceError("ThrottlingException"))

    shop.door = shop.door._replace(pages=shop.pages._replace(rows=shop.pages.rows._replace(dynamodb=_With(throttle))))
    with pytest.raises(NotNow, match="takes no more requests"):
        shop.ask()


class _With:
    def __init__(self, query: Any) -> None:
        self.query = query


def test_the_control_table_is_read_consistently() -> None:
    shop = Shop()
    asked: list[dict[str, Any]] = []
    read = shop.dynamodb.get_item
    shop.dynamodb.get_item = lambda **request: asked.append(request) or read(**request)  # type: ignore[method-assign]
    shop.ask()
    assert [(one["TableName"], one["ConsistentRead"]) for one in asked] == [(CONTROL, True)]
