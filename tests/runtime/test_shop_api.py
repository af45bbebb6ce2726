"""The shop's functions behind its API, tested as their author would: no AWS, no set-up."""

from decimal import Decimal
from typing import Any

import orders
import payments
import pytest
from demo import wholesale
from jsonschema import Draft4Validator
from schemas import ORDER, PAYMENT

from serverless_patterns_runtime import Caller, Invocation, PermanentError, Request, Response
from serverless_patterns_runtime.testing import Table, commit

DESK = Caller("desk-1", claims={"scope": "orders payments"})
ROW = {
    "order_id": "20001",
    "status": "FULFILLED",
    "customer": {"customer_id": "C001", "name": "Épicerie Zoé"},
    "ship_to": None,
    "lines": [{"product_id": 1, "quantity": 2}],
    "total": Decimal("25.05"),
    "correlation_id": "web-1",
}


def ask(order_id: str, caller: Caller = DESK) -> Any:
    request = Request.fake("GET /orders/{order_id}", params={"order_id": order_id}, caller=caller)
    return orders.get(request, Invocation.fake(tables={"ORDERS": Table(key=["order_id"], items=[ROW])}))


def test_an_order_is_shown_without_what_is_only_ours() -> None:
    assert ask("20001") == {name: value for name, value in ROW.items() if name != "correlation_id"}


def test_an_order_that_is_not_there_is_not_found() -> None:
    with pytest.raises(PermanentError) as refused:
        ask("20002")
    assert refused.value.status == 404


def test_orders_are_shown_to_tokens_for_orders_only() -> None:
    with pytest.raises(PermanentError) as refused:
        ask("20001", Caller("desk-2", claims={"scope": "payments"}))
    assert refused.value.status == 403


class Till:
    def __init__(self, **changed: Any) -> None:
        self.orders = Table(key=["order_id"], items=[ROW | changed])
        self.payments = Table(key=["payment_id"])
        self.tables = {"ORDERS": self.orders, "PAYMENTS": self.payments}

    def take(self, key: str = "key-of-desk-1-and-more", caller: Caller = DESK, **changed: Any) -> Any:
        body = {"order_id": "20001", "amount": 25.05, "method": "card"} | changed
        invocation = Invocation.fake(idempotency_key=key, tables=self.tables, correlation_id="till-1")
        return commit(payments.take(Request.fake("POST /payments", body=body, caller=caller), invocation), self.tables)


def test_a_payment_is_a_row_and_a_paid_order() -> None:
    till = Till()
    payment_id = "P-key-of-desk-1-and-mo"
    answer = Response(201, {"payment_id": payment_id, "order_id": "20001", "status": "PAID"})
    assert till.take() == answer
    assert till.payments.items == [
        {
            "payment_id": payment_id,
            "order_id": "20001",
            "amount": Decimal("25.05"),
            "method": "card",
            "taken_by": "desk-1",
            "correlation_id": "till-1",
        }
    ]
    assert till.orders.get(order_id="20001") == ROW | {"status": "PAID", "payment_id": payment_id}


@pytest.mark.parametrize(
    ("row", "payment", "status"),
    [
        ({}, {"order_id": "20002"}, 404),
        ({}, {"amount": 25.06}, 409),
        ({}, {"amount": 25}, 409),
        ({"status": "PAID"}, {}, 409),
        ({}, {"caller": Caller("desk-2", claims={"scope": "orders"})}, 403),
    ],
    ids=["unknown order", "too much", "too little", "paid already", "no scope for it"],
)
def test_what_cannot_be_paid_changes_nothing(row: dict[str, Any], payment: dict[str, Any], status: int) -> None:
    till = Till(**row)
    with pytest.raises(PermanentError) as refused:
        till.take(**payment)
    assert refused.value.status == status
    assert till.payments.items == []
    assert till.orders.items == [ROW | row]


def test_two_payments_of_one_order_cannot_both_be_committed_whatever_they_have_read() -> None:
    till = Till()
    request = Request.fake("POST /payments", body={"order_id": "20001", "amount": 25.05, "method": "card"}, caller=DESK)
    both = [payments.take(request, Invocation.fake(idempotency_key=key, tables=till.tables)) for key in ("a", "b")]
    commit(both[0], till.tables)
    with pytest.raises(PermanentError) as refused:
        commit(both[1], till.tables)
    assert refused.value.status == 409
    assert len(till.payments.items) == 1


def test_the_schemas_are_of_the_draft_that_the_gateway_knows() -> None:
    for schema in (ORDER, PAYMENT):
        Draft4Validator.check_schema(schema)


def test_every_invented_order_fits_its_schema() -> None:
    fits = Draft4Validator(ORDER)
    assert [list(fits.iter_errors(order)) for order in wholesale.generate(800)] == [[]] * 800


def test_numbers_have_the_same_limits_for_the_gateway_and_for_the_business() -> None:
    line = ORDER["properties"]["lines"]["items"]["properties"]
    assert line["quantity"]["maximum"] == line["unit_price"]["maximum"] == orders.MAX_AMOUNT
    assert ORDER["properties"]["freight"]["maximum"] == orders.MAX_AMOUNT
