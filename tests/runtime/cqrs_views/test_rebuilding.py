"""Rebuilds, task by task and whole, over the state machine that is deployed."""

import functools
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from serverless_patterns_runtime.cqrs_views.sink import NotOurs, SinkUnavailable

from . import shop as shop_module
from .modelled import refused
from .rebuilt import RebuiltShop
from .shop import ORDERS, REVENUE


@pytest.fixture
def shop() -> RebuiltShop:
    shop = RebuiltShop()
    for number in range(7):
        shop.put(f"o-{number}", number + 1, "ada" if number % 2 else "bob", ["a", "b"])
    shop.records.clear()  # older than the views
    return shop


def rows(count: int = 7) -> set[tuple[str, str]]:
    return {("ada" if n % 2 else "bob", f"o-{n}/{line}") for n in range(count) for line in "ab"}


def test_a_view_is_filled_without_being_asked_for(shop: RebuiltShop) -> None:
    assert shop.read() is None
    assert shop.sweep()["rebuilds"] == 2
    shop.passes(60)
    assert shop.read().keys() == rows()
    assert shop.read(REVENUE) == {"a": {"revenue": 17.5, "sold": 7}, "b": {"revenue": 17.5, "sold": 7}}
    assert (shop.standing().phase, shop.standing().live, shop.standing().by) == ("done", 1, "swept")
    assert shop.sweep()["rebuilds"] == 0


def test_a_rebuild_that_somebody_asks_for_replaces_what_is_read_and_drops_it_when_no_page_of_it_is_good(
    shop: RebuiltShop,
) -> None:
    shop.sweep()
    shop.passes(60)
    assert shop.ask(request="rebuild", view=ORDERS, by="ann")["generation"] == 2
    shop.passes(60)
    standing = shop.standing()
    assert (standing.live, standing.previous, standing.phase, standing.by) == (2, 1, "drop", "ann")
    assert shop.read().keys() == shop.rows(1).keys() == rows()
    assert shop.marked[-1] == {ORDERS}, "documents are built from what is read now"
    shop.passes(3_600)
    assert shop.sweep()["drops"] == 0
    shop.passes(400)
    assert shop.sweep()["drops"] == 1
    shop.passes(60)
    assert (shop.rows(1), shop.standing().previous, shop.standing().phase) == ({}, None, "done")
    assert shop.read().keys() == rows()
    assert shop.sweep()["drops"] == 0
    names = {key[0] for key in shop.service.tables["control"].items}
    assert names == {f"view/{ORDERS}", f"view/{REVENUE}", *(f"segment/{ORDERS}/2/{n}" for n in range(4)),
                     *(f"segment/{REVENUE}/1/{n}" for n in range(4))}  # fmt: skip


def test_while_it_is_rebuilt_nobody_else_rebuilds_it(shop: RebuiltShop) -> None:
    first = shop.ask(request="rebuild", view=ORDERS, by="ann")
    again = shop.ask(request="rebuild", view=ORDERS, by="ann")
    assert (again["execution"], again["generation"]) == (first["execution"], 1)
    other = shop.ask(request="rebuild", view=ORDERS, by="bob")
    assert other == {**first, "began": False}
    assert len(shop.machines.runs("Rebuilding")) == 1
    shop.passes(60)
    assert shop.read().keys() == rows()


def test_a_planted_difference_is_found_and_nothing_is_flipped(shop: RebuiltShop) -> None:
    for planted in ("missing", "changed", "extra"):
        shop.sweep()
        shop.passes(60)
        live = shop.standing().live
        shop.after_task = lambda planted=planted: plant(shop, planted)
        generation = shop.ask(request="rebuild", view=ORDERS, by="ann")["generation"]
        shop.passes(600)
        standing = shop.standing()
        assert (standing.live, standing.building, standing.phase) == (live, None, "failed"), planted
        assert "o-3" in standing.reason
        shop.after_task = lambda: None
        shop.passes(1_100)
        shop.sweep()
        shop.passes(60)
        assert shop.rows(generation) == {}
        assert shop.read().keys() == rows()


