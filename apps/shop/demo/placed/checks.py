"""What must hold of a marketplace's orders, whatever happened to a department. Each check compares two places."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from showing.check import Check, at_least, equal

from demo.placed.orders import ANALYTICS, DEPARTMENTS, INVENTORY, INVOICING, Placement, pieces
from demo.placed.outcome import Placed

READY, ATTENTION = "READY", "ATTENTION"


def check(seen: Placed) -> list[Check]:
    return [
        *[_conservation(seen, name) for name in DEPARTMENTS],
        *_departments(seen),
        *_ends(seen),
        *_standstill(seen),
        *_left(seen),
        *[at_least(f"fault fired: {one.name}", one.fired, 1) for one in seen.struck],
    ]


def _conservation(seen: Placed, name: str) -> Check:
    """In orders: tellings of one are one piece of work."""
    department = seen.departments[name]
    published = {one.order_id for one in seen.orders if name in one.expected} & seen.published_at.keys()
    processed, dead = department.done_at().keys(), department.buried
    return Check(
        f"{name}: published = processed + dead-lettered",
        processed | dead == published and not processed & dead and bool(published),
        len(processed) + len(dead),
        len(published),
        "; ".join(seen.trace(name, id) for id in sorted((processed ^ dead) ^ published)),
    )


def _departments(seen: Placed) -> list[Check]:
    ids = {one.order_id for one in seen.orders}
    numbers = Counter(row["number"] for row in seen.invoices.values())
    refused = {(name, id) for name in DEPARTMENTS for id in seen.departments[name].buried}
    hopeless = {(one.fails_in, one.order_id) for one in seen.orders if one.fails_in}
    wanted = pieces(seen.orders)
    taken = {product: before - seen.stock.get(product, 0) for product, before in seen.opening.items()}
    return [
        Check("marketplace orders with one invoice", seen.invoices.keys() == ids, len(seen.invoices), len(ids)),
        equal("invoice numbers, distinct", len(numbers), len(seen.invoices)),
        Check(
            "pieces taken from stock = pieces ordered, product by product",
            all(taken.get(product, 0) == wanted[product] for product in taken.keys() | wanted.keys()),
            sum(taken.values()),
            wanted.total(),
        ),
        Check("orders refused by a department, with a reason", refused == hopeless, len(refused), len(hopeless)),
        equal(
            "orders told of twice, done once by each",
            sum(one.tellings > 1 and _done_once(seen, one) for one in seen.orders),
            sum(one.tellings > 1 for one in seen.orders),
        ),
    ]


def _ends(seen: Placed) -> list[Check]:
    ready = [one for one in seen.orders if not one.missing]
    waiting = [one for one in seen.orders if one.missing]
    ids = {one.order_id for one in seen.orders}
    ends = Counter(line.correlation_id for line in seen.completions.handled if line.outcome == "Succeeded")
    return [
        Check(
            "marketplace orders that have ended, once each",
            ids == seen.completions.done_at().keys() == seen.rows.keys() and ends.total() == len(ends),
            max(ends.total(), len(seen.completions.done_at())),
            len(seen.orders),
        ),
        equal("READY with every department's result", _count(seen, ready, _is_ready), len(ready)),
        equal(
            "ATTENTION at the deadline, naming what is missing", _count(seen, waiting, _needs_attention), len(waiting)
        ),
        equal(
            "invoice numbers handed to the end = in the table",
            sum(row["invoice"] == seen.invoices.get(id, {}).get("number") for id, row in seen.rows.items()),
            len(seen.rows),
        ),
    ]


def _standstill(seen: Placed) -> list[Check]:
    """By counts: how long the others took stands in the report."""
    begin, end = seen.stalled
    stalled = {one.order_id for one in seen.orders if one.stalled}
    during = {
        name: {id for id, at in seen.departments[name].done_at().items() if id in stalled and begin <= at < end}
        for name in DEPARTMENTS
    }
    late = {one.order_id: frozenset({ANALYTICS}) for one in seen.orders if one.stalled and one.missing}
    return [
        equal("done by Analytics while it stood still", len(during[ANALYTICS]), 0),
        *[_meanwhile(seen, name, stalled, during[name]) for name in (INVENTORY, INVOICING)],
        Check("late results refused", dict(seen.late) == late and bool(late), len(seen.late), len(late)),
    ]


def _meanwhile(seen: Placed, name: str, stalled: set[str], during: set[str]) -> Check:
    why = "; ".join(seen.trace(name, id) for id in sorted(stalled - during))
    return Check(f"done by {name} meanwhile", during == stalled, len(during), len(stalled), why)


def _left(seen: Placed) -> list[Check]:
    everybody = [*seen.departments.values(), seen.completions]
    return [
        equal("ends that could not be told of", len(seen.completions.dead_letters), 0),
        equal("messages that SNS could not deliver", sum(one.undelivered for one in everybody), 0),
        equal("messages left in a department's queue", sum(one.left for one in everybody), 0),
    ]


def _done_once(seen: Placed, order: Placement) -> bool:
    """A department that refuses an order may do so for each telling."""
    departments = [seen.departments[name] for name in order.expected - {order.fails_in}]
    return all(
        order.order_id in one.done_at()
        and sum(line.outcome == "Succeeded" for line in one.lines_of(order.order_id)) <= 1
        for one in departments
    )


def _count(
    seen: Placed, orders: list[Placement], as_it_should_be: Callable[[Placement, Mapping[str, Any]], bool]
) -> int:
    return sum(as_it_should_be(one, seen.rows.get(one.order_id, {})) for one in orders)


def _is_ready(order: Placement, row: Mapping[str, Any]) -> bool:
    return row.get("status") == READY and set(row["done"]) == order.expected and not row["missing"]


def _needs_attention(order: Placement, row: Mapping[str, Any]) -> bool:
    missing = set(row.get("missing", ()))
    return row.get("status") == ATTENTION and missing == order.missing and set(row["done"]) == order.expected - missing
