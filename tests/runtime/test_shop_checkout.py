"""The checkout's own functions, tested as their author would: no AWS, and a provider in this process."""

from collections.abc import Generator
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import approvals
import card
import checkout
import payment_provider
import pytest
from demo.chat import Chat, Question
from demo.provider.ledger import Ledger
from demo.provider.server import Provider

from serverless_patterns_runtime import ApprovalRequest, Invocation, PermanentError, StepInput, Unsettled
from serverless_patterns_runtime.testing import Table, commit

BASKET = {
    "checkout_id": "checkout-1",
    "customer": {"customer_id": "C001", "name": 'Café "Zoé"'},
    "lines": [
        {"product_id": 1, "unit_price": 0.335, "quantity": 1},
        {"product_id": 7, "unit_price": 9.9, "quantity": 2},
        {"product_id": 7, "unit_price": 9.9, "quantity": 1},
    ],
}
AMOUNT = 34 + 1980 + 990
INVOCATION = Invocation.fake(correlation_id="execution-1")
REFERENCE, KEY = "Checkout#execution-1#ChargeCard", "digest-1"


def tables(one: int = 1, seven: int = 3) -> dict[str, Table]:
    rows = [{"product_id": 1, "on_hand": one}, {"product_id": 7, "on_hand": seven}]
    return {"STOCK": Table(key=("product_id",), items=rows), "CHECKOUTS": Table(key=("checkout_id",))}


def on_hand(shop: dict[str, Table]) -> list[int]:
    return [row["on_hand"] for row in shop["STOCK"].items]


def to_charge(**more: Any) -> StepInput:
    key = {} if more.get("key_expired") else {"external_key": KEY}
    results = {"ReserveStock": {"amount": AMOUNT}}
    return StepInput.fake(BASKET, results=results, action_key=REFERENCE, **key, **more)