def plant(shop: RebuiltShop, planted: str) -> None:
    """Once the scan is done."""
    if not shop.tasks or shop.tasks[-1]["task"] != "scan":
        return
    table, generation = shop.service.tables["rows"], shop.standing().building
    key = (f"{generation}#ada", "o-3/a")
    if key not in table.items:
        return
    if planted == "missing":
        del table.items[key]
    elif planted == "changed":
        table.items[key] = {**table.items[key], "status": {"S": "lost"}}
    else:
        table.items[f"{generation}#eve", "o-3/a"] = {**table.items[key], "pk": {"S": f"{generation}#eve"}}


def test_a_contribution_that_is_not_what_its_aggregate_says_is_found(shop: RebuiltShop) -> None:
    def plant() -> None:
        for key, item in shop.service.tables["totals"].items.items():
            if key[0] == "1#from#o-3":
                item["amounts"]["M"]["a"]["M"]["sold"] = {"N": "2"}

    shop.after_task = plant
    shop.ask(request="rebuild", view=REVENUE, by="ann")
    shop.passes(600)
    assert (shop.standing(REVENUE).live, shop.standing(REVENUE).phase) == (None, "failed")
    assert shop.standing(REVENUE).reason == (
        "NotEqual: 2 differences from the aggregates: o-3: it contributes something else"
    )


def test_an_aggregate_that_cannot_be_projected_keeps_a_view_that_is_read_as_it_is(shop: RebuiltShop) -> None:
    shop.sweep()
    shop.passes(60)
    shop.put("o-9", 9, bad=True)
    shop.project()
    shop.ask(request="rebuild", view=ORDERS, by="ann")
    shop.passes(60)
    assert (shop.standing().live, shop.standing().phase) == (1, "failed")
    assert shop.standing().reason == "NotEqual: 1 aggregates cannot be projected: o-9: RuntimeError: no such order"
    assert shop.reasons() == [(ORDERS, "refused"), (REVENUE, "refused")], "those of the projector"
    shop.ask(request="rebuild", view=ORDERS, by="ann", tolerant=True)
    shop.passes(60)
    assert shop.standing().live == 3


def test_of_a_first_rebuild_it_is_parked_and_the_others_can_be_read(
    shop: RebuiltShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.put("o-9", 9, "ada", ["a"], bad=True)
    shop.sweep()
    shop.passes(60)
    assert shop.read().keys() == rows()
    assert shop.reasons() == [(ORDERS, "refused"), (REVENUE, "refused")]
    assert [one["reason"] for one in shop.ask(request="parked")["parked"]] == ["refused", "refused"]
    for name in ("by_customer", "revenue"):
        function = getattr(shop_module, name)
        monkeypatch.setattr(shop_module, name, lambda order, project=function: project({**order, "bad": False}))
    shop.projection = shop.new_projection()
    (begun,) = shop.ask(request="retry")["retries"]
    shop.passes(60)
    (ended,) = shop.ask(request="retry", execution=begun["execution"])["retries"]
    assert ended == {"execution": begun["execution"], "status": "SUCCEEDED", "replayed": 2, "left": 0}
    assert shop.parked() == []
    assert ("ada", "o-9/a") in shop.read()


def test_items_of_an_adopted_table_are_given_their_first_version(shop: RebuiltShop) -> None:
    shop.put("o-7", None, "ada")
    shop.sweep()
    shop.passes(60)
    assert shop.read().keys() == {*rows(), ("ada", "o-7/a")}
    shop.project()
    item = shop.service.tables["orders"].items["o-7",]
    version = int(item["_aggregate"]["M"]["version"]["N"])
    assert abs(version / 1000 - shop.now) < 100
    assert item["status"] == {"S": "open"}
    shop.put("o-7", version + 1, "bob")
    shop.project()
    assert shop.read().keys() == {*rows(), ("bob", "o-7/a")}


def test_a_cancelled_rebuild_changes_nothing_that_is_read(shop: RebuiltShop) -> None:
    shop.sweep()
    shop.passes(60)
    shop.after_task = lambda: cancel(shop)
    shop.ask(request="rebuild", view=ORDERS, by="ann")
    shop.passes(60)
    standing = shop.standing()
    assert (standing.live, standing.building, standing.phase) == (1, None, "cancelled")
    assert standing.reason == "cancelled by bob"
    assert shop.ask(request="cancel", view=ORDERS) == {"refused": f"'{ORDERS}' is not being rebuilt"}
    shop.passes(1_100)
    shop.sweep()
    shop.passes(60)
    assert shop.rows(2) == {}
    assert shop.ask(request="rebuild", view=ORDERS)["generation"] == 3


def cancel(shop: RebuiltShop) -> None:
    if shop.tasks[-1]["task"] == "scan" and shop.standing().building == 2:
        assert shop.ask(request="cancel", view=ORDERS, by="bob")["generation"] == 2


def test_a_rebuild_whose_execution_has_died_is_buried_and_begun_again(shop: RebuiltShop) -> None:
    shop.after_task = lambda: [run.stop() for run in shop.machines.runs("Rebuilding")]
    shop.sweep()
    shop.passes(60)
    assert shop.standing().building == 1
    shop.after_task = lambda: None
    shop.sweep()
    assert (shop.standing().phase, shop.standing().reason) == ("failed", "the execution ended before it was done")
    shop.sweep()
    assert (shop.standing().last, shop.standing().building) == (1, None), "not again at once"
    shop.passes(1_000)
    shop.sweep()
    shop.passes(60)
    assert shop.standing().live == 2


def test_an_execution_that_never_began_gives_its_generation_up(shop: RebuiltShop) -> None:
    shop.ask(request="rebuild", view=ORDERS, by="ann")
    shop.machines.runs("Rebuilding")[0].stop()
    shop.schedule.now += 10
    assert shop.ask(request="rebuild", view=ORDERS, by="bob")["generation"] == 2
    shop.passes(60)
    assert shop.standing().live == 2


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (NotOurs("orders_g1 is there and belongs to something else"), "NotOurs: orders_g1 is there and belongs to"),
        (SinkUnavailable("403: the role may not do it"), "403: the role may not do it"),
    ],
)
def test_a_store_that_refuses_a_generation_fails_the_rebuild_soon_and_says_why(
    shop: RebuiltShop, error: Exception, told: str
) -> None:
    class Refusing:
        def prepare(self, _: int) -> None:
            raise error

    projector = shop.projection.projector
    view: Any = projector.views[ORDERS]
    views = {ORDERS: view._replace(store=Refusing())}
    shop.projection = shop.projection._replace(projector=projector._replace(views=views))
    shop.ask(request="rebuild", view=ORDERS, by="ann")
    shop.passes(600)
    (standing,) = shop.ask(request="status", view=ORDERS)["views"]
    assert (standing["phase"], standing["live"], standing["building"]) == ("failed", None, None)
    assert standing["reason"].startswith(told)
    shop.sweep()
    shop.passes(60)
    assert shop.standing().last == 1, "not again at once"


