"""What must hold of the order book, whatever was rebuilt or broken meanwhile. Each check compares two places."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from showing.check import Check, at_least, equal

from demo.book.customers import shown
from demo.book.ledger import Booked, by_order, dashboard, fold, lists, revenue
from demo.book.orders import HOT, HOT_LINES, PLACE
from demo.book.outcome import Book


def check(seen: Book) -> list[Check]:
    book = fold(seen.entries)
    return [
        *_commands(seen, book),
        *_views(seen, book),
        *_own_writes(seen),
        *_rebuild(seen),
        equal("a change past the commands, parked for each view", seen.scribbled, 2),
        equal("changes still parked, once a command and a retry have followed", seen.parked, 0),
        *[at_least(f"fault fired: {one.name}", one.fired, 1) for one in seen.struck],
    ]


def _commands(seen: Book, book: Mapping[str, Booked]) -> list[Check]:
    histories = by_order(seen.entries)
    gaps = sum(two.version != one.version + 1 for history in histories.values() for one, two in pairwise(history))
    told_twice = sum(entry.command.tellings > 1 for entry in seen.entries)
    return [
        # A version grows by one with every change: one that the ledger does not have would show as a gap.
        Check(
            "accepted commands = changes of orders, by their versions",
            not gaps and all(history[0].command.name == PLACE for history in histories.values()) and bool(histories),
            len(seen.entries) + gaps,
            len(seen.entries),
        ),
        equal(
            "orders as the demo's own ledger has them",
            sum(_is(order, seen.orders.get(id, {})) for id, order in book.items()),
            len(seen.orders),
        ),
        equal("commands sent twice, answered alike", told_twice - len(seen.unlike), told_twice),
        equal("lines of the order that everybody wants", len(book[HOT].lines) if HOT in book else 0, HOT_LINES + 1),
    ]


def _views(seen: Book, book: Mapping[str, Booked]) -> list[Check]:
    wanted, totals, told = lists(book), revenue(book), dashboard(book)
    rows = {id: order.row for id, order in book.items() if order.row is not None}
    standing = {id: shown(row) for id, row in seen.rows.items()}
    return [
        Check(
            "lists of customers = fold of what was accepted, in orders",
            seen.lists == wanted,
            sum(map(len, seen.lists.values())),
            sum(map(len, wanted.values())),
        ),
        Check("rows of the view's table, no other order's", standing == rows, len(standing), len(rows)),
        Check(
            "revenue of each product, in cents",
            seen.revenue == totals,
            sum(amounts.get("cents", 0) for amounts in seen.revenue.values()),
            sum(amounts["cents"] for amounts in totals.values()),
        ),
        Check(
            "dashboard = what it is to say",
            seen.dashboard == told,
            (seen.dashboard or {}).get("cents", 0),
            told["cents"],
        ),
    ]


def _own_writes(seen: Book) -> list[Check]:
    at_once = sum(look.seen == look.expected for look in seen.looks)
    return [equal("customers' own writes, seen by the next look", at_once, len(seen.looks))]


def _rebuild(seen: Book) -> list[Check]:
    last = seen.progress[-1] if seen.progress else None
    right = sum(page.status == 200 and page.rows == seen.steady[page.customer] for page in seen.pages)
    generations = {one.live for one in seen.progress}
    return [
        Check("pages read meanwhile, none empty or half new", right == len(seen.pages) > 0, right, len(seen.pages)),
        equal("generations that were read, one after the other", len(generations), 2),
        equal("differences that the rebuild has found", last.differences if last else -1, 0),
        at_least("orders that it compared", last.verified if last else 0, len(seen.steady)),
    ]


def _is(order: Booked, item: Mapping[str, Any]) -> bool:
    lines = [{name: int(value) for name, value in line.items()} for line in item.get("lines", ())]
    same = (item.get("customer_id"), item.get("status"), item.get("version"))
    return same == (order.customer, order.status, order.version) and lines == [dict(line) for line in order.lines]
