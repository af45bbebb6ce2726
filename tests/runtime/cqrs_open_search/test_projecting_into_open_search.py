"""The shipped projector over OpenSearch, as far as that is not `cqrs_sql/test_projecting_elsewhere.py`."""

import json

import pytest

from serverless_patterns_runtime.cqrs_views.projector import PARK_AFTER_SECONDS

from ..cqrs_sql.shop_elsewhere import ShopElsewhere, a_shop, expected
from ..cqrs_views.shop import ORDERS
from .domain_model import Said
from .store import REAL, OpenSearchStore


@pytest.fixture
def shop(store: OpenSearchStore) -> ShopElsewhere:
    return a_shop(store)


def test_one_that_cannot_be_kept_is_parked_and_the_others_are_written(shop: ShopElsewhere) -> None:
    shop.put("o-1", 1)
    shop.put("o-2", 1, customer="a" * 600)
    shop.put("o-3", 1)
    assert not shop.project()
    assert {sort for _, sort in shop.rows()} == {"o-1/a", "o-3/a"}
    assert shop.reasons() == [(ORDERS, "refused")]


@pytest.mark.skipif(REAL is not None, reason="a fault that only the model can have")
def test_nothing_is_answered_as_done_while_the_domain_is_away(shop: ShopElsewhere, store: OpenSearchStore) -> None:
    shop.put("o-1", 1)
    store.server.model.faults.append(lambda *_: Said(503, "<html>"))
    assert shop.project() == [shop.records[0]["dynamodb"]["SequenceNumber"]]
    store.server.model.faults.clear()
    assert not shop.project()
    assert shop.rows() == expected(shop)


@pytest.mark.skipif(REAL is not None, reason="a fault that only the model can have")
def test_what_the_domain_says_is_told_with_what_it_did_not_take(shop: ShopElsewhere, store: OpenSearchStore) -> None:
    shop.put("o-1", 1)
    store.server.model.faults.append(lambda *_: Said(403, '{"error": {"type": "security_exception"}}'))
    shop.now += PARK_AFTER_SECONDS + 2
    assert not shop.project()
    store.server.model.faults.clear()
    (name,) = shop.parked()
    told = "OpenSearch answers 403 security_exception: the function's role may not do it"
    assert json.loads(shop.s3.objects["parked"][name])["message"].startswith(told)
