"""The demo's checks on checkouts: they hold when all went well, and each one notices the harm it is there for."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from demo import saga_checks
from demo.cashdesk import LOOK, START
from demo.checkouts import Checkouts
from demo.hostile import APPROVALS
from demo.sagas import Execution
from demo.troubles import COMPENSATED, COMPENSATION_PARKED, ENDS, FORWARD_PARKED, SUCCEEDED, TROUBLES

from tests.runtime.shop_evening import play


@pytest.fixture(scope="module")
def evening() -> Checkouts:
    return play()


def failing(seen: Checkouts) -> set[str]:
    return {check.name for check in saga_checks.check(seen) if not check.ok}


def first(seen: Checkouts, holds: Callable[[Execution], bool]) -> str:
    """Its checkout, of those that nobody has resumed."""
    return next(id for id, it in seen.executions.items() if holds(it) and id not in seen.resumed)


def one(seen: Checkouts, status: str) -> str:
    return first(seen, lambda execution: execution.status == status)


def with_execution(seen: Checkouts, id: str, **changes: object) -> Checkouts:
    return replace(seen, executions={**seen.executions, id: replace(seen.executions[id], **changes)})


def with_row(seen: Checkouts, id: str, status: str) -> Checkouts:
    rows = {**seen.books.checkouts, id: {**seen.books.checkouts[id], "status": status}}
    return replace(seen, books=replace(seen.books, checkouts=rows))


def with_answer(seen: Checkouts, route: str, **changes: object) -> Checkouts:
    """The first good one changed."""
    at = next(number for number, answer in enumerate(seen.answers) if answer.call.route == route and answer.ok)
    changed = replace(seen.answers[at], **changes)
    return replace(seen, answers=[*seen.answers[:at], changed, *seen.answers[at + 1 :]])


def lose_an_execution(seen: Checkouts) -> Checkouts:
    lost = one(seen, SUCCEEDED)
    return replace(seen, executions={id: it for id, it in seen.executions.items() if id != lost})


def leave_one_running(seen: Checkouts) -> Checkouts:
    return with_execution(seen, one(seen, SUCCEEDED), status="RUNNING")


def end_otherwise(seen: Checkouts) -> Checkouts:
    return with_execution(seen, one(seen, SUCCEEDED), status=COMPENSATED)


def undo_in_order(seen: Checkouts) -> Checkouts:
    id = first(seen, lambda it: it.status == COMPENSATED and "Undo ChargeCard" in it.path)
    swapped = {"Undo ChargeCard": "Undo ReserveStock", "Undo ReserveStock": "Undo ChargeCard"}
    return with_execution(seen, id, path=[swapped.get(state, state) for state in seen.executions[id].path])


def undo_twice(seen: Checkouts) -> Checkouts:
    id = first(seen, lambda it: it.status == COMPENSATED and "Undo ReserveStock" in it.path)
    return with_execution(seen, id, path=[*seen.executions[id].path, "Undo ReserveStock"])


def lose_a_piece(seen: Checkouts) -> Checkouts:
    product = next(iter(seen.books.stock))
    stock = {**seen.books.stock, product: seen.books.stock[product] - 1}
    return replace(seen, books=replace(seen.books, stock=stock))


def mix_up_two_shelves(seen: Checkouts) -> Checkouts:
    one, other, *_ = seen.books.stock
    stock = {**seen.books.stock, one: seen.books.stock[one] - 1, other: seen.books.stock[other] + 1}
    return replace(seen, books=replace(seen.books, stock=stock))


def forget_to_ship(seen: Checkouts) -> Checkouts:
    return with_row(seen, one(seen, SUCCEEDED), "RESERVED")


def give_parked_goods_back(seen: Checkouts) -> Checkouts:
    id = first(seen, lambda it: it.status == COMPENSATION_PARKED and it.parked("ReserveStock"))
    return with_row(seen, id, "CANCELLED")


def charge_twice(seen: Checkouts) -> Checkouts:
    return replace(seen, books=replace(seen.books, charges=[*seen.books.charges, seen.books.charges[0]]))


def keep_the_money(seen: Checkouts) -> Checkouts:
    charges = [replace(charge, refunded=0) for charge in seen.books.charges]
    return replace(seen, books=replace(seen.books, charges=charges))


def send_without_money(seen: Checkouts) -> Checkouts:
    sent = one(seen, SUCCEEDED)
    charges = [charge for charge in seen.books.charges if charge.purpose != sent]
    return replace(seen, books=replace(seen.books, charges=charges))


def charge_somebody_else(seen: Checkouts) -> Checkouts:
    """The sum stays the same."""
    sent, undone = one(seen, SUCCEEDED), one(seen, COMPENSATED)
    charges = [replace(charge, purpose=undone) if charge.purpose == sent else charge for charge in seen.books.charges]
    return replace(seen, books=replace(seen.books, charges=charges))


def charge_a_declined_card(seen: Checkouts) -> Checkouts:
    """And give it back."""
    declined = next(one for one in seen.shoppers if one.trouble.name == "declined")
    charge = seen.books.charges[0]
    back = replace(charge, purpose=declined.checkout_id, refunded=charge.amount)
    return replace(seen, books=replace(seen.books, charges=[*seen.books.charges, back]))


def start_one_twice(seen: Checkouts) -> Checkouts:
    return replace(seen, started=seen.started + 1)


def tell_a_key_two_things(seen: Checkouts) -> Checkouts:
    return with_answer(seen, START, body=b'{"execution": "another one"}')


def leave_one_undecided(seen: Checkouts) -> Checkouts:
    path = next(answer.call.path for answer in seen.answers if answer.call.route == APPROVALS)
    return replace(seen, answers=[answer for answer in seen.answers if answer.call.path != path])


def show_something_else(seen: Checkouts) -> Checkouts:
    return with_answer(seen, LOOK, body=b'{"status": "RUNNING"}')


def forget_who_was_resumed(seen: Checkouts) -> Checkouts:
    """Callers are told of the end before."""
    id = next(iter(seen.resumed))
    execution = seen.executions[id]
    own = b'{"status": "%s"}' % execution.status.encode()
    told = [
        replace(answer, body=own) if answer.call.route == LOOK and answer.call.path.endswith(execution.name) else answer
        for answer in seen.answers
    ]
    return replace(seen, answers=told)


def resume_in_vain(seen: Checkouts) -> Checkouts:
    name = next(iter(seen.resumed))
    return replace(seen, resumed={**seen.resumed, name: COMPENSATION_PARKED})


def resume_none_of_a_kind(seen: Checkouts) -> Checkouts:
    name, *_ = seen.resumed
    kept = {id: outcome for id, outcome in seen.resumed.items() if id != name}
    return replace(seen, resumed=kept, open=[*seen.open, name])


def lose_one_that_is_parked(seen: Checkouts) -> Checkouts:
    return replace(seen, open=seen.open[1:])


def list_one_that_was_resumed(seen: Checkouts) -> Checkouts:
    return replace(seen, open=[*seen.open, *seen.resumed])


def miss_a_fault(seen: Checkouts) -> Checkouts:
    first, *others = seen.struck
    return replace(seen, struck=[replace(first, fired=first.least - 1), *others])


def spare_everybody_one_trouble(seen: Checkouts) -> Checkouts:
    return replace(seen, shoppers=[each for each in seen.shoppers if each.trouble is not TROUBLES[0]])


HARM: dict[Callable[[Checkouts], Checkouts], str] = {
    lose_an_execution: "checkouts that have ended",
    leave_one_running: "checkouts that have ended",
    end_otherwise: "checkouts that ended as what befell them demands",
    undo_in_order: "checkouts undone in reverse, each step once",
    undo_twice: "checkouts undone in reverse, each step once",
    lose_a_piece: "stock = opening stock - sent and set aside, pieces",
    mix_up_two_shelves: "products whose stock is off after the checkouts",
    forget_to_ship: "checkouts whose row says how they ended",
    give_parked_goods_back: "checkouts whose row says how they ended",
    charge_twice: "cards charged twice",
    keep_the_money: "cents that the provider keeps = price of what was sent or is parked",
    send_without_money: "checkouts whose money is off",
    charge_somebody_else: "checkouts whose money is off",
    charge_a_declined_card: "checkouts charged if and only if they had to be",
    start_one_twice: "one execution for each key, and no other",
    tell_a_key_two_things: "checkout keys that were told two things",
    leave_one_undecided: "large checkouts decided by a manager",
    show_something_else: "checkouts shown as they are",
    forget_who_was_resumed: "resumed checkouts whose callers are told of that end",
    resume_in_vain: "parked checkouts resumed by hand to a good end, one at each step",
    resume_none_of_a_kind: "parked checkouts resumed by hand to a good end, one at each step",
    lose_one_that_is_parked: "parked checkouts that still wait for a person, as listed",
    list_one_that_was_resumed: "parked checkouts that still wait for a person, as listed",
    miss_a_fault: "troubles injected into checkouts that struck",
    spare_everybody_one_trouble: "kinds of trouble that befell a checkout",
}


def test_every_check_holds_when_nothing_went_wrong_but_what_was_to(evening: Checkouts) -> None:
    assert failing(evening) == set()


@pytest.mark.parametrize("harm", HARM, ids=lambda harm: harm.__name__)
def test_harm_is_noticed(evening: Checkouts, harm: Callable[[Checkouts], Checkouts]) -> None:
    assert HARM[harm] in failing(harm(evening))


@pytest.mark.parametrize("status", ENDS)
def test_an_end_that_nobody_came_to_is_noticed(evening: Checkouts, status: str) -> None:
    others = {id: it for id, it in evening.executions.items() if it.status != status}
    assert f"checkouts: {status}" in failing(replace(evening, executions=others))


def test_money_that_no_refund_gives_back_and_goods_that_are_paid_for_stay_where_they_are(evening: Checkouts) -> None:
    id = one(evening, FORWARD_PARKED)
    assert evening.books.status(id) == "RESERVED"
    assert evening.books.kept()[id] > 0
