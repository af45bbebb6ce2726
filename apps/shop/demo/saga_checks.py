"""What must hold of checkouts, whatever befell them: goods and money are conserved, and each ended as it had to."""

from collections import Counter
from collections.abc import Callable

from showing.check import Check, at_least, equal

from demo.api import Answer
from demo.cashdesk import LOOK, START, execution_of
from demo.checkouts import Checkouts
from demo.hostile import APPROVALS
from demo.sagas import Execution
from demo.shoppers import Shopper
from demo.troubles import (
    CHARGE,
    COMPENSATED,
    COMPENSATION_PARKED,
    ENDS,
    FORWARD_PARKED,
    RESERVE,
    STEPS,
    SUCCEEDED,
    TROUBLES,
)

ROWS = {
    SUCCEEDED: ("SHIPPED",),
    COMPENSATED: ("CANCELLED", None),  # None: nothing was ever set aside
    COMPENSATION_PARKED: ("CANCELLED", "RESERVED"),
    FORWARD_PARKED: ("RESERVED",),
}
"""What a checkout's row may say, by how the checkout has ended."""

Holds = Callable[[Shopper, Execution], bool]


def check(seen: Checkouts) -> list[Check]:
    """Every check of the checkouts."""
    struck = [each for each in seen.struck if each.fired >= each.least]
    return [
        _all("checkouts that have ended", seen, lambda _, execution: execution.status in ENDS),
        _all("checkouts that ended as what befell them demands", seen, _ended_right),
        *[at_least(f"checkouts: {status}", len(seen.of_status(status)), 1) for status in ENDS],
        _all("checkouts undone in reverse, each step once", seen, _undone_in_reverse),
        *_over_the_api(seen),
        *_resumed(seen),
        *_goods(seen),
        *_money(seen),
        equal("troubles injected into checkouts that struck", len(struck), len(seen.struck)),
        equal(
            "kinds of trouble that befell a checkout", len({one.trouble.label for one in seen.befallen}), len(TROUBLES)
        ),
    ]


def _all(name: str, seen: Checkouts, holds: Holds) -> Check:
    found = [seen.executions.get(shopper.checkout_id) for shopper in seen.shoppers]
    good = sum(it is not None and holds(shopper, it) for shopper, it in zip(seen.shoppers, found, strict=True))
    return equal(name, good, len(seen.shoppers))


def _ended_right(shopper: Shopper, execution: Execution) -> bool:
    return execution.status in shopper.trouble.ends


def _undone_in_reverse(_: Shopper, execution: Execution) -> bool:
    undone = [state.removeprefix("Undo ") for state in execution.path if state.startswith("Undo ")]
    return undone == [step for step in reversed(STEPS) if step in undone]


def _over_the_api(seen: Checkouts) -> list[Check]:
    told = {answer.call.key: set[str]() for answer in _ok(seen, START)}
    for answer in _ok(seen, START):
        told[answer.call.key].add(execution_of(answer))
    approved = [one for one in seen.shoppers if one.needs_approval]
    decided = {answer.call.target for answer in _ok(seen, APPROVALS)}
    looks = _latest_looks(seen)
    by_name = {execution.name: seen.final(id) for id, execution in seen.executions.items()}
    return [
        equal("one execution for each key, and no other", seen.started, len(seen.shoppers)),
        equal("checkout keys that were told two things", sum(len(names) > 1 for names in told.values()), 0),
        equal("large checkouts decided by a manager", len(decided), len(approved)),
        equal("checkouts shown as they are", sum(by_name.get(name) == it for name, it in looks.items()), len(looks)),
    ]


def _latest_looks(seen: Checkouts) -> dict[str, str]:
    """Statuses, by the execution's name."""
    return {answer.call.target.rpartition("/")[2]: str(answer.said("status")) for answer in _ok(seen, LOOK)}


def _ok(seen: Checkouts, route: str) -> list[Answer]:
    return [answer for answer in seen.answers if answer.call.route == route and answer.ok]


def _resumed(seen: Checkouts) -> list[Check]:
    """The command lists what is parked and was not resumed: no more, and no less."""
    good = sum(outcome in (SUCCEEDED, COMPENSATED) for outcome in seen.resumed.values())
    parked = {id for id, one in seen.executions.items() if one.parked_at}
    kinds = len({one.parked_at for one in seen.executions.values() if one.parked_at})
    waiting, looks = len(parked - seen.resumed.keys()), _latest_looks(seen)
    shown = {id: looks.get(execution.name) for id, execution in seen.executions.items()}
    told = sum(shown.get(id) == outcome for id, outcome in seen.resumed.items())
    return [
        equal("parked checkouts resumed by hand to a good end, one at each step", good, kinds),
        equal("resumed checkouts whose callers are told of that end", told, len(seen.resumed)),
        Check(
            "parked checkouts that still wait for a person, as listed",
            {*seen.open} == parked - seen.resumed.keys(),
            len(seen.open),
            waiting,
        ),
    ]


def _goods(seen: Checkouts) -> list[Check]:
    """Sent, or set aside for somebody who has paid or whom a person has to look after; all else is on the shelf."""
    books = seen.books
    taken: Counter[int] = Counter()
    for shopper in seen.shoppers:
        if books.status(shopper.checkout_id) in ("SHIPPED", "RESERVED"):
            taken += shopper.goods
    off = [product for product, pieces in seen.opening.items() if books.stock.get(product) != pieces - taken[product]]
    shelves = sum(books.stock.values())
    return [
        _all("checkouts whose row says how they ended", seen, lambda one, it: _row_fits(seen, one, it)),
        equal(
            "stock = opening stock - sent and set aside, pieces", shelves, sum(seen.opening.values()) - taken.total()
        ),
        equal("products whose stock is off after the checkouts", len(off), 0),
    ]


def _row_fits(seen: Checkouts, shopper: Shopper, execution: Execution) -> bool:
    """Where the return of the goods was parked, they are still set aside; where only the refund was, they are not."""
    row, status = seen.books.status(shopper.checkout_id), seen.final(shopper.checkout_id)
    if status == COMPENSATION_PARKED:
        return row == ("RESERVED" if execution.parked(RESERVE) else "CANCELLED")
    return row in ROWS.get(status, ())


def _money(seen: Checkouts) -> list[Check]:
    charged, kept = seen.books.charged(), seen.books.kept()
    owed = {one.checkout_id: one.amount for one in seen.shoppers if _pays(one, seen)}
    off = [id for id in kept.keys() | owed.keys() if kept[id] != owed.get(id, 0)]
    return [
        equal("cards charged twice", sum(count > 1 for count in charged.values()), 0),
        equal("cents that the provider keeps = price of what was sent or is parked", kept.total(), sum(owed.values())),
        equal("checkouts whose money is off", len(off), 0),
        _all("checkouts charged if and only if they had to be", seen, lambda one, _: _charged_right(one, charged)),
    ]


def _pays(shopper: Shopper, seen: Checkouts) -> bool:
    """For what is sent or will be; and, until a person looks after it, where no refund worked."""
    status = seen.final(shopper.checkout_id)
    if status == COMPENSATION_PARKED:
        return seen.executions[shopper.checkout_id].parked(CHARGE)
    return status in (SUCCEEDED, FORWARD_PARKED)


def _charged_right(shopper: Shopper, charged: Counter[str]) -> bool:
    must = shopper.trouble.charged
    return must is None or must == (charged[shopper.checkout_id] > 0)
