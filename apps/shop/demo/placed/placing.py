"""A marketplace's orders from the first telling to the last late result, while one department stands still."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from showing.fan_out import Struck
from showing.story import Story

from demo.api import Answer, Call
from demo.deployed import Shop
from demo.hostile import JSON
from demo.placed.departments import Departments
from demo.placed.orders import ANALYTICS, DEPARTMENTS, INVENTORY, INVOICING, Placement, pieces, plan
from demo.placed.outcome import CORRELATION, DEADLINE, FIRST, LATE, STALLED, WELL, Placed
from serverless_patterns.testing import EmbeddedCloud, Fault, Injection

ROUTE = "POST /marketplace/orders"
CALLERS = 4  # at once
SDK_ATTEMPTS = 3  # with fewer the SDK of a function would hide from it what was lost
REFUSALS = 6
FIRST_ORDERS = 2


@dataclass
class Placing:
    cloud: EmbeddedCloud
    shop: Shop
    departments: Departments
    tell: Callable[[str], None]
    orders: int = 40
    """Told of while all is well; and as many again while analytics stands still."""
    _answers: list[Answer] = field(default_factory=list)

    def play(self) -> Placed:
        """What takes over a minute and a half is given up, and the checks tell."""
        with self.departments.stopped_clock():
            return self._play()

    def _play(self) -> Placed:
        story, planned = Story(self.tell), plan(self.orders)
        self.shop.restock(pieces(planned))
        opening = self.shop.stock()
        begun = time.time()
        with story.phase(FIRST):
            self._tell_of(planned[:FIRST_ORDERS])
            story.wait(lambda: self._ended(planned[:FIRST_ORDERS]), "the first orders to be ready")
        faults = self._break(planned[FIRST_ORDERS:])
        well = planned[FIRST_ORDERS : self.orders]
        with story.phase(WELL):
            self._tell_of(well)
            story.wait(lambda: self._ended(well) and self._settled(well, DEPARTMENTS), "the orders to be ready")
        self.departments.close(ANALYTICS)
        closed = time.time()
        stalled = planned[self.orders :]
        with story.phase(STALLED):
            self._tell_of(stalled)
            others = (INVENTORY, INVOICING)
            story.wait(lambda: self._ended(stalled) and self._settled(stalled, others), "the others to be done")
        with story.phase(DEADLINE):
            story.wait(lambda: self._all_ended(planned), "the deadline to come to what is missing")
        with story.phase(LATE):
            opened = time.time()
            self.departments.open(ANALYTICS)
            story.wait(self.departments.are_drained, "the late results")
        rows = self.departments.by_order("Placed")
        waiting = sum(row["status"] == "ATTENTION" for row in rows.values())
        self.tell(
            f"{len(self._answers)} tellings of {len(planned)} marketplace orders in {time.time() - begun:.1f} s: "
            f"{len(rows) - waiting} ready, {waiting} with something missing at the deadline"
        )
        return Placed(
            orders=planned,
            answers=self._answers,
            rows=rows,
            invoices=self.departments.by_order("Invoices"),
            picks=self.departments.by_order("Picks"),
            opening=opening,
            stock=self.shop.stock(),
            departments={name: self.departments.seen(name) for name in DEPARTMENTS},
            completions=self.departments.seen("Completions"),
            late=self.departments.late(),
            struck=[Struck(name, how, injected.fired()) for name, (how, injected) in faults.items()],
            phases=story.phases,
            stalled=(closed, opened),
        )

    def _break(self, planned: Sequence[Placement]) -> dict[str, tuple[str, Injection]]:
        """By name: what is broken on the wire, and its trap."""
        victim = next(one.order_id for one in planned if not one.fails_in and not one.stalled)
        invoices = f'length(TransactItems[?Put.Item.order_id.S == `"{victim}"` && Put.Item.number]) > `0`'
        heads = {"resource": self.departments.fan_in_table}
        faults = {
            "Invoice's answer lost": (
                f"the invoice of {victim} was committed; the connection broke before the answer",
                Fault.lost_answer("dynamodb", "TransactWriteItems", times=SDK_ATTEMPTS, body=invoices),
            ),
            "Fan-in's answer lost": (
                "a department's result was recorded; the connection broke before the answer",
                Fault.lost_answer("dynamodb", "UpdateItem", times=SDK_ATTEMPTS, **heads),
            ),
            "Fan-in throttled": (
                "results of departments were refused, again and again",
                Fault.throttled("dynamodb", "UpdateItem", times=REFUSALS, **heads),
            ),
        }
        return {name: (how, self.cloud.faults.install(fault)) for name, (how, fault) in faults.items()}

    def _tell_of(self, orders: Sequence[Placement]) -> None:
        """All of them once, then some again, as a marketplace does that has not heard the answer."""
        headers = {**JSON, **self.shop.desks.marketplace()}
        once = [_call(one, headers) for one in orders]
        again = [_call(one, headers) for one in orders if one.tellings > 1]
        self._answers += self.shop.api.call_all([*once, *again], CALLERS)

    def _ended(self, orders: Sequence[Placement]) -> bool:
        """Those that nothing keeps from it."""
        free = {one.order_id for one in orders if not one.missing}
        return free <= self.departments.by_order("Placed").keys()

    def _settled(self, orders: Sequence[Placement], departments: Sequence[str]) -> bool:
        """By these, as they say themselves: a row stands before the fan-in has heard of it, and the log after it."""
        return all(
            {one.order_id for one in orders if name in one.expected} <= self.departments.settled(name)
            for name in departments
        )

    def _all_ended(self, planned: Sequence[Placement]) -> bool:
        self.departments.look_at_deadlines()
        return len(self.departments.by_order("Placed")) >= len(planned)


def _call(order: Placement, headers: dict[str, str]) -> Call:
    correlation = {"X-Correlation-Id": f"{CORRELATION}{order.order_id}"}
    return Call(ROUTE, (202,), body=order.text, headers=headers | correlation, caller="marketplace")
