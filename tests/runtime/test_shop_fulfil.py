"""The shop's business function, tested as its author would: no AWS, no set-up."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orders import MAX_PRODUCTS, fulfil, line_total

from serverless_patterns_runtime import Attr, Effects, Invocation, PermanentError, Put, Update
from serverless_patterns_runtime.testing import Table, commit

INVOCATION = Invocation.fake(correlation_id="message-7")


def line(product: int = 1, quantity: int = 2, price: float = 9.9, discount: float = 0) -> dict[str, Any]:
    return {"product_id": product, "quantity": quantity, "unit_price": price, "discount": discount}


def order(*lines: Any, **fields: Any) -> dict[str, Any]:
    return {"order_id": "20001", "freight": 5.25, "lines": list(lines)} | fields


def tables(**on_hand: int) -> dict[str, Table]:
    rows = [{"product_id": int(name[1:]), "on_hand": count} for name, count in on_hand.items()]
    return {"ORDERS": Table(key=("order_id",)), "STOCK": Table(key=("product_id",), items=rows)}


def test_an_order_is_one_row_and_one_update_for_each_product() -> None:
    effects = fulfil(order(line(1, 2), line(7, 3), customer={"name": 'Café "Zoé"'}, ship_to=None), INVOCATION)
    assert effects == Effects(
        writes=[
            Put(
                "ORDERS",
                {
                    "order_id": "20001",
                    "status": "FULFILLED",
                    "customer": {"name": 'Café "Zoé"'},
                    "ship_to": None,
                    "lines": [{"product_id": 1, "quantity": 2}, {"product_id": 7, "quantity": 3}],
                    "total": Decimal("54.75"),
                    "correlation_id": "message-7",
                },
                condition=Attr("order_id").not_exists(),
                otherwise=PermanentError("already fulfilled"),
            ),
            Update(
                "STOCK",
                {"product_id": 1},
                add={"on_hand": -2},
                condition=Attr("on_hand") >= 2,
                otherwise=PermanentError("out of stock or unknown: product 1, 2 wanted"),
            ),
            Update(
                "STOCK",
                {"product_id": 7},
                add={"on_hand": -3},
                condition=Attr("on_hand") >= 3,
                otherwise=PermanentError("out of stock or unknown: product 7, 3 wanted"),
            ),
        ],
        result={"order_id": "20001"},
    )


def test_a_product_on_two_lines_is_taken_once_with_both_quantities() -> None:
    shop = tables(p1=10)
    commit(fulfil(order(line(1, 2, discount=0.1), line(1, 3)), INVOCATION), shop)
    assert shop["STOCK"].get(product_id=1) == {"product_id": 1, "on_hand": 5}
    assert shop["ORDERS"].items[0]["total"] == Decimal("52.77")


@pytest.mark.parametrize("product", [1, 404])
def test_what_is_sold_out_or_unknown_refuses_the_whole_order_and_takes_nothing(product: int) -> None:
    shop = tables(p1=1, p2=10)
    with pytest.raises(PermanentError, match=f"^out of stock or unknown: product {product}, 2 wanted$"):
        commit(fulfil(order(line(2, 5), line(product, 2)), INVOCATION), shop)
    assert shop["ORDERS"].items == []
    assert shop["STOCK"].get(product_id=2) == {"product_id": 2, "on_hand": 10}


def test_an_order_that_is_in_the_table_is_never_fulfilled_again() -> None:
    shop = tables(p1=10)
    commit(fulfil(order(line()), INVOCATION), shop)
    with pytest.raises(PermanentError, match=r"^already fulfilled$"):
        commit(fulfil(order(line()), INVOCATION), shop)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"lines": []}, "an order needs at least one line"),
        ({"lines": None}, "an order needs at least one line"),
        ({"lines": ["12 x Plum Jam"]}, "every line needs a product_id, a whole number"),
        ({"lines": [line() | {"product_id": "1"}]}, "every line needs a product_id, a whole number"),
        ({"lines": [line() | {"product_id": True}]}, "every line needs a product_id, a whole number"),
        ({"lines": [line(quantity=0)]}, "quantity must be a whole number from 1 to 1,000,000"),
        ({"lines": [line(quantity=-4)]}, "quantity must be a whole number from 1 to 1,000,000"),
        ({"lines": [line() | {"quantity": 1.5}]}, "quantity must be a whole number from 1 to 1,000,000"),
        ({"lines": [line() | {"quantity": "two"}]}, "quantity must be a whole number from 1 to 1,000,000"),
        ({"lines": [line() | {"quantity": 10**400}]}, "quantity must be a whole number from 1 to 1,000,000"),
        ({"lines": [line(price=-1)]}, "unit_price must be a number from 0 to 1,000,000"),
        ({"lines": [line(price=1e300)]}, "unit_price must be a number from 0 to 1,000,000"),
        ({"lines": [line() | {"unit_price": None}]}, "unit_price must be a number from 0 to 1,000,000"),
        ({"lines": [line(discount=1)]}, "discount must be below 1, got 1"),
        ({"lines": [line(discount=-0.1)]}, "discount must be a number from 0 to 1,000,000"),
        ({"freight": "free"}, "freight must be a number from 0 to 1,000,000"),
    ],
)
def test_what_no_retry_can_mend_is_refused_with_its_reason(broken: dict[str, Any], reason: str) -> None:
    with pytest.raises(PermanentError) as refused:
        fulfil(order(line()) | broken, INVOCATION)
    assert str(refused.value) == reason


def test_the_largest_order_fits_into_one_transaction_and_one_product_more_is_refused() -> None:
    def of(count: int) -> dict[str, Any]:
        return order(*[line(product) for product in range(1, count + 1)])

    effects = fulfil(of(MAX_PRODUCTS), INVOCATION)
    assert len(effects.writes) == 99
    with pytest.raises(PermanentError, match=r"^an order may name at most 98 products, this one names 99$"):
        fulfil(of(MAX_PRODUCTS + 1), INVOCATION)


@pytest.mark.parametrize(
    ("priced", "cents"),
    [
        (line(price=0.1, quantity=3), "0.30"),  # as floats 0.30000000000000004
        (line(price=1.15, quantity=1, discount=0.5), "0.58"),  # 0.575: half up
        (line(price=1.25, quantity=1, discount=0.1), "1.13"),  # 1.125: half up, where half even gives 1.12
        (line(price=18.4, quantity=21, discount=0.15), "328.44"),
    ],
)
def test_a_line_is_rounded_half_up_to_the_cent(priced: dict[str, Any], cents: str) -> None:
    assert str(line_total(priced)) == cents


@given(
    cents=st.integers(0, 100_000_000),
    quantity=st.integers(1, 1000),
    percent=st.integers(0, 99),
)
def test_a_line_is_exact_for_every_price_in_cents_and_discount_in_percent(
    cents: int, quantity: int, percent: int
) -> None:
    exact, rest = divmod(cents * quantity * (100 - percent), 100)
    priced = line(price=cents / 100, quantity=quantity, discount=percent / 100)
    assert line_total(priced) * 100 == exact + (rest >= 50)
