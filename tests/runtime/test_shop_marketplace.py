"""What the departments do with a marketplace's order, tested as their author would: no AWS, no set-up."""

from typing import Any

import pytest
from marketplace import analyse, finish, invoice, pick

from serverless_patterns_runtime import Completion, Invocation, PermanentError
from serverless_patterns_runtime.testing import Table, commit

LINES = [{"product_id": 1, "unit_price": 9.9, "quantity": 2}, {"product_id": 1, "unit_price": 9.9, "quantity": 1}]
ORDER: dict[str, Any] = {
    "order_id": "M1",
    "customer": {"customer_id": "C001"},
    "country": "Norway",
    "cents": 2_970,
    "lines": LINES,
}


def a_shop(on_hand: int = 5) -> dict[str, Table]:
    by_order = {name: Table(key=("order_id",)) for name in ("PICKS", "INVOICES", "PLACED")}
    return {"STOCK": Table(key=("product_id",), items=[{"product_id": 1, "on_hand": on_hand}]), **by_order}


def test_inventory_takes_the_goods_from_stock_and_lists_them() -> None:
    shop = a_shop()
    assert commit(pick(ORDER), shop) == {"pieces": 3}
    assert shop["STOCK"].get(product_id=1) == {"product_id": 1, "on_hand": 2}
    assert shop["PICKS"].items == [{"order_id": "M1", "goods": [{"product_id": 1, "quantity": 3}]}]


def test_what_is_out_of_stock_is_not_picked_in_part() -> None:
    shop = a_shop(on_hand=2)
    with pytest.raises(PermanentError, match="out of stock"):
        commit(pick(ORDER), shop)
    assert shop["PICKS"].items == []


def test_an_order_has_one_invoice_whose_number_stands() -> None:
    shop = a_shop()
    told = commit(invoice(ORDER), shop)
    with pytest.raises(PermanentError):
        commit(invoice(ORDER), shop)
    assert [row["number"] for row in shop["INVOICES"].items] == [told["number"]]


def test_two_orders_have_two_numbers() -> None:
    assert invoice(ORDER).result != invoice({**ORDER, "order_id": "M2"}).result


def test_analytics_refuses_a_market_that_nobody_has_set_up() -> None:
    assert analyse(ORDER, Invocation.fake()) == {"market": "Norway"}
    with pytest.raises(PermanentError, match="market"):
        analyse({**ORDER, "country": "Atlantis"}, Invocation.fake())


def test_an_order_is_ready_when_all_are_done_and_ends_once() -> None:
    shop = a_shop()
    done = {"Inventory": {"pieces": 3}, "Invoicing": {"number": "I-1"}}
    commit(finish(Completion(key="M1", results=done)), shop)
    assert shop["PLACED"].items == [
        {"order_id": "M1", "status": "READY", "done": ["Inventory", "Invoicing"], "missing": [], "invoice": "I-1"}
    ]
    with pytest.raises(PermanentError):
        commit(finish(Completion(key="M1", results=done)), shop)


def test_at_the_deadline_it_needs_attention_and_says_what_is_missing() -> None:
    shop = a_shop()
    late = Completion(key="M1", outcome="deadline", results={"Inventory": {"pieces": 3}}, missing=["Invoicing"])
    commit(finish(late), shop)
    (row,) = shop["PLACED"].items
    assert (row["status"], row["missing"], row["invoice"]) == ("ATTENTION", ["Invoicing"], None)
