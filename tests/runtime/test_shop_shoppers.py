"""The demo's checkouts: who buys what, whom what befalls, when each may start, and what a history tells."""

from collections import Counter
from dataclasses import replace

import checkout_saga
import jmespath
import pytest
from demo import shoppers, stock, wholesale
from demo.evening import Queue
from demo.saga_faults import _fault
from demo.sagas import _way
from demo.troubles import APPROVED_UP_TO, RESERVE, SDK_ATTEMPTS, SHIP, STEPS, TROUBLES, AtProvider, OnTheWire
from jsonschema import Draft4Validator
from schemas import CHECKOUT

ORDERS = wholesale.generate(120)
OPENING = stock.opening_stock(ORDERS)
SOLD_OUT = OPENING.sold_out | OPENING.unlisted
PLANNED = shoppers.plan(ORDERS, SOLD_OUT, 120)


def test_everything_befalls_somebody_and_most_of_them_nothing() -> None:
    befallen = Counter(one.trouble.label for one in PLANNED)
    assert {trouble.label: min(trouble.times, 2) for trouble in TROUBLES}.items() <= befallen.items()
    assert befallen["nothing"] > len(PLANNED) / 2


def test_few_checkouts_have_every_trouble_too() -> None:
    few = shoppers.plan(ORDERS, SOLD_OUT, 60)
    assert Counter(one.trouble.label for one in few if one.trouble.step) == Counter(it.label for it in TROUBLES)


def test_something_befalls_every_step_and_every_compensation() -> None:
    wire = {(it.step, it.undo) for trouble in TROUBLES for it in trouble.breaks if isinstance(it, OnTheWire)}
    assert {(RESERVE, False), (RESERVE, True), (SHIP, False)} <= wire
    at_provider = {
        (it.operation, it.kind) for trouble in TROUBLES for it in trouble.breaks if isinstance(it, AtProvider)
    }
    charges = {("charge", kind) for kind in ("declines", "fails", "slow", "late", "down")}
    assert charges | {("refund", "fails"), ("refund", "down")} <= at_provider
    assert {trouble.step for trouble in TROUBLES if trouble.kills} == {*STEPS}


def test_only_who_is_to_find_nothing_wants_what_is_sold_out() -> None:
    for one in PLANNED:
        assert bool(one.goods.keys() & SOLD_OUT) == one.trouble.out_of_stock
        assert one.goods.total() > 0


def test_the_shelves_are_filled_with_what_can_be_had() -> None:
    goods = Counter[int]()
    for one in PLANNED:
        goods += Counter() if one.trouble.out_of_stock else one.goods
    assert shoppers.wanted(PLANNED) == goods
    assert not goods.keys() & SOLD_OUT


def test_some_need_a_manager_and_who_is_rejected_does() -> None:
    asked = [one for one in PLANNED if one.needs_approval]
    assert {one.checkout_id for one in PLANNED if one.trouble.rejected} < {one.checkout_id for one in asked}
    assert len(asked) < len(PLANNED) / 4
    assert APPROVED_UP_TO == checkout_saga.APPROVED_UP_TO


def test_a_basket_fits_the_schema_of_the_api() -> None:
    for one in PLANNED:
        Draft4Validator(CHECKOUT).validate(one.basket)


def test_the_same_seed_gives_the_same_evening() -> None:
    assert shoppers.plan(ORDERS, SOLD_OUT, 120) == PLANNED


@pytest.mark.parametrize("undo", [False, True])
def test_a_fault_on_the_wire_meets_the_commits_of_its_checkout_and_step_alone(undo: bool) -> None:
    shopper = replace(PLANNED[0], checkout_id="checkout-0001")
    fault = _fault(OnTheWire("lost", RESERVE, undo=undo, times=SDK_ATTEMPTS), shopper)
    condition = jmespath.compile(fault.body)

    def commit(claim: str, **row: object) -> bool:
        taken = {"Update": {"Key": {"product_id": {"N": "1"}}}}
        return condition.search({"TransactItems": [{"Put": {"Item": {"claim": {"S": claim}}}}, taken, row]})

    def put(id: str) -> dict[str, object]:
        return {"Item": {"checkout_id": {"S": id}}}

    ending = "#compensation" if undo else ""
    claim = f"Checkout#execution-1#ReserveStock{ending}"
    assert commit(claim, Put=put("checkout-0001"))
    assert commit(claim, Update={"Key": {"checkout_id": {"S": "checkout-0001"}}})
    assert not commit(claim, Put=put("checkout-0002"))
    assert not commit(f"Checkout#execution-1#ReserveStock{'' if undo else '#compensation'}", Put=put("checkout-0001"))
    assert not commit(f"Checkout#execution-1#Ship{ending}", Put=put("checkout-0001"))
    assert not condition.search({"TransactItems": [{"Update": {}}]})


def test_few_start_at_first_and_never_too_many() -> None:
    queue = Queue([*PLANNED], at_first=2, at_once=5)
    inside: set[str] = set()
    sizes = []
    while queue.waiting:
        inside |= {shopper.checkout_id for shopper in queue.admit(inside)}
        sizes.append(len(inside))
        inside.pop()
    assert sizes[:5] == [2, 3, 4, 5, 5]
    assert max(sizes) == 5


def test_a_history_tells_the_way_and_where_tries_failed() -> None:
    def entered(kind: str, name: str) -> dict[str, object]:
        return {"type": f"{kind}StateEntered", "stateEnteredEventDetails": {"name": name}}

    events = [
        {"type": "ExecutionStarted"},
        entered("Task", "ReserveStock"),
        {"type": "LambdaFunctionScheduled"},
        {"type": "LambdaFunctionFailed"},
        {"type": "LambdaFunctionTimedOut"},
        {"type": "LambdaFunctionSucceeded"},
        entered("Task", "Park Ship"),
        {"type": "TaskFailed"},
        entered("Choice", "Undone"),
        {"type": "ExecutionFailed"},
    ]
    assert _way(events) == (["ReserveStock", "Park Ship", "Undone"], ["ReserveStock", "ReserveStock", "Park Ship"])
