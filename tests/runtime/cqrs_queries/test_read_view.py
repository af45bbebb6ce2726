"""What a function reads of a view, deployed and in its unit test: the same tests for both."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from serverless_patterns_runtime import Invocation, Page, PermanentError, read_view
from serverless_patterns_runtime.attribute_values import serialize_item
from serverless_patterns_runtime.cqrs_queries.deployed_view import DeployedView
from serverless_patterns_runtime.cqrs_queries.view import ReadableView
from serverless_patterns_runtime.cqrs_views.sink import RowKey
from serverless_patterns_runtime.deployed_resources import DeployedResources
from serverless_patterns_runtime.errors import NotNow, UnusableResource
from serverless_patterns_runtime.testing import Totals, View

from .shop_views import BY_TIME, LATEST, REVENUE, Shop, keys, row

ROWS = [row(one, n=number) for number, one in enumerate(("a1", "a2", "b1", "b2", "é"))]
TIMES = [{"customer_id": "c", "at": at} for at in (-1, 2, Decimal("2.5"), 10)]
SUMS = [{"product_id": "tea", "sold": 3, "revenue": Decimal("1.5")}, {"product_id": "milk", "sold": 1}]


def deployed(shop: Shop) -> DeployedView:
    told: Any = {
        "view": shop.told["name"],
        "kind": shop.told["kind"],
        "pk": shop.told["pk"],
        "sk": shop.told.get("sk", ""),
        "table": shop.table,
        "control": "control",
        **({"sk_type": shop.told["sk_type"]} if "sk_type" in shop.told else {}),
    }
    return DeployedView(told, shop.client, shop.clock)


@pytest.fixture(params=["deployed", "fake"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def by_customer(kind: str) -> ReadableView:
    others = row("z", "d")
    if kind == "fake":
        return View(partition_key="customer_id", sort_key="order_id", rows=[*ROWS, others])
    shop = Shop()
    for one in (*ROWS, others):
        shop.write(one, RowKey(one["customer_id"], one["order_id"]))
    shop.write(None, RowKey("c", "a3"))
    shop.write(row("old"), RowKey("c", "old"), of=2)
    return deployed(shop)


@pytest.fixture
def by_time(kind: str) -> ReadableView:
    if kind == "fake":
        return View(partition_key="customer_id", sort_key="at", rows=reversed(TIMES))
    shop = Shop(BY_TIME)
    for one in TIMES:
        shop.write(one, RowKey("c", one["at"]))
    return deployed(shop)


@pytest.fixture
def latest(kind: str) -> ReadableView:
    if kind == "fake":
        return View(partition_key="customer_id", rows=[row("a")])
    shop = Shop(LATEST)
    shop.write(row("a"), RowKey("c", None))
    return deployed(shop)


@pytest.fixture
def revenue(kind: str) -> ReadableView:
    if kind == "fake":
        return Totals(group="product_id", totals=[*({**one, "gone": 0} for one in SUMS)])
    shop = Shop(REVENUE)
    for shard, (group, measures) in enumerate(
        [
            ("tea", {"sold": 1, "revenue": Decimal("1.5"), "gone": 2}),
            ("tea", {"sold": 2, "gone": -2}),
            ("milk", {"sold": 1}),
            ("nothing", {"sold": 0}),
        ]
    ):
        shop.dynamodb.put_item(
            TableName="totals", Item=serialize_item({"pk": f"1#total#{group}", "sk": shard, **measures})
        )
    contribution = {"pk": "1#from#total#o", "sk": 0, "_row": {"version": 1}, "amounts": {}}
    shop.dynamodb.put_item(TableName="totals", Item=serialize_item(contribution))
    return deployed(shop)


def test_rows_come_in_the_order_of_their_sort_keys(by_customer: ReadableView) -> None:
    assert by_customer.query("c") == Page(ROWS, None)
    assert by_customer.query("c", descending=True).rows == ROWS[::-1]
    assert by_customer.query("nobody") == Page([], None)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 5])
def test_pages_follow_each_other(by_customer: ReadableView, limit: int, descending: bool) -> None:
    def pages() -> Iterator[dict[str, Any]]:
        cursor = None
        while True:
            page = by_customer.query("c", limit=limit, cursor=cursor, descending=descending)
            assert len(page.rows) <= limit
            yield from page.rows
            if (cursor := page.cursor) is None:
                return

    assert list(pages()) == (ROWS[::-1] if descending else ROWS)


@pytest.mark.parametrize(
    ("sort", "found"),
    [
        ("a2", ["a2"]),
        ({"prefix": "a"}, ["a1", "a2"]),
        ({"from": "a2", "to": "b1"}, ["a2", "b1"]),
        ({"from": "b1"}, ["b1", "b2", "é"]),
        ({"to": "a1", "from": None}, ["a1"]),
        ({"from": "b", "to": "a"}, []),
        ({}, ["a1", "a2", "b1", "b2", "é"]),
    ],
)
def test_a_part_of_the_sort_keys_can_be_asked_for(by_customer: ReadableView, sort: Any, found: list[str]) -> None:
    assert keys(by_customer.query("c", sort=sort).rows) == found


def test_numbers_are_asked_for_as_numbers(by_time: ReadableView) -> None:
    assert by_time.query("c").rows == TIMES
    assert by_time.query("c", sort={"from": 2, "to": Decimal("2.5")}).rows == TIMES[1:3]
    first = by_time.query("c", limit=3)
    assert by_time.query("c", limit=3, cursor=first.cursor).rows == TIMES[3:]
    assert by_time.get("c", Decimal("2.5")) == TIMES[2]


def test_one_row_is_got_by_its_keys(by_customer: ReadableView, latest: ReadableView) -> None:
    assert by_customer.get("c", "a2") == ROWS[1]
    assert by_customer.get("c", "a3") is None
    assert by_customer.get("c" * 5000, "a") is None
    assert latest.get("c") == row("a")
    assert latest.query("c") == Page([row("a")], None)


def test_all_rows_can_be_read(by_customer: ReadableView) -> None:
    assert sorted(keys(by_customer)) == ["a1", "a2", "b1", "b2", "z", "é"]


def test_totals_are_got_by_their_group(revenue: ReadableView) -> None:
    assert revenue.total("tea") == SUMS[0]
    assert revenue.total("coal") == {"product_id": "coal"}
    assert revenue.total("coal")["sold"] == 0
    assert {one["product_id"]: one["gone"] for one in revenue if len(one) > 1} == {"tea": 0, "milk": 0}
    assert "gone" not in revenue.total("tea"), "what is there does not depend on what was there"
    assert {one["product_id"]: one for one in revenue if len(one) > 1} == {one["product_id"]: one for one in SUMS}


@pytest.mark.parametrize(
    "arguments",
    [
        {"limit": 0},
        {"limit": 1001},
        {"limit": True},
        {"cursor": "x"},
        {"sort": {"after": "a"}},
        {"sort": {"from": "a", "to": 1}},
        {"sort": {"prefix": 1}},
        {"sort": ""},
        {"sort": 1.5},
        {"sort": 5},
        {"partition": None},
        {"partition": True},
    ],
)
def test_what_no_query_is_is_refused(by_customer: ReadableView, arguments: dict[str, Any]) -> None:
    with pytest.raises(PermanentError) as caught:
        by_customer.query(**{"partition": "c", **arguments})
    assert caught.value.status == 400


def test_a_cursor_of_another_query_is_refused(by_customer: ReadableView) -> None:
    cursor = by_customer.query("c", limit=1).cursor
    for other in (
        {"partition": "d"},
        {"partition": "c", "descending": True},
        {"partition": "c", "sort": {"from": "a"}},
    ):
        with pytest.raises(PermanentError):
            by_customer.query(**other, cursor=cursor)


def test_a_view_says_what_it_has(by_customer: ReadableView, revenue: ReadableView, latest: ReadableView) -> None:
    with pytest.raises(UnusableResource, match="query\\(\\), get\\(\\) and an iterator"):
        by_customer.total("c")
    with pytest.raises(UnusableResource, match="total\\(\\) and an iterator"):
        revenue.query("tea")
    with pytest.raises(UnusableResource, match="total\\(\\) and an iterator"):
        revenue.get("tea")
    with pytest.raises(PermanentError, match="has no sort key"):
        latest.get("c", "a")


def test_a_function_reads_the_view_by_the_name_that_its_handler_gave_it() -> None:
    view = View(partition_key="customer_id", sort_key="order_id", rows=ROWS)
    invocation = Invocation.fake(views={"BY_CUSTOMER": view})
    assert read_view("BY_CUSTOMER", invocation).query("c", limit=1).rows == ROWS[:1]
    with pytest.raises(UnusableResource, match=r"'ORDERS', which it was not given \(it has: BY_CUSTOMER\)"):
        read_view("ORDERS", invocation)


def test_a_deployed_function_reads_it_from_its_variable() -> None:
    shop = Shop()
    shop.write(ROWS[0], RowKey("c", "a1"))
    keys = {"pk": "customer_id", "sk": "order_id"}
    told = json.dumps({"view": "ByCustomer", "kind": "rows", **keys, "table": "rows", "control": "control"})
    asked: list[str] = []

    def client(service: str) -> Any:
        asked.append(service)
        return shop.client

    resources = DeployedResources({}, client=client, variables={"BY_CUSTOMER": told}).prepare()
    assert asked == ["dynamodb"]
    assert resources.view("BY_CUSTOMER").query("c").rows == ROWS[:1]
    assert resources.view("BY_CUSTOMER") is resources.view("BY_CUSTOMER")
    with pytest.raises(UnusableResource, match="'OTHER', which it was not given"):
        resources.view("OTHER")


def test_a_view_that_was_never_built_is_no_empty_one() -> None:
    view = deployed(Shop(live=None))
    for read in (lambda: view.query("c"), lambda: view.get("c", "a"), lambda: list(view)):
        with pytest.raises(NotNow):
            read()


@pytest.mark.parametrize("rows", [[{"customer_id": "c"}], [row("a"), row("a", n=2)]])
def test_rows_that_no_view_could_have_are_refused_in_a_test(rows: list[dict[str, Any]]) -> None:
    with pytest.raises(TypeError):
        View(partition_key="customer_id", sort_key="order_id", rows=rows)
    with pytest.raises(TypeError):
        Totals(group="product_id", totals=[{"sold": 1}])