@pytest.fixture
def provider() -> Generator[Provider]:
    there = Provider(Ledger(), sleep=lambda _: None)

    def ask(path: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        if body is None:
            return there.get("/charges", parse_qs(urlsplit(path).query))
        return there.post(path, (headers or {}).get("Idempotency-Key", ""), body)

    with mock.patch.object(payment_provider, "_ask", ask):
        yield there


def test_goods_are_set_aside_and_priced_to_the_cent() -> None:
    shop = tables()
    assert commit(checkout.reserve(StepInput.fake(BASKET), INVOCATION), shop) == {"amount": AMOUNT}
    assert on_hand(shop) == [0, 0]
    (row,) = shop["CHECKOUTS"].items
    assert row == {
        "checkout_id": "checkout-1",
        "status": "RESERVED",
        "execution": "execution-1",
        "customer": BASKET["customer"],
        "lines": [{"product_id": 1, "quantity": 1}, {"product_id": 7, "quantity": 3}],
        "amount": AMOUNT,
    }


def test_of_goods_that_are_not_all_there_none_is_set_aside() -> None:
    shop = tables(seven=2)
    with pytest.raises(checkout.OutOfStock, match="product 7"):
        commit(checkout.reserve(StepInput.fake(BASKET), INVOCATION), shop)
    assert on_hand(shop) == [1, 2]
    assert shop["CHECKOUTS"].items == []


def test_goods_that_are_given_back_are_on_the_shelf_again() -> None:
    shop = tables(one=5, seven=5)
    commit(checkout.reserve(StepInput.fake(BASKET), INVOCATION), shop)
    commit(checkout.release(StepInput.fake(BASKET)), shop)
    assert on_hand(shop) == [5, 5]
    assert shop["CHECKOUTS"].items[0]["status"] == "CANCELLED"


def test_a_basket_is_checked_out_once_unless_it_was_called_off() -> None:
    shop = tables(one=5, seven=9)
    commit(checkout.reserve(StepInput.fake(BASKET), INVOCATION), shop)
    with pytest.raises(checkout.CheckedOut):
        commit(checkout.reserve(StepInput.fake(BASKET), INVOCATION), shop)
    commit(checkout.release(StepInput.fake(BASKET)), shop)
    commit(checkout.reserve(StepInput.fake(BASKET), INVOCATION), shop)
    assert on_hand(shop) == [4, 6]


def test_the_managers_chat_is_told_what_a_decision_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    with Chat() as chat:
        monkeypatch.setenv("MANAGERS_CHAT", chat.url)
        request = ApprovalRequest.fake(BASKET, results={"ReserveStock": {"amount": AMOUNT}}, id="one-time")
        approvals.ask_manager(request)
        assert chat.read() == [Question("checkout-1", "one-time")]
        assert chat.read() == []


def test_what_was_sent_is_not_given_back() -> None:
    shop = tables()
    commit(checkout.reserve(StepInput.fake(BASKET), INVOCATION), shop)
    charged = StepInput.fake(BASKET, results={"ChargeCard": {"charge_id": "ch_1"}})
    assert commit(checkout.ship(charged), shop) == {"parcel": "parcel of checkout-1"}
    with pytest.raises(Exception, match="condition"):
        commit(checkout.release(StepInput.fake(BASKET)), shop)
    assert on_hand(shop) == [0, 0]
    assert shop["CHECKOUTS"].items[0]["charge_id"] == "ch_1"


def test_a_card_is_charged_what_was_reserved_however_often_it_is_asked(provider: Provider) -> None:
    assert {card.charge(to_charge())["charge_id"] for _ in range(3)} == {"ch_000001"}
    (charge,) = provider.ledger.charges
    assert (charge.amount, charge.reference, charge.purpose) == (AMOUNT, REFERENCE, "checkout-1")


def test_a_declined_card_is_an_error_that_says_so(provider: Provider) -> None:
    provider.post("/control/faults", "", {"operation": "charge", "kind": "declines", "matching": "checkout-1"})
    with pytest.raises(card.CardDeclined):
        card.charge(to_charge())
    assert provider.ledger.charges == []


def test_while_the_provider_is_at_work_nothing_is_known(provider: Provider) -> None:
    provider.ledger.begin(KEY, REFERENCE, "checkout-1", AMOUNT)
    with pytest.raises(Unsettled):
        card.charge(to_charge())
    with pytest.raises(Unsettled):
        card.refund(to_charge())


def test_a_refund_gives_back_what_was_charged_also_when_nobody_knew(provider: Provider) -> None:
    card.charge(to_charge())
    assert card.refund(to_charge()) == {"refunded": AMOUNT}
    assert card.refund(to_charge()) == {"refunded": 0}
    assert provider.ledger.charges[0].refunded == AMOUNT


def test_after_a_refund_of_nothing_a_late_charge_is_refused(provider: Provider) -> None:
    assert card.refund(to_charge()) == {"refunded": 0}
    with pytest.raises(PermanentError, match="called off"):
        card.charge(to_charge())
    assert provider.ledger.charges == []


def test_a_key_that_was_used_for_another_amount_is_no_charge(provider: Provider) -> None:
    provider.ledger.begin(KEY, REFERENCE, "checkout-1", AMOUNT - 1)
    provider.ledger.finish(KEY)
    with pytest.raises(PermanentError, match="422"):
        card.charge(to_charge())


def test_an_answer_that_does_not_come_in_time_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_answer(*_: object) -> None:
        raise payment_provider.NoAnswer

    monkeypatch.setattr(payment_provider, "_ask", no_answer)
    for function in (card.charge, card.refund):
        with pytest.raises(Unsettled):
            function(to_charge())


def test_with_a_key_that_may_be_forgotten_nothing_is_sent(provider: Provider) -> None:
    with pytest.raises(PermanentError, match="too old"):
        card.charge(to_charge(key_expired=True))
    assert provider.ledger.charges == []
    card.charge(to_charge())
    assert card.charge(to_charge(key_expired=True)) == {"charge_id": "ch_000001"}
    assert len(provider.ledger.charges) == 1
