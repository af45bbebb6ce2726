"""A view gets other keys: its functions are updated one after the other, and perhaps rolled back."""

from typing import Any

import pytest

from serverless_patterns_runtime.cqrs_views.dynamodb_sink import DynamoDbSink
from serverless_patterns_runtime.cqrs_views.inserting import InsertingSink
from serverless_patterns_runtime.cqrs_views.projection import Projection

from .rebuilt import RebuiltShop
from .shop import ORDERS


@pytest.fixture
def shop() -> RebuiltShop:
    shop = RebuiltShop()
    for number in range(3):
        shop.put(f"o-{number}", number + 1, "ada")
    shop.records.clear()  # older than the views
    shop.sweep()
    shop.passes(60)
    return shop


def with_other_keys(shop: RebuiltShop) -> Projection:
    projector = shop.projection.projector
    view = projector.views[ORDERS]

    def with_products(order: dict[str, Any]) -> list[dict[str, Any]]:
        return [{**row, "product": "tea"} for row in view.call(order)]

    changed = view._replace(partition="product", call=with_products)
    return shop.projection._replace(projector=projector._replace(views={**projector.views, ORDERS: changed}))


def change(shop: RebuiltShop) -> None:
    shop.put("o-9", 9, "ada")
    shop.delete("o-1", 8)


def settles(shop: RebuiltShop) -> None:
    """The stream goes on as Lambda lets it, and the schedule asks every minute."""
    for _ in range(20):
        if not shop.project():
            shop.records.clear()
        shop.sweep()
        shop.passes(60)
        if shop.parked():
            shop.retry()


def is_right(shop: RebuiltShop, partition: str) -> bool:
    readable = shop.controls().control.is_readable(ORDERS, shop.standing())
    return readable and shop.read().keys() == {(partition, f"o-{number}/a") for number in (0, 2, 9)}


@pytest.mark.parametrize("late", [0, 400], ids=["at once", "later than it is parked"])
@pytest.mark.parametrize("swept", [False, True], ids=["projector first", "projector last"])
def test_what_changes_in_the_middle_of_an_update_is_in_the_view_in_either_order(
    shop: RebuiltShop, swept: bool, late: float
) -> None:
    before, after = shop.projection, with_other_keys(shop)
    if swept:  # the others are new, and have filled it, before the projector is
        shop.projection = after
        assert shop.sweep()["rebuilds"] == 1
        shop.passes(60)
        assert shop.standing().live == 2
        old, shop.projection = shop.rows(2), before
    else:
        old, shop.projection = shop.rows(1), after
    change(shop)
    shop.passes(late)
    assert bool(shop.project()) is not bool(late), "the batch comes again, or is parked"
    assert len(shop.parked()) == (2 if late else 0)
    assert shop.rows(shop.standing().live or 0) == old, "nothing is written under the keys of others"
    shop.projection = after
    settles(shop)
    assert is_right(shop, "tea")
    assert not shop.parked()


@pytest.mark.parametrize("begun", ["not yet", "begun", "scanned"])
@pytest.mark.parametrize("late", [0, 400], ids=["at once", "later than it is parked"])
def test_what_changes_in_a_deployment_that_is_rolled_back_is_in_the_view(
    shop: RebuiltShop, begun: str, late: float
) -> None:
    before, shop.projection = shop.projection, with_other_keys(shop)
    change(shop)
    shop.passes(late)
    shop.project()
    if begun != "not yet":

        def roll_back() -> None:
            if shop.tasks[-1]["task"] == ("start" if begun == "begun" else "scan"):
                shop.projection = before

        shop.after_task = roll_back
        shop.sweep()
        shop.passes(60)
        assert shop.projection is before
    shop.projection, shop.after_task = before, lambda: None
    settles(shop)
    assert is_right(shop, "ada")
    assert not shop.parked()


@pytest.mark.parametrize("phase", ["start", "scan", "verify"])
def test_a_rebuild_in_the_middle_of_which_the_keys_change_ends_and_another_one_fills_the_view(
    shop: RebuiltShop, phase: str
) -> None:
    after = with_other_keys(shop)

    def deploy() -> None:
        if shop.tasks[-1]["task"] == phase:
            shop.projection = after

    shop.after_task = deploy
    shop.ask(request="rebuild", view=ORDERS, by="ann")
    shop.passes(60)
    standing = shop.standing()
    assert (standing.live, standing.phase) == (1, "failed"), "half of it would be under other keys"
    assert "others than when this rebuild began" in standing.reason
    assert shop.sweep()["rebuilds"] == 1, "at once: what has failed was not of these keys"
    change(shop)
    settles(shop)
    assert is_right(shop, "tea")


