"""The demo's checks on the API's answers: each one notices the harm it is there for."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from demo import checks
from demo.api import Answer
from demo.outcome import Outcome

from tests.runtime.shop_day import play


@pytest.fixture(scope="module")
def day() -> Outcome:
    return play()


def failing(outcome: Outcome) -> set[str]:
    return {check.name for check in checks.check(outcome) if not check.ok}


def with_answer(day: Outcome, which: Callable[[Answer], bool], **changes: object) -> Outcome:
    """The first such answer changed."""
    at = next(number for number, answer in enumerate(day.answers) if which(answer))
    changed = replace(day.answers[at], **changes)
    return replace(day, answers=[*day.answers[:at], changed, *day.answers[at + 1 :]])


def of_payment(answer: Answer) -> bool:
    return answer.call.route == "POST /payments" and answer.ok


def a_replay(answer: Answer) -> bool:
    return of_payment(answer) and answer.is_replay


def a_stranger(answer: Answer) -> bool:
    return not answer.call.caller


def a_look(answer: Answer) -> bool:
    return answer.call.route.startswith("GET") and answer.ok


def lose_an_accepted_order(day: Outcome) -> Outcome:
    (_, row), *kept = day.drained.orders.items()
    assert row["correlation_id"] in {answer.call.correlation_id for answer in day.answers}
    return replace(day, drained=replace(day.drained, orders=dict(kept)))


def store_an_order_that_was_refused(day: Outcome) -> Outcome:
    accepted = with_answer(day, lambda answer: answer.status == 202, status=503)
    lost = {answer.call.correlation_id for answer in accepted.answers if answer.status == 503}
    kept = {id: message for id, message in day.sent.items() if id not in lost}
    return replace(accepted, sent=kept)


def let_a_stranger_in(day: Outcome) -> Outcome:
    return with_answer(day, a_stranger, status=202)


def fail_once(day: Outcome) -> Outcome:
    return with_answer(day, a_look, status=502)


def fail_where_a_refusal_was_due(day: Outcome) -> Outcome:
    return with_answer(day, lambda answer: bool(answer.call.why), status=500)


def refuse_in_html(day: Outcome) -> Outcome:
    return with_answer(day, lambda answer: bool(answer.call.why), headers={"content-type": "text/html"}, body=b"<p>")


def refuse_without_a_title(day: Outcome) -> Outcome:
    return with_answer(day, lambda answer: bool(answer.call.why), body=b"{}")


def change_payments(day: Outcome, *payments: object) -> Outcome:
    return replace(day, final=replace(day.final, payments=list(payments)))


def pay_twice(day: Outcome) -> Outcome:
    return change_payments(day, *day.final.payments, {**day.final.payments[0], "payment_id": "P-twice"})


def lose_a_payment(day: Outcome) -> Outcome:
    return change_payments(day, *day.final.payments[1:])


def pay_under_another_id(day: Outcome) -> Outcome:
    first, *others = day.final.payments
    return change_payments(day, {**first, "payment_id": "P-other"}, *others)


def take_a_cent_more(day: Outcome) -> Outcome:
    first, *others = day.final.payments
    return change_payments(day, {**first, "amount": first["amount"] + 1}, *others)


def tell_another_story(day: Outcome) -> Outcome:
    return with_answer(day, a_replay, body=json.dumps({"payment_id": day.final.payments[0]["payment_id"]}).encode())


def replay_with_another_status(day: Outcome) -> Outcome:
    return with_answer(day, a_replay, status=200)


def run_again_instead_of_replaying(day: Outcome) -> Outcome:
    return with_answer(day, a_replay, headers={"content-type": "application/json"})


def show_another_total(day: Outcome) -> Outcome:
    return with_answer(day, a_look, body=b'{"order_id": "20001", "total": 0.01}')


def show_what_is_ours(day: Outcome) -> Outcome:
    shown = next(answer for answer in day.answers if a_look(answer)).json
    row = day.final.orders[shown["order_id"]]
    body = json.dumps({"order_id": shown["order_id"], "correlation_id": row["correlation_id"]}).encode()
    return with_answer(day, a_look, body=body)


ACCEPTED = "accepted by the API (202), distinct = processed + dead-lettered"
RIGHT = "calls answered as they should be"
FAILURES = "5xx, the injected one aside"
PROBLEMS = "refusals that say why, as problem+json"
ONE_PAYMENT = "one payment for each key"
MONEY = "money taken = total of the orders that are paid"
STORIES = "payment keys that were told two things"
FIRST = "first answers + lost ones = payments"
SHOWN = "orders shown as they stand in the table"


@pytest.mark.parametrize(
    ("harm", "noticed_by"),
    [
        (lose_an_accepted_order, ACCEPTED),
        (store_an_order_that_was_refused, ACCEPTED),
        (let_a_stranger_in, "2xx without a good token"),
        (let_a_stranger_in, RIGHT),
        (fail_once, FAILURES),
        (fail_once, RIGHT),
        (fail_where_a_refusal_was_due, FAILURES),
        (refuse_in_html, PROBLEMS),
        (refuse_without_a_title, PROBLEMS),
        (pay_twice, ONE_PAYMENT),
        (pay_twice, MONEY),
        (lose_a_payment, ONE_PAYMENT),
        (pay_under_another_id, ONE_PAYMENT),
        (take_a_cent_more, MONEY),
        (tell_another_story, STORIES),
        (replay_with_another_status, STORIES),
        (run_again_instead_of_replaying, FIRST),
        (show_another_total, SHOWN),
        (show_what_is_ours, SHOWN),
    ],
)
def test_harm_is_noticed(day: Outcome, harm: Callable[[Outcome], Outcome], noticed_by: str) -> None:
    assert noticed_by in failing(harm(day))


def test_no_answers_at_all_pass_no_check_of_their_work(day: Outcome) -> None:
    assert {ACCEPTED, ONE_PAYMENT} <= failing(change_payments(replace(day, answers=[])))