def test_a_task_stops_in_time_and_goes_on_where_it_was(shop: RebuiltShop) -> None:
    shop.page_items = 1
    calls = iter(range(10_000))

    def slow(operation: str, arguments: dict[str, object]) -> None:  # noqa: ARG001
        shop.left -= 20 if next(calls) else 0

    shop.task_seconds = 200.0
    shop.client.meets = slow
    shop.ask(request="rebuild", view=ORDERS, by="ann", segments=1)
    shop.passes(60)
    assert shop.read().keys() == rows()
    assert [one["task"] for one in shop.tasks].count("scan") > 3
    progress = shop.ask(request="status", view=ORDERS)["views"][0]["progress"]
    assert (progress["scanned"], progress["verified"], progress["differences"]) == (7, 7, 0)


def test_more_than_forty_segments_have_executions_of_their_own(shop: RebuiltShop) -> None:
    shop.items = 1_100_000
    shop.ask(request="rebuild", view=ORDERS, by="ann")
    shop.passes(60)
    assert shop.read().keys() == rows()
    assert len([one for one in shop.tasks if one["task"] == "scan"]) == 44


def test_what_nobody_understands_is_refused(shop: RebuiltShop) -> None:
    assert shop.ask(request="dance") == {"refused": "this is nothing that the control function is asked"}
    assert shop.ask(request="rebuild", view="Bycustomer") == {
        "refused": "there is no view 'Bycustomer'; there are: ByCustomer, Revenue"
    }
    assert "refused" in shop.ask(request="rebuild", view=ORDERS, segments=0.5)


