"""What was given up, tried again: very many objects, one that ends its function, and two of one version."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from serverless_patterns_runtime.attribute_values import serialize_item
from serverless_patterns_runtime.cqrs_table.aggregate import Schema
from serverless_patterns_runtime.cqrs_views import contract, retrying
from serverless_patterns_runtime.cqrs_views.parked_objects import ParkedObjects
from serverless_patterns_runtime.cqrs_views.projector_handler import process
from serverless_patterns_runtime.cqrs_views.records import Change

from . import shop as shop_module
from .modelled import refused
from .rebuilt import MACHINE, PROJECTOR, Died, RebuiltShop
from .shop import ORDERS, REVENUE

FIVE_MINUTES = 301


@pytest.fixture
def shop() -> RebuiltShop:
    shop = RebuiltShop()
    shop.sweep()
    shop.passes(1_000)
    return shop


def undelivered(shop: RebuiltShop, number: int, records: list[Any]) -> str:
    name = f"{contract.UNDELIVERED_PREFIX}mapping/shard/{number:02}.json"
    said = {"requestContext": {"functionArn": PROJECTOR}, "payload": json.dumps({"Records": records})}
    shop.s3.objects["parked"][name] = json.dumps(said).encode()
    return name


def test_one_that_ends_its_function_keeps_nobody_else_from_being_tried_again(
    shop: RebuiltShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        shop.put(f"o-{number}", 1, "ada", ["a"], endless=not number)
        undelivered(shop, number, shop.records[-1:])
    project = shop_module.by_customer

    def by_customer(order: Any) -> Any:
        if order.get("endless"):
            raise Died
        return project(order)

    monkeypatch.setattr(shop_module, "by_customer", by_customer)
    shop.projection = shop.new_projection()
    for _ in range(40):
        shop.sweep()
        shop.passes(FIVE_MINUTES)
    assert len(shop.parked()) == 1
    assert len(shop.rows()) == 11


def test_what_a_projector_that_is_no_more_never_answered_is_left_to_the_one_that_there_is(shop: RebuiltShop) -> None:
    shop.put("o-1", 1, "ada", ["a"])
    name = undelivered(shop, 1, shop.records)
    said = json.loads(shop.s3.objects["parked"][name])
    said["requestContext"]["functionArn"] = "arn:aws:lambda:eu-central-1:123456789012:function:another"
    shop.s3.objects["parked"][name] = json.dumps(said).encode()
    shop.sweep()
    shop.passes(FIVE_MINUTES)
    assert (shop.parked(), len(shop.rows())) == ([], 1)


def test_of_two_projectors_each_has_what_one_that_is_no_more_never_answered(shop: RebuiltShop) -> None:
    """Nobody knows which views it had: so none of them loses a change, whoever is first, and whatever fails between."""
    shop.put("o-1", 1, "ada", ["a"])
    said = {"requestContext": {"functionArn": "function:another"}, "payload": json.dumps({"Records": shop.records})}
    name = f"{contract.UNDELIVERED_PREFIX}mapping/shard/1.json"
    shop.s3.objects["parked"][name] = json.dumps(said).encode()
    views = shop.projection.projector.views
    groups = [[ORDERS], [REVENUE]]
    told: Any = [{"machine": f"m-{one[0]}", "projector": f"function:{one[0]}", "views": one} for one in groups]
    begun: dict[str, list[str]] = {}

    def start(**asked: Any) -> None:
        (begun[asked["stateMachineArn"]],) = json.loads(asked["input"])["batches"]

    objects = ParkedObjects(shop.projection.projector.parking)
    retries = retrying.Retries(objects, told, SimpleNamespace(start_execution=start), lambda: shop.now)
    shop.bucket.meets = dies_at("DeleteObject")
    with pytest.raises(ClientError):
        retries.retry({"request": "retry"})
    assert len(shop.parked()) == 3, "both copies are there before it is gone"
    shop.bucket.meets = lambda *_: None
    retries.retry({"request": "retry"})
    assert len(shop.parked()) == 2
    for group in groups:
        alone = shop.projection.projector._replace(views={view: views[view] for view in group})
        event = {"retry": begun[f"m-{group[0]}"]}
        assert process(event, shop.context(), shop.projection._replace(projector=alone))["left"] == []
    assert (shop.parked(), len(shop.rows()), len(shop.totals())) == ([], 1, 1)


def dies_at(operation: str) -> Any:
    def meets(asked: str, _: Any) -> None:
        if asked == operation:
            raise refused("ServiceUnavailable")

    return meets


def test_what_a_function_of_before_could_not_read_is_tried_again_by_the_one_of_now(shop: RebuiltShop) -> None:
    state = {"order_id": "o-1", "customer": "ada", "lines": ["a"], "status": "open"}
    about = {"version": 1, "schema": 2}
    shop.service.put_item(TableName="orders", Item=serialize_item({**state, "_aggregate": about}))
    shop.project()
    assert shop.reasons() == [(ORDERS, "unreadable"), (REVENUE, "unreadable")]
    shop.schema = Schema(2, lambda state, _: state)
    shop.projection = shop.new_projection()
    shop.sweep()
    shop.passes(FIVE_MINUTES)
    assert (shop.parked(), shop.rows().keys()) == ([], {("ada", "o-1/a")})


def test_what_was_changed_past_the_commands_is_done_when_a_command_has_followed(shop: RebuiltShop) -> None:
    shop.put("o-1", 1, "ada", ["a"])
    shop.put("o-1", 1, "bob", ["a", "b"])
    shop.project()
    shop.records.clear()
    shop.sweep()
    shop.passes(FIVE_MINUTES)
    assert shop.reasons() == [(ORDERS, "unversioned"), (REVENUE, "unversioned")]
    shop.put("o-1", 2, "bob", ["a", "b"])
    shop.project()
    shop.sweep()
    shop.passes(FIVE_MINUTES)
    assert (shop.parked(), shop.rows().keys()) == ([], {("bob", "o-1/a"), ("bob", "o-1/b")})


def test_very_many_that_wait_for_somebody_keep_nobody_else_from_being_tried_again(
    shop: RebuiltShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retrying, "SWEPT_OBJECTS", 10)
    for number in range(20):
        shop.put(f"bad-{number}", 1, bad=True)
    shop.project()
    shop.put("o-1", 1, "ada", ["a"])
    change = Change.from_record(shop.records[-1], "order_id")
    name = shop.projection.projector.parking.park(ORDERS, change, "unavailable", "")
    assert len(shop.parked()) == 41
    read: list[str] = []
    get_object = shop.s3.get_object
    monkeypatch.setattr(shop.s3, "get_object", lambda **request: read.append(request["Key"]) or get_object(**request))
    for number in range(60):
        before = len(read)
        shop.sweep()
        assert len(read) <= before + 10, "a sweep has a minute"
        shop.passes(FIVE_MINUTES)
        if name not in shop.parked():
            break
        assert number < 59
    assert ("ada", "o-1/a") in shop.rows()
    assert len(shop.parked()) == 40


def test_what_a_rebuild_has_seen_of_a_version_leaves_its_record_where_it_is(
    shop: RebuiltShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.put("o-1", 1, "ada", ["a", "b"])
    shop.put("o-1", 2, "ada", ["a"], bad=True)
    shop.project()
    shop.records.clear()
    assert shop.rows().keys() == {("ada", "o-1/a"), ("ada", "o-1/b")}

    def cancel() -> None:
        if shop.tasks[-1]["task"] == "verify" and shop.standing().building is not None:
            shop.ask(request="cancel", view=ORDERS, by="ann")

    shop.after_task = cancel
    shop.ask(request="rebuild", view=ORDERS, by="ann", tolerant=True)
    shop.passes(600)
    assert (shop.standing().live, shop.standing().phase) == (1, "cancelled")
    function = shop_module.by_customer
    monkeypatch.setattr(shop_module, "by_customer", lambda order: function({**order, "bad": False}))
    shop.projection = shop.new_projection()
    shop.ask(request="retry", view=ORDERS)
    shop.passes(600)
    assert shop.rows().keys() == {("ada", "o-1/a")}, "what the record took away is gone"


def test_a_sweep_tries_nothing_again_that_waits_for_somebody(shop: RebuiltShop) -> None:
    shop.put("o-1", 1, bad=True)
    shop.project()
    assert {reason for _, reason in shop.reasons()} == {"refused"}
    before = len(shop.machines.runs(MACHINE))
    shop.sweep()
    assert len(shop.machines.runs(MACHINE)) == before
