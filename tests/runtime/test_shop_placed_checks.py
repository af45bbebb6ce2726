"""The demo's checks on a marketplace's orders: they hold when all went well, and each notices its harm."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from demo.placed import checks, report
from demo.placed.orders import ANALYTICS, DEPARTMENTS, INVENTORY, INVOICING, LARGE, Placement, plan
from demo.placed.outcome import Department, Placed
from showing.timeline import Handled

from tests.runtime.shop_placed import CLOSED, play


@pytest.fixture(scope="module")
def placed() -> Placed:
    return play()


def failing(seen: Placed) -> set[str]:
    return {check.name for check in checks.check(seen) if not check.ok}


def an_order(seen: Placed, which: Callable[[Placement], Any]) -> str:
    return next(one.order_id for one in seen.orders if which(one))


def is_well(order: Placement) -> bool:
    return not order.missing and not order.stalled


def changed(seen: Placed, name: str, **changes: Any) -> Placed:
    return replace(seen, departments={**seen.departments, name: replace(seen.departments[name], **changes)})


def with_row(seen: Placed, which: Callable[[Placement], Any], **changes: Any) -> Placed:
    order = an_order(seen, which)
    return replace(seen, rows={**seen.rows, order: {**seen.rows[order], **changes}})


def without(department: Department, order: str) -> list[Handled]:
    return [line for line in department.handled if not line.correlation_id.endswith(order)]


def never_analyse(seen: Placed) -> Placed:
    order = an_order(seen, lambda one: is_well(one) and ANALYTICS in one.expected)
    return changed(seen, ANALYTICS, handled=without(seen.departments[ANALYTICS], order))


def analyse_a_small_order(seen: Placed) -> Placed:
    order = an_order(seen, lambda one: is_well(one) and ANALYTICS not in one.expected)
    line = replace(seen.departments[ANALYTICS].handled[0], correlation_id=f"market-{order}")
    return changed(seen, ANALYTICS, handled=[*seen.departments[ANALYTICS].handled, line])


def lose_a_dead_letter(seen: Placed) -> Placed:
    (_, *letters) = seen.departments[INVENTORY].dead_letters
    return changed(seen, INVENTORY, dead_letters=letters)


def bury_what_was_done(seen: Placed) -> Placed:
    department = seen.departments[INVOICING]
    letter = replace(seen.departments[INVENTORY].dead_letters[0], correlation_id=department.handled[0].correlation_id)
    return changed(seen, INVOICING, dead_letters=[letter])


def forget_an_invoice(seen: Placed) -> Placed:
    return replace(seen, invoices=dict([*seen.invoices.items()][1:]))


def use_a_number_twice(seen: Placed) -> Placed:
    (first, row), (second, other), *_ = seen.invoices.items()
    return replace(seen, invoices={**seen.invoices, first: row, second: {**other, "number": row["number"]}})


def pick_twice(seen: Placed) -> Placed:
    product, count = next(iter(seen.stock.items()))
    return replace(seen, stock={**seen.stock, product: count - 1})


def mix_up_two_shelves(seen: Placed) -> Placed:
    (one, count), (other, more), *_ = seen.stock.items()
    return replace(seen, stock={**seen.stock, one: count - 1, other: more + 1})


def do_it_twice(seen: Placed) -> Placed:
    order = an_order(seen, lambda one: one.tellings > 1 and is_well(one))
    lines = seen.departments[INVOICING].handled
    again = [replace(line, outcome="Succeeded") if line.correlation_id.endswith(order) else line for line in lines]
    return changed(seen, INVOICING, handled=again)


def end_twice(seen: Placed) -> Placed:
    lines = seen.completions.handled
    return replace(seen, completions=replace(seen.completions, handled=[*lines, lines[0]]))


def never_end(seen: Placed) -> Placed:
    order = an_order(seen, is_well)
    return replace(seen, rows={id: row for id, row in seen.rows.items() if id != order})


def work_while_standing_still(seen: Placed) -> Placed:
    order = an_order(seen, lambda one: one.stalled and one.missing)
    lines = seen.departments[ANALYTICS].handled
    early = [replace(line, at=CLOSED + 1) if line.correlation_id.endswith(order) else line for line in lines]
    return changed(seen, ANALYTICS, handled=early)


def wait_for_analytics(seen: Placed) -> Placed:
    order = an_order(seen, lambda one: one.stalled)
    lines = seen.departments[INVENTORY].handled
    late = [replace(line, at=seen.stalled[1] + 1) if line.correlation_id.endswith(order) else line for line in lines]
    return changed(seen, INVENTORY, handled=late)


HARM: dict[Callable[[Placed], Placed], str] = {
    never_analyse: "Analytics: published = processed + dead-lettered",
    analyse_a_small_order: "Analytics: published = processed + dead-lettered",
    lose_a_dead_letter: "Inventory: published = processed + dead-lettered",
    bury_what_was_done: "Invoicing: published = processed + dead-lettered",
    forget_an_invoice: "marketplace orders with one invoice",
    use_a_number_twice: "invoice numbers, distinct",
    pick_twice: "pieces taken from stock = pieces ordered, product by product",
    mix_up_two_shelves: "pieces taken from stock = pieces ordered, product by product",
    do_it_twice: "orders told of twice, done once by each",
    end_twice: "marketplace orders that have ended, once each",
    never_end: "marketplace orders that have ended, once each",
    work_while_standing_still: "done by Analytics while it stood still",
    wait_for_analytics: "done by Inventory meanwhile",
}


def test_every_check_holds_when_nothing_went_wrong_but_what_was_to(placed: Placed) -> None:
    assert failing(placed) == set()


def test_an_end_whose_function_was_stopped_before_it_could_say_so_is_one_end(placed: Placed) -> None:
    first, *lines = placed.completions.handled
    again = replace(first, outcome="Duplicate", receive_count=2)
    assert failing(replace(placed, completions=replace(placed.completions, handled=[*lines, again]))) == set()


def test_a_check_says_which_order_is_missing_and_where_it_was_seen_last(placed: Placed) -> None:
    order = an_order(placed, lambda one: one.stalled and not one.missing)
    lines = placed.departments[INVENTORY].handled
    failed = replace(lines[0], correlation_id=f"market-{order}", outcome="Failed")
    gone = without(placed.departments[INVENTORY], order)
    told = f"{order} accepted, {{}}, its row is there, READY"
    for handled, said in ((gone, "no line in the log"), ([*gone, failed], "Failed at receive 1")):
        why = [one.why for one in checks.check(changed(placed, INVENTORY, handled=handled)) if not one.ok]
        assert why[0] == why[-1] == told.format(said)
    assert not any(one.why for one in checks.check(placed))


@pytest.mark.parametrize("harm", HARM, ids=lambda harm: harm.__name__)
def test_harm_is_noticed(placed: Placed, harm: Callable[[Placed], Placed]) -> None:
    assert HARM[harm] in failing(harm(placed))


@pytest.mark.parametrize(
    ("which", "changes", "noticed_by"),
    [
        (is_well, {"done": [INVOICING]}, "READY with every department's result"),
        (is_well, {"status": "ATTENTION"}, "READY with every department's result"),
        (lambda one: one.missing, {"missing": []}, "ATTENTION at the deadline, naming what is missing"),
        (lambda one: one.missing, {"status": "READY"}, "ATTENTION at the deadline, naming what is missing"),
        (is_well, {"invoice": "I-another"}, "invoice numbers handed to the end = in the table"),
    ],
)
def test_an_order_that_ended_otherwise_is_noticed(
    placed: Placed, which: Callable[[Placement], Any], changes: dict[str, Any], noticed_by: str
) -> None:
    assert failing(with_row(placed, which, **changes)) == {noticed_by}


@pytest.mark.parametrize(
    ("harm", "noticed_by"),
    [
        (lambda seen: replace(seen, late={}), "late results refused"),
        (lambda seen: changed(seen, ANALYTICS, undelivered=1), "messages that SNS could not deliver"),
        (lambda seen: changed(seen, INVOICING, left=1), "messages left in a department's queue"),
        (
            lambda seen: replace(
                seen, completions=replace(seen.completions, dead_letters=seen.departments[INVENTORY].dead_letters)
            ),
            "ends that could not be told of",
        ),
        (lambda seen: replace(seen, struck=[replace(seen.struck[0], fired=0)]), "fault fired: Result <lost>"),
    ],
)
def test_what_is_left_or_never_struck_is_noticed(
    placed: Placed, harm: Callable[[Placed], Placed], noticed_by: str
) -> None:
    assert failing(harm(placed)) == {noticed_by}


@pytest.mark.parametrize("count", [16, 40])
def test_the_plan_has_orders_of_every_kind_in_each_half(count: int) -> None:
    orders = plan(count)
    assert len({one.order_id for one in orders}) == 2 * count
    for stalled in (False, True):
        half = [one for one in orders if one.stalled == stalled and not one.fails_in]
        assert {len(one.expected) for one in half} == {2, 3}
        assert {one.tellings for one in half} == {1, 2}
    assert {one.fails_in for one in orders} == {"", INVENTORY, ANALYTICS}
    assert all(one.missing == {one.fails_in} for one in orders if one.fails_in)
    assert all((one.body["cents"] >= LARGE) == (ANALYTICS in one.expected) for one in orders)


def test_the_section_shows_each_department_and_each_end(placed: Placed) -> None:
    section = report.section(placed)
    assert section.count("<svg") == 1
    for name in DEPARTMENTS:
        assert f"<td>{name}</td>" in section
    assert "without Analytics" in section
    assert "without Inventory" in section
    assert "Result &lt;lost&gt;" in section
    assert report.Story(placed).figures()["charts"][0].keys() == {*DEPARTMENTS, "ended"}
