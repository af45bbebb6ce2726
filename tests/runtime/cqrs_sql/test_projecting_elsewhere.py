"""The shipped projector over each store but DynamoDB: views are what functions say, in whatever order records come."""

import random

import pytest

from ..cqrs_views.shop import ORDERS
from .shop_elsewhere import ShopElsewhere, a_shop, expected, history
from .sinks import Store


@pytest.fixture
def shop(shared_store: Store) -> ShopElsewhere:
    return a_shop(shared_store)


@pytest.mark.parametrize("seed", range(6))
def test_the_view_is_the_fold_of_the_log_in_any_order_and_however_often(shop: ShopElsewhere, seed: int) -> None:
    chance = random.Random(seed)
    history(shop, chance)
    records = [*shop.records, *chance.choices(shop.records, k=10)]
    chance.shuffle(records)
    environments = [shop.projection, shop.new_projection()]
    for start in range(0, len(records), 4):
        assert not shop.project(records[start : start + 4], by=chance.choice(environments))
    assert shop.rows() == expected(shop)
    assert not shop.parked()


def test_a_generation_that_is_built_gets_every_change_too(shop: ShopElsewhere) -> None:
    shop.point(ORDERS, live=1, building=2)
    history(shop, random.Random(1))
    assert not shop.project()
    assert shop.rows(1) == shop.rows(2) == expected(shop)
