"""Where generations are, by all who must agree on it: who fills a view, who reads it, and who looks after it."""

import json
import time
from typing import Any, cast

import pytest

from serverless_patterns_runtime.attribute_values import serialize_item
from serverless_patterns_runtime.cqrs_queries import query_door
from serverless_patterns_runtime.cqrs_queries.deployed_view import DeployedView
from serverless_patterns_runtime.cqrs_table import settings as write_model
from serverless_patterns_runtime.cqrs_views import control_handler
from serverless_patterns_runtime.cqrs_views.contract import ViewTold
from serverless_patterns_runtime.cqrs_views.settings import ViewSettings
from serverless_patterns_runtime.cqrs_views.standings import Standings
from serverless_patterns_runtime.cqrs_views.together import Together
from serverless_patterns_runtime.cqrs_views.total_holding import store_of_view
from serverless_patterns_runtime.errors import NotNow
from serverless_patterns_runtime.fan_out_topic.packed import packed

from .shop import ORDERS, REVENUE, Shop

CALL = f"{Shop.__module__}:by_customer"
TOLD: dict[str, ViewTold] = {
    "sorted": {"name": ORDERS, "kind": "rows", "call": CALL, "pk": "customer", "sk": "order", "sink": "dynamodb"},
    "not sorted": {"name": ORDERS, "kind": "rows", "call": CALL, "pk": "customer", "sink": "dynamodb"},
    "totals": {"name": REVENUE, "kind": "totals", "call": CALL, "pk": "product", "sink": "dynamodb"},
}
SQL = {"kind": "data-api", "table": "t", "schema": "s", "cluster": "c", "secret": "p", "database": "d"}


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    shop = Shop()
    for module in (query_door, control_handler, write_model):
        monkeypatch.setattr(module, "client", lambda _: shop.client)
    return shop


def tell(monkeypatch: pytest.MonkeyPatch, told: ViewTold, place: str) -> None:
    said = {
        "VIEWS": packed({"views": [told]}),
        "VIEW_TABLES": json.dumps({told["name"]: place}),
        "QUERY_VIEW": packed({"view": told}),
        "QUERY_TABLE_NAME": place,
        "QUERY_CONTROL_TABLE_NAME": "control",
        "QUERY_SECRET_ARN": "secret",
        "QUERY_WAIT_SECONDS": "1",
        "CONTROL_TABLE_NAME": "control",
        "AGGREGATES_TABLE_NAME": "orders",
        "AGGREGATE_KEY": "order_id",
        "SCHEMA_VERSION": "1",
        "UPCAST": "",
        "PARKED_BUCKET_NAME": "parked",
        "DOCUMENTS": "{}",
        "REBUILDS": "[]",
        "SINK_There": json.dumps(SQL),
    }
    for name, value in said.items():
        monkeypatch.setenv(name, value)


def filled(shop: Shop) -> str:
    """By whom the view is filled, as it would be written."""
    ((_, view),) = ViewSettings.from_environment(shop.client, Together()).views.items()
    return store_of_view(view)


def point(shop: Shop, view: str, store: str) -> None:
    item = {"item": f"view/{view}", "live": 1, "store": store}
    shop.service.put_item(TableName="control", Item=serialize_item(item))


def readable(shop: Shop, told: ViewTold, place: str) -> list[bool]:
    """By the query door, by `read_view`, and as the control function sees it."""
    told_of = {"view": told["name"], "kind": told["kind"], "pk": told["pk"], "sk": told.get("sk", "")}
    reader: Any = {**told_of, "table": place, "control": "control"}
    door = query_door._door.__wrapped__()  # pyright: ignore[reportPrivateUsage]
    return [
        _is_readable(lambda: door.pointer.read(fresh=True)),
        _is_readable(lambda: list(DeployedView(reader, shop.client, time.time))),
        _controlled(shop, told),
    ]


def _controlled(shop: Shop, told: ViewTold) -> bool:
    control = control_handler._controls.__wrapped__().control  # pyright: ignore[reportPrivateUsage]
    return control.is_readable(told["name"], Standings(shop.client, "control").read(told["name"]))


def _is_readable(read: Any) -> bool:
    try:
        read()
    except NotNow:
        return False
    return True


@pytest.mark.parametrize("told", TOLD.values(), ids=TOLD.keys())
def test_what_is_filled_is_read_by_everybody(shop: Shop, monkeypatch: pytest.MonkeyPatch, told: ViewTold) -> None:
    table = "totals" if told["kind"] == "totals" else "rows"
    tell(monkeypatch, told, table)
    point(shop, told["name"], filled(shop))
    assert readable(shop, told, table) == [True, True, True]


@pytest.mark.parametrize("other", ["rows", "rows customer ", "rows order customer", "others customer order"])
def test_what_is_in_another_store_is_read_by_nobody(shop: Shop, monkeypatch: pytest.MonkeyPatch, other: str) -> None:
    told = TOLD["sorted"]
    tell(monkeypatch, told, "rows")
    point(shop, ORDERS, other)
    assert readable(shop, told, "rows") == [False, False, False]


def test_a_view_that_is_not_in_dynamodb_is_known_by_its_place_and_keys(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = cast("ViewTold", {**TOLD["sorted"], "sink": "SINK_There"})
    tell(monkeypatch, told, "data-api c/d s.t")
    assert filled(shop) == "data-api c/d s.t customer order"
    point(shop, ORDERS, filled(shop))
    assert _controlled(shop, told)
    tell(monkeypatch, told, "data-api c/d s.another")
    assert not _controlled(shop, told)