def test_a_view_that_moves_to_another_store_and_on_is_filled_there(shop: RebuiltShop) -> None:
    projector = shop.projection.projector
    view = projector.views[ORDERS]
    assert isinstance(view.store, DynamoDbSink)
    for generation, place in enumerate(("sql a/shop", "sql b/shop"), 2):
        dropped = drops(shop)
        moved = view._replace(store=InsertingSink(view.store), place=place)  # any that is not DynamoDB's own
        views = {**projector.views, ORDERS: moved}
        shop.projection = shop.projection._replace(projector=projector._replace(views=views))
        change(shop)
        assert shop.project(), "nothing is written to generations that are not there"
        shop.after_task = lambda dropped=dropped: no_drop_before_the_flip(shop, dropped)
        settles(shop)
        assert shop.standing().live == generation
        assert shop.standing().store == f"{place} customer order"
        assert is_right(shop, "ada")


def drops(shop: RebuiltShop) -> int:
    return len([task for task in shop.tasks if task["task"] == "drop"])


def no_drop_before_the_flip(shop: RebuiltShop, dropped: int) -> None:
    """Other programs may still read it."""
    if shop.standing().live is None:
        shop.sweep()
        assert drops(shop) == dropped


def test_changes_wait_for_nobody_where_there_is_no_generation(shop: RebuiltShop) -> None:
    shop.projection = with_other_keys(shop)
    shop.sweep()
    shop.after_task = lambda: shop.ask(request="cancel", view=ORDERS, by="ann")
    shop.passes(60)
    assert (shop.standing().live, shop.standing().building) == (None, None)
    projector = shop.projection.projector
    view = projector.views[ORDERS]._replace(partition="order")
    shop.projection = shop.projection._replace(projector=projector._replace(views={ORDERS: view}))
    change(shop)
    assert not shop.project(), "whatever begins later reads it"


def test_a_rebuild_that_other_code_would_finish_is_not_read(shop: RebuiltShop) -> None:
    after = with_other_keys(shop)

    def deploy() -> None:
        if [task["task"] for task in shop.tasks[-4:]] == ["verify"] * 4:
            shop.projection = after

    shop.after_task = deploy
    shop.ask(request="rebuild", view=ORDERS, by="ann")
    shop.passes(60)
    assert [task["task"] for task in shop.tasks].count("flip") == 2 + 1  # of the first rebuilds, and this
    assert (shop.standing().live, shop.standing().phase) == (1, "failed")


def test_a_view_of_which_a_rebuild_was_cancelled_once_is_filled_when_its_keys_change(shop: RebuiltShop) -> None:
    def cancel() -> None:
        if shop.standing().building is not None:
            shop.ask(request="cancel", view=ORDERS, by="ann")

    shop.after_task = cancel
    shop.ask(request="rebuild", view=ORDERS, by="ann")
    shop.passes(60)
    assert (shop.standing().phase, shop.standing().live) == ("cancelled", 1)
    shop.after_task = lambda: None
    assert shop.sweep()["rebuilds"] == 0
    shop.projection = with_other_keys(shop)
    change(shop)
    settles(shop)
    assert is_right(shop, "tea")


def test_a_cancel_of_these_keys_counts(shop: RebuiltShop) -> None:
    shop.projection = with_other_keys(shop)
    shop.after_task = lambda: shop.ask(request="cancel", view=ORDERS, by="ann")
    shop.sweep()
    shop.passes(60)
    assert shop.standing().phase == "cancelled"
    shop.passes(2_000)
    assert shop.sweep()["rebuilds"] == 0, "somebody did not want it"


def test_the_status_says_why_nobody_can_read_what_is_live(shop: RebuiltShop) -> None:
    shop.projection = with_other_keys(shop)
    (told,) = shop.ask(request="status", view=ORDERS)["views"]
    assert (told["live"], told["phase"]) == (None, "done")
    assert "its keys, or where it is kept, are others now" in told["reason"]
    settles(shop)
    (told,) = shop.ask(request="status", view=ORDERS)["views"]
    assert (told["live"], told["reason"]) == (2, "")