def test_a_view_whose_table_is_made_anew_is_filled_again_and_not_read_until_then(shop: RebuiltShop) -> None:
    shop.sweep()
    shop.passes(1_000)
    assert shop.standing().live == 1
    shop.service.tables["rows-2"] = shop.service.tables.pop("rows")  # CloudFormation makes it under another name
    shop.service.tables["rows-2"].items.clear()
    projector = shop.projection.projector
    view = projector.views[ORDERS]
    store = view.store._replace(table_name="rows-2")  # type: ignore[union-attr]
    views = {**projector.views, ORDERS: view._replace(store=store)}
    shop.projection = shop.projection._replace(projector=projector._replace(views=views))
    shop.put("o-7", 8, "ada", ["a", "b"])
    shop.project()
    assert shop.sweep()["rebuilds"] == 1, "what is live in the control table is not in this one"
    shop.service.tables["rows"] = shop.service.tables["rows-2"]
    shop.passes(60)
    standing = shop.standing()
    assert (standing.live, standing.store, standing.phase) == (2, "rows-2 customer order", "done")
    assert shop.read().keys() == rows(8)
    shop.sweep()
    shop.passes(60)
    assert (shop.rows(1), shop.standing().dropping) == ({}, {}), "what changes had left in it before is gone"


@pytest.mark.parametrize(
    "changed", [{"partition": "order", "sort": "customer"}, {"sort": "product"}], ids=["both", "sort key"]
)
def test_a_view_with_other_keys_is_filled_again_and_not_read_until_then(
    shop: RebuiltShop, changed: dict[str, Any]
) -> None:
    shop.sweep()
    shop.passes(1_000)
    assert shop.standing().live == 1
    projector = shop.projection.projector

    def with_products(order: dict[str, Any]) -> list[dict[str, Any]]:
        return [{**row, "product": "tea"} for row in projector.views[ORDERS].call(order)]

    view = projector.views[ORDERS]._replace(**changed, call=with_products)
    views = {**projector.views, ORDERS: view}
    shop.projection = shop.projection._replace(projector=projector._replace(views=views))
    assert shop.sweep()["rebuilds"] == 1
    shop.passes(60)
    standing = shop.standing()
    assert (standing.live, standing.phase) == (2, "done")
    assert standing.store == f"rows {view.partition} {view.sort}"
    shop.sweep()
    shop.passes(60)
    assert (shop.rows(1), shop.standing().dropping) == ({}, {}), "what is under the keys of before is gone"


UNSTORABLE: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "too large": lambda row: {**row, "note": "x" * 410_000},
    "too deep": lambda row: {**row, "note": functools.reduce(lambda inner, _: [inner], range(32), 1)},
    "too large under a name of ours": lambda row: {**row, "source": "x" * 410_000},
    "too deep under a name of ours": lambda row: {**row, "version": functools.reduce(lambda it, _: [it], range(32), 1)},
    "a number out of range": lambda row: {**row, "note": Decimal("1E200")},
    "a number with too many digits": lambda row: {**row, "note": Decimal("1" * 39)},
    "no valid text": lambda row: {**row, "note": "\ud800"},
    "an empty set": lambda row: {**row, "note": set()},
    "no type for it": lambda row: {**row, "note": object()},
    "a name that is no text": lambda row: {**row, "note": {1: 1}},
    "too long a partition key": lambda row: {**row, "customer": "x" * 2_001},
    "too long a sort key": lambda row: {**row, "order": "x" * 1_025},
    "a sort key of another kind": lambda row: {**row, "order": 5},
    "an empty key": lambda row: {**row, "customer": ""},
    "only DynamoDB knows why": lambda row: {**row, "note": "refuse me"},
}


