"""Totals of one aggregate, in steps: what each leaves, and what DynamoDB is asked for."""

from typing import Any

import pytest

from serverless_patterns_runtime.cqrs_views import contract
from serverless_patterns_runtime.cqrs_views.statements import Contribution
from serverless_patterns_runtime.cqrs_views.totals import ROUNDS, Totals

from .shop import Shop


@pytest.fixture
def shop() -> Shop:
    return Shop()


def totals(shop: Shop, most_groups: int = 1) -> Totals:
    return Totals(shop.client, "totals", lambda: shop.now, most_groups)


def said(*groups: str, version: int = 1, measures: int = 1) -> Contribution:
    amounts = {group: {f"m{number}": 1 for number in range(measures)} for group in groups}
    return Contribution("o-1", version, None, amounts)  # type: ignore[arg-type]


def contributions(shop: Shop) -> list[Any]:
    """As they were written, one after the other."""
    puts = [request["TransactItems"][0]["Put"]["Item"] for name, request in shop.client.calls if "Transact" in name]
    return [item for item in puts if contract.AMOUNTS in item]


def test_however_many_steps_there_are_none_is_a_refusal(shop: Shop) -> None:
    groups = [f"g-{number}" for number in range(ROUNDS + 2)]
    totals(shop).write(1, said(*groups))
    assert shop.totals().keys() == {*groups}


def test_what_shrinks_goes_first_so_that_nothing_between_is_larger_than_both_ends(shop: Shop) -> None:
    small, large = {"m0": 1}, {"m0": 1, "m1": 1, "m2": 1}
    totals(shop, 2).write(1, Contribution("o-1", 1, None, {"grows": small, "shrinks": large}))  # type: ignore[dict-item]
    shop.client.calls.clear()
    totals(shop).write(1, Contribution("o-1", 2, None, {"grows": large, "shrinks": small}))  # type: ignore[dict-item]
    sizes = [sum(len(group["M"]) for group in one[contract.AMOUNTS]["M"].values()) for one in contributions(shop)]
    assert max(sizes) == 4, f"before and after it has 4 measures, and meanwhile: {sizes}"


def test_what_contributes_nothing_any_more_goes_by_itself(shop: Shop) -> None:
    totals(shop).write(1, said("a"))
    totals(shop).write(1, said(version=2))
    first, *_, last = contributions(shop)
    assert contract.TIME_TO_LIVE not in first
    assert last[contract.TIME_TO_LIVE] == {"N": str(int(shop.now) + contract.TOMBSTONE_SECONDS)}
