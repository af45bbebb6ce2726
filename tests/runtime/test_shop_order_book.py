"""What becomes of an order in the order book, and what is seen of it, tested as its author would: no AWS, no set-up."""

from typing import Any

import pytest
from bookkeeping import by_customer, decide, revenue, sales, total

from serverless_patterns_runtime import Command, PermanentError, Sources

TEA = {"product_id": 1, "cents": 450, "quantity": 2}
POT = {"product_id": 7, "cents": 2_500, "quantity": 1}


def an_order(status: str = "PLACED", *lines: dict[str, int]) -> dict[str, Any]:
    return {"order_id": "B1", "customer_id": "C001", "lines": [*(lines or (TEA,))], "status": status}


def after(order: dict[str, Any] | None, name: str, body: Any = None) -> dict[str, Any]:
    """The order, once this command is decided."""
    decision = decide(order, Command.fake(name, body, key="B1"))
    assert decision.state is not None
    return {"order_id": "B1", **decision.state}


def test_an_order_lives_from_its_placing_to_its_shipping() -> None:
    order = after(None, "place", {"order_id": "B1", "customer_id": "C001", "lines": [TEA]})
    assert order == an_order()
    order = after(order, "add", {"line": POT})
    assert total(order) == 3_400
    order = after(order, "pay", {"cents": 3_400})
    assert after(order, "ship") == an_order("SHIPPED", TEA, POT)


@pytest.mark.parametrize("status", ["PLACED", "PAID"])
def test_what_is_not_on_its_way_can_be_cancelled(status: str) -> None:
    assert after(an_order(status), "cancel") == an_order("CANCELLED")


@pytest.mark.parametrize(
    ("order", "name", "body", "status", "why"),
    [
        (None, "pay", {"cents": 900}, 404, "no such order"),
        (an_order(), "place", {"order_id": "B1", "customer_id": "C002", "lines": [POT]}, 409, "already"),
        (an_order(), "pay", {"cents": 901}, 409, "costs 900 cents"),
        (an_order(), "ship", None, 409, "PLACED"),
        (an_order("PAID"), "add", {"line": POT}, 409, "PAID"),
        (an_order("PAID"), "pay", {"cents": 900}, 409, "PAID"),
        (an_order("SHIPPED"), "cancel", None, 409, "SHIPPED"),
        (an_order("CANCELLED"), "pay", {"cents": 900}, 409, "CANCELLED"),
        (an_order("PLACED", *[TEA] * 200), "add", {"line": POT}, 409, "PLACED"),
    ],
)
def test_what_must_not_be_is_refused_with_its_reason(
    order: dict[str, Any] | None, name: str, body: Any, status: int, why: str
) -> None:
    with pytest.raises(PermanentError, match=why) as refused:
        decide(order, Command.fake(name, body, key="B1"))
    assert refused.value.status == status


def test_a_decision_leaves_the_order_that_it_was_given_as_it_is() -> None:
    order = an_order()
    after(order, "add", {"line": POT})
    assert order == an_order()


def test_a_customer_sees_his_orders_but_not_the_cancelled_ones() -> None:
    row = {"customer_id": "C001", "order_id": "B1", "status": "PAID", "lines": 2, "cents": 3_400}
    assert by_customer(an_order("PAID", TEA, POT)) == [row]
    assert by_customer(an_order("CANCELLED")) == []


def test_only_paid_orders_count_as_revenue_product_by_product() -> None:
    assert revenue(an_order("SHIPPED", TEA, POT, TEA)) == {
        "1": {"cents": 1_800, "pieces": 4},
        "7": {"cents": 2_500, "pieces": 1},
    }
    assert revenue(an_order("PLACED")) == revenue(an_order("CANCELLED")) == {}


def test_the_dashboard_says_how_many_how_much_and_of_what() -> None:
    products = [{"product_id": str(n), "cents": 100 * n, "pieces": n} for n in range(1, 8)]
    rows = [{"status": "PAID"}, {"status": "PLACED"}, {"status": "PAID"}]
    told = sales(Sources.fake({"ByCustomer": rows, "Revenue": [*products, {"product_id": "8"}]}))
    assert told["orders"] == {"PAID": 2, "PLACED": 1}
    assert told["cents"] == 2_800
    assert [it["product_id"] for it in told["best"]] == ["7", "6", "5", "4", "3"]
