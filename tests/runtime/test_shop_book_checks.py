"""The demo's checks on the order book: they hold when all went well, and each notices its harm."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from demo.book import checks, report
from demo.book.customers import OwnWrite
from demo.book.orders import HOT, HOT_CUSTOMER, TOLD_TWICE, Command, life
from demo.book.outcome import Book

from tests.runtime.shop_book import play


@pytest.fixture(scope="module")
def book() -> Book:
    return play()


def failing(seen: Book) -> set[str]:
    return {check.name for check in checks.check(seen) if not check.ok}


def add_a_line_twice(seen: Book) -> Book:
    order = seen.orders[HOT]
    twice = {**order, "lines": [*order["lines"], order["lines"][-1]], "version": order["version"] + 1}
    return replace(seen, orders={**seen.orders, HOT: twice})


def lose_a_command(seen: Book) -> Book:
    order = seen.orders[HOT]
    return replace(seen, orders={**seen.orders, HOT: {**order, "lines": order["lines"][:-1]}})


def skip_a_version(seen: Book) -> Book:
    at = max(number for number, entry in enumerate(seen.entries) if entry.command.order_id == HOT)
    jumped = replace(seen.entries[at], version=seen.entries[at].version + 1)
    return replace(
        seen,
        entries=[*seen.entries[:at], jumped, *seen.entries[at + 1 :]],
        orders={**seen.orders, HOT: {**seen.orders[HOT], "version": jumped.version}},
    )


def keep_a_row_of_nobody(seen: Book) -> Book:
    row = {"customer_id": "C9", "order_id": "B-9", "status": "PAID", "lines": 1, "cents": 1}
    return replace(seen, rows={**seen.rows, "B-9": row})


def show_an_old_row(seen: Book) -> Book:
    old = {HOT: {**seen.lists[HOT_CUSTOMER][HOT], "lines": 3}}
    return replace(seen, lists={**seen.lists, HOT_CUSTOMER: old})


def count_a_sale_twice(seen: Book) -> Book:
    (product, amounts), *_ = seen.revenue.items()
    return replace(seen, revenue={**seen.revenue, product: {**amounts, "cents": 2 * amounts["cents"]}})


def show_an_old_dashboard(seen: Book) -> Book:
    return replace(seen, dashboard={**seen.dashboard, "orders": {}})


def never_build_the_dashboard(seen: Book) -> Book:
    return replace(seen, dashboard=None)


def answer_otherwise_the_second_time(seen: Book) -> Book:
    return replace(seen, unlike=[seen.entries[0].command.id])


def not_see_ones_own_write(seen: Book) -> Book:
    look = seen.looks[0]
    return replace(seen, looks=[OwnWrite(look.order_id, look.expected, {"status": "OLD"}, 0.1), *seen.looks[1:]])


def show_an_empty_page(seen: Book) -> Book:
    return replace(seen, pages=[replace(seen.pages[0], rows={}), *seen.pages[1:]])


def refuse_a_page(seen: Book) -> Book:
    return replace(seen, pages=[replace(seen.pages[0], status=503), *seen.pages[1:]])


def read_nothing_meanwhile(seen: Book) -> Book:
    return replace(seen, pages=[])


def never_flip(seen: Book) -> Book:
    return replace(seen, progress=[replace(one, live=1) for one in seen.progress])


def differ(seen: Book) -> Book:
    return replace(seen, progress=[*seen.progress[:-1], replace(seen.progress[-1], differences=1)])


def compare_nothing(seen: Book) -> Book:
    return replace(seen, progress=[*seen.progress[:-1], replace(seen.progress[-1], verified=0)])


def park_a_change(seen: Book) -> Book:
    return replace(seen, parked=1)


def let_a_change_past_the_commands_through(seen: Book) -> Book:
    return replace(seen, scribbled=0)


def break_nothing(seen: Book) -> Book:
    return replace(seen, struck=[replace(seen.struck[0], fired=0)])


LEDGER, OWN = "orders as the demo's own ledger has them", "customers' own writes, seen by the next look"
PAGES = "pages read meanwhile, none empty or half new"
DASHBOARD = "dashboard = what it is to say"
HARM: dict[Callable[[Book], Book], str] = {
    add_a_line_twice: LEDGER,
    lose_a_command: LEDGER,
    skip_a_version: "accepted commands = changes of orders, by their versions",
    keep_a_row_of_nobody: "rows of the view's table, no other order's",
    show_an_old_row: "lists of customers = fold of what was accepted, in orders",
    count_a_sale_twice: "revenue of each product, in cents",
    show_an_old_dashboard: DASHBOARD,
    never_build_the_dashboard: DASHBOARD,
    answer_otherwise_the_second_time: "commands sent twice, answered alike",
    not_see_ones_own_write: OWN,
    show_an_empty_page: PAGES,
    refuse_a_page: PAGES,
    read_nothing_meanwhile: PAGES,
    never_flip: "generations that were read, one after the other",
    differ: "differences that the rebuild has found",
    compare_nothing: "orders that it compared",
    park_a_change: "changes still parked, once a command and a retry have followed",
    let_a_change_past_the_commands_through: "a change past the commands, parked for each view",
    break_nothing: "fault fired: Row <refused>",
}


def test_every_check_holds_when_nothing_went_wrong_but_what_was_to(book: Book) -> None:
    assert failing(book) == set()


@pytest.mark.parametrize("harm", HARM, ids=lambda harm: harm.__name__)
def test_harm_is_noticed_by_its_own_check_alone(book: Book, harm: Callable[[Book], Book]) -> None:
    assert failing(harm(book)) == {HARM[harm]}


def test_every_check_has_its_harm(book: Book) -> None:
    unharmed = {check.name for check in checks.check(book)} - {*HARM.values()}
    assert unharmed == {"lines of the order that everybody wants"}


def test_a_line_that_the_ledger_has_and_the_order_has_not_is_one_of_fifty(book: Book) -> None:
    last = max(number for number, entry in enumerate(book.entries) if entry.command.order_id == HOT)
    without = replace(book, entries=[*book.entries[:last], *book.entries[last + 1 :]])
    assert "lines of the order that everybody wants" in failing(without)


def test_customers_do_all_that_can_be_done_with_an_order() -> None:
    commands = [command for n in range(1, 4) for number in range(1, 7) for command in life(f"c{n}", number)]
    assert {command.name for command in commands} == {"place", "add", "pay", "ship", "cancel"}
    assert any(command.why for command in commands)
    assert 0 < sum(command.tellings > 1 for command in commands) < 2 * TOLD_TWICE * len(commands)


def test_a_command_has_an_id_of_its_own() -> None:
    commands: list[Command] = [command for number in range(1, 30) for command in life("c1", number)]
    ids = {command.id for command in commands}
    wrong = [command for command in commands if command.order_id == "B-NOBODY"]
    assert len(ids) == len(commands) - len(wrong) + len({command.id for command in wrong})


def test_the_section_shows_the_lag_the_rebuild_and_every_check(book: Book) -> None:
    section = report.section(book)
    assert section.count('class="chart"') == 2
    for one in checks.check(book):
        assert one.name.partition("'")[0].partition("<")[0].partition(":")[0] in section
    assert "Row &lt;refused&gt;" in section
    assert [*report.Story(book).figures()["charts"][1]] == ["placed", "scanned", "compared", "differences"]