@pytest.mark.parametrize("spoil", UNSTORABLE.values(), ids=UNSTORABLE.keys())
def test_a_row_that_the_table_refuses_is_refused_at_once(
    shop: RebuiltShop, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    """As when an index of the table has keys of another kind: one row of its aggregate, and the others are there."""

    def by_customer(order: dict[str, Any]) -> list[dict[str, Any]]:
        first, *others = original(order)
        return [spoil(first) if order["order_id"] == "o-3" else first, *others]

    original = shop_module.by_customer
    monkeypatch.setattr(shop_module, "by_customer", by_customer)
    shop.projection = shop.new_projection()
    shop.client.meets = refuse_it
    began = shop.now
    shop.sweep()
    shop.passes(60)
    assert (shop.standing().live, shop.standing().phase) == (1, "done")
    assert {key[1] for key in rows() - shop.read().keys()} in ({"o-3/a"}, {"o-3/a", "o-3/b"})
    assert shop.reasons() == [(ORDERS, "refused")]
    (told,) = shop.ask(request="status", view=ORDERS)["views"]
    assert (told["progress"]["parked"], told["progress"]["differences"]) == (1, 0)
    shop.ask(request="rebuild", view=ORDERS, by="ann")
    shop.passes(60)
    assert (shop.standing().live, shop.standing().phase) == (1, "failed")
    assert shop.standing().reason.startswith("NotEqual: 1 aggregates cannot be projected: o-3: ")
    assert shop.now - began < 200, "nobody waited for it"


def refuse_it(operation: str, arguments: dict[str, Any]) -> None:
    if "refuse me" in str(arguments.get("Item", "")):
        raise refused("ValidationException")
    if operation == "BatchExecuteStatement" and "refuse me" in str(arguments):
        raise refused("ValidationException")


def test_a_refused_row_is_compared_again_once_its_aggregate_has_changed(
    shop: RebuiltShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was refused is a version's: of a later one a row that is missing is a difference."""
    original = shop_module.by_customer

    def by_customer(order: dict[str, Any]) -> list[dict[str, Any]]:
        spoilt = order["order_id"] == "o-3" and "c" not in order["lines"]
        return [{**row, "note": "refuse me"} if spoilt else row for row in original(order)]

    monkeypatch.setattr(shop_module, "by_customer", by_customer)
    shop.projection = shop.new_projection()
    shop.client.meets = refuse_it

    def changes() -> None:
        if [one["task"] for one in shop.tasks].count("scan") == 4:
            shop.put("o-3", 40, "ada", ["a", "b", "c"])
            shop.records.clear()  # and no projector is told of it

    shop.after_task = changes
    shop.ask(request="rebuild", view=ORDERS, by="ann")
    shop.passes(600)
    assert (shop.standing().live, shop.standing().phase) == (None, "failed")
    assert "differences" in shop.standing().reason


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("view", [ORDERS, REVENUE])
def test_what_is_refused_again_since_the_scan_has_read_it_is_no_difference(
    shop: RebuiltShop, monkeypatch: pytest.MonkeyPatch, view: str, *, is_first: bool
) -> None:
    """A busy aggregate that only the table refuses: its projector parks it, of whatever version it is by now."""
    if not is_first:
        shop.sweep()
        shop.passes(1_000)
    original = shop_module.by_customer

    def by_customer(order: dict[str, Any]) -> list[dict[str, Any]]:
        return [{**row, "note": "refuse me"} if order["order_id"] == "o-3" else row for row in original(order)]

    monkeypatch.setattr(shop_module, "by_customer", by_customer)
    shop.projection = shop.new_projection()

    def refuse(operation: str, arguments: dict[str, Any]) -> None:
        refuse_it(operation, arguments)
        if operation == "TransactWriteItems" and "#from#o-3" in str(arguments):
            raise refused("ValidationException")

    shop.client.meets = refuse

    def changes() -> None:
        if shop.tasks[-1]["task"] == "scan":
            shop.put("o-3", 40 + len(shop.tasks), "ada", ["a", "b"])
            shop.project()

    shop.after_task = changes
    shop.ask(request="rebuild", view=view, by="ann")
    shop.passes(900)
    standing = shop.standing(view)
    (told,) = [one for one in shop.ask(request="status", view=view)["views"] if one["view"] == view]
    assert (told["progress"]["parked"], told["progress"]["differences"]) == (1, 0)
    assert (standing.live, standing.phase) == (1, "done" if is_first else "failed")
    if is_first:
        assert set(shop.reasons()) == {(view, "refused")}
    else:
        assert standing.reason.startswith("NotEqual: 1 aggregates cannot be projected: o-3: ")


def test_a_contribution_that_the_table_refuses_is_refused_at_once(shop: RebuiltShop) -> None:
    def refuse(operation: str, arguments: dict[str, Any]) -> None:
        if operation == "TransactWriteItems" and "#from#o-3" in str(arguments):
            raise refused("ValidationException")

    shop.client.meets = refuse
    shop.sweep()
    shop.passes(60)
    assert (shop.standing(REVENUE).live, shop.standing(REVENUE).phase) == (1, "done")
    assert shop.read(REVENUE)["a"]["sold"] == 6
    assert shop.reasons() == [(REVENUE, "refused")]
