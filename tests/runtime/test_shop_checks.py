"""The demo's checks: all hold after a good day, and each one notices the harm it is there for."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from demo import checks
from demo.outcome import Outcome, State
from showing import timeline
from showing.deployed import DeadLetter
from showing.timeline import Event, Handled, Invocation

from tests.runtime.shop_day import CAP, NOON, play


@pytest.fixture(scope="module")
def day() -> Outcome:
    return play()


def failing(outcome: Outcome) -> set[str]:
    return {check.name for check in checks.check(outcome) if not check.ok}


def test_a_good_day_passes_every_check(day: Outcome) -> None:
    assert failing(day) == set()


def test_names_of_checks_are_unique(day: Outcome) -> None:
    names = [check.name for check in checks.check(day)]
    assert len(names) == len(set(names))


def with_final(day: Outcome, **changes: object) -> Outcome:
    return replace(day, final=replace(day.final, **changes))


def lose_an_order(day: Outcome) -> Outcome:
    (lost, _), *kept = day.final.orders.items()
    assert lost in day.drained.orders
    return with_final(replace(day, drained=replace(day.drained, orders=dict(kept))), orders=dict(kept))


def lose_a_dead_letter(day: Outcome) -> Outcome:
    return replace(day, drained=replace(day.drained, dead_letters=day.drained.dead_letters[1:]))


def take_stock_twice(day: Outcome) -> Outcome:
    product, count = next(iter(day.final.stock.items()))
    return with_final(day, stock={**day.final.stock, product: count - 1})


def shift_stock_between_products(day: Outcome) -> Outcome:
    (one, count), (other, more), *_ = day.final.stock.items()
    return with_final(day, stock={**day.final.stock, one: count - 1, other: more + 1})


def garble_a_name(day: Outcome) -> Outcome:
    order_id, row = next(iter(day.final.orders.items()))
    return with_final(day, orders={**day.final.orders, order_id: {**row, "customer": {"name": "Ã‰picerie"}}})


def round_a_total(day: Outcome) -> Outcome:
    order_id, row = next(iter(day.final.orders.items()))
    return with_final(day, orders={**day.final.orders, order_id: {**row, "total": row["total"] + 1}})


def bury_a_healthy_order(day: Outcome) -> Outcome:
    row = next(row for row in day.drained.orders.values())
    letter = DeadLetter("dead", day.sent[row["correlation_id"]].body, "exhausted", "", row["correlation_id"])
    return replace(day, drained=replace(day.drained, dead_letters=[*day.drained.dead_letters, letter]))


def change_letters(day: Outcome, **changes: object) -> Outcome:
    first, *others = day.drained.dead_letters
    return replace(day, drained=replace(day.drained, dead_letters=[replace(first, **changes), *others]))


def fulfil_the_contradiction_too(day: Outcome) -> Outcome:
    letters = [letter for letter in day.drained.dead_letters if letter.error_type != "IdempotencyKeyReused"]
    return replace(day, drained=replace(day.drained, dead_letters=letters))


def fulfil_less_than_redriven(day: Outcome) -> Outcome:
    return with_final(day, orders=day.drained.orders)


def run_one_more_than_the_cap(day: Outcome) -> Outcome:
    return replace(day, invocations=[*day.invocations, Invocation("one too many", NOON + 0.1, NOON + 0.2)])


def never_fill_the_queue(day: Outcome) -> Outcome:
    return replace(day, samples=[replace(sample, waiting=3) for sample in day.samples])


def leave_a_message(day: Outcome) -> Outcome:
    return replace(day, left=1)


def miss_with_a_fault(day: Outcome) -> Outcome:
    return replace(day, faults=[replace(day.faults[0], fired=0), *day.faults[1:]])


@pytest.mark.parametrize(
    ("harm", "noticed_by"),
    [
        (lose_an_order, "processed + dead-lettered = sent, after the drain"),
        (lose_an_order, "processed + dead-lettered = sent, after the redrive"),
        (lose_an_order, "each order fulfilled once"),
        (lose_a_dead_letter, "processed + dead-lettered = sent, after the drain"),
        (lose_a_dead_letter, "hopeless messages dead-lettered, distinct"),
        (take_stock_twice, "stock = opening stock - ordered, pieces"),
        (shift_stock_between_products, "products whose stock is off"),
        (garble_a_name, "orders whose total or text changed on the way"),
        (round_a_total, "orders whose total or text changed on the way"),
        (bury_a_healthy_order, "healthy orders dead-lettered"),
        (bury_a_healthy_order, "processed + dead-lettered = sent, after the drain"),
        (lambda day: change_letters(day, reason=""), "dead letters with their reason"),
        (lambda day: change_letters(day, body="{}"), "dead letters with their body unchanged"),
        (
            lambda day: change_letters(day, correlation_id="unknown"),
            "processed + dead-lettered = sent, after the drain",
        ),
        (fulfil_the_contradiction_too, "same order id, other content: refused"),
        (fulfil_less_than_redriven, "redriven = fulfilled, distinct orders"),
        (run_one_more_than_the_cap, "peak invocations at once"),
        (never_fill_the_queue, "peak depth of the queue: ten times the cap"),
        (leave_a_message, "messages left in the queue"),
        (miss_with_a_fault, "fault fired: Answer <lost>"),
    ],
)
def test_harm_is_noticed(day: Outcome, harm: Callable[[Outcome], Outcome], noticed_by: str) -> None:
    assert noticed_by in failing(harm(day))


def test_nothing_at_all_passes_no_conservation_check(day: Outcome) -> None:
    nothing = State(orders={}, stock={}, payments=[], dead_letters=[])
    assert {"each order fulfilled once", "redriven = fulfilled, distinct orders"} <= failing(
        replace(day, drained=nothing, final=nothing, redriven=[])
    )


def test_invocations_are_read_from_report_lines_alone() -> None:
    events = [
        Event(NOON, "1", "START RequestId: a Version: $LATEST"),
        Event(NOON, "1", '{"message": "REPORT RequestId: x"}'),
        Event(NOON + 3, "2", "Worker process died"),
        Event(NOON + 3, "2", "REPORT RequestId: b\tDuration: 500 ms\tBilled Duration: 500 ms"),
        Event(NOON + 2, "1", "REPORT RequestId: a\tDuration: 1500.5 ms\tBilled Duration: 1501 ms"),
    ]
    assert timeline.invocations(events) == [
        Invocation("a", NOON + 0.4995, NOON + 2),
        Invocation("b", NOON + 2.5, NOON + 3, died=True),
    ]


def test_what_became_of_a_message_is_read_from_structured_lines_alone() -> None:
    line = {"outcome": "Failed", "message_id": "m", "correlation_id": "c", "receive_count": 2}
    events = [
        Event(NOON + 1, "1", json.dumps(line)),
        Event(NOON, "1", json.dumps(line | {"outcome": "Succeeded", "message_id": "n"})),
        Event(NOON, "1", "REPORT RequestId: a"),
        Event(NOON, "1", '{"level": "INFO", "message": "of the business function"}'),
        Event(NOON, "1", "[1]"),
    ]
    assert timeline.handled(events) == [
        Handled(NOON, "n", "c", "Succeeded", 2),
        Handled(NOON + 1, "m", "c", "Failed", 2),
    ]
    assert [line.settled for line in timeline.handled(events)] == [True, False]


def test_an_invocation_that_starts_as_another_ends_is_not_counted_beside_it() -> None:
    runs = [Invocation("a", 0, 1), Invocation("b", 1, 2), Invocation("c", 1.5, 3)]
    assert timeline.in_flight(runs) == [(0, 1), (1, 0), (1, 1), (1.5, 2), (2, 1), (3, 0)]
    assert timeline.peak(timeline.in_flight(runs)) == 2


def test_the_age_is_that_of_the_oldest_message_that_is_not_done() -> None:
    ages = dict(timeline.oldest_age({"a": 10, "b": 11}, {"a": 13}, until=15, step=1))
    assert ages == {10: 0, 11: 1, 12: 2, 13: 2, 14: 3, 15: 0}


def test_the_cap_of_the_day_is_used(day: Outcome) -> None:
    assert timeline.peak(timeline.in_flight(day.invocations)) == CAP


def test_the_longest_pause_is_between_two_runs_not_before_or_after() -> None:
    runs = [Invocation("a", 10, 11), Invocation("b", 12, 13), Invocation("c", 20, 21), Invocation("d", 21, 22)]
    assert timeline.longest_idle(timeline.in_flight(runs)) == (13, 20)
    assert timeline.longest_idle(timeline.in_flight(runs[:1])) == (0, 0)
