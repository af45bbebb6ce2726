"""Views that are rebuilt while everything else goes on: at every request of a task something may happen.

A history says what: aggregates change by commands and past them, records arrive late, twice and in any order, somebody
asks for a rebuild or cancels one, the task's process dies; between all that somebody reads, and the control function
sweeps.
"""

import random
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from serverless_patterns_runtime.cqrs_queries.contract import TOKEN_SECONDS
from serverless_patterns_runtime.cqrs_table.aggregate import version_of
from serverless_patterns_runtime.cqrs_views.contract import ROW_ABOUT
from serverless_patterns_runtime.cqrs_views.generations import view_item
from tests.runtime.cqrs_views.rebuilt import Died, RebuiltShop
from tests.runtime.cqrs_views.shop import ORDERS, REVENUE, by_customer, revenue

from .cqrs_rebuild_history import ADOPTED, CHANGING, Rebuilds

__all__ = ["RebuildWorld"]

STEADY = ("o-s1", "o-s2")
"""Aggregates that never change: whoever reads sees them all, always."""


class RebuildWorld(RebuiltShop):
    def __init__(self, history: Rebuilds) -> None:
        super().__init__(history.seed)
        self.history = history
        self.order = random.Random(history.seed * 7 + 1)
        self.happenings = deque(history.happenings)
        self.deaths, self.lost = {*history.deaths}, {*history.lost}
        self.delivered: list[dict[str, Any]] = []
        self.pointers: list[tuple[float, int]] = []
        self.busy = self.in_task = False
        self.reads = self.sent = self.since = self.done = self.started = 0
        for key in STEADY:
            self.put(key, 5, "eve", ["a", "b"])
        for key in CHANGING[:2]:
            self.change(key, "ada", ["a", "b"])
        self.records.clear()  # the stream has forgotten them
        for key in CHANGING[2:]:
            self.change(key, "bob", ["b", "c"])
        self.put(ADOPTED, None, "ada", ["a"])
        self.client.meets = self._meets

    # What happens.

    def _meets(self, operation: str, arguments: dict[str, Any]) -> None:  # noqa: ARG002
        """Before a request is carried out."""
        if self.busy:
            return
        self.since += 1
        self.busy = True
        try:
            while self.happenings and self.happenings[0][0] <= self.since:
                self.since = 0
                self.happenings.popleft()[1](self)
                self.check_read()
        finally:
            self.busy = False
        self.may_die()

    def may_die(self) -> None:
        """At the request that is met now."""
        if self.in_task:
            self.sent += 1
            if self.sent - 1 in self.deaths:
                raise Died

    def _rebuild(self, event: Any) -> Any:
        self.in_task = True
        try:
            answer = super()._rebuild(event)
        finally:
            self.in_task = False
        self.check_read()
        self.done += 1
        if self.done - 1 in self.lost:
            raise Died
        return answer

    def change(self, key: str, customer: str, lines: Sequence[str] | None) -> None:
        version = self._version(key) + 1
        if lines is None:
            self.delete(key, version)
        else:
            self.put(key, version, customer, lines)

    def remove_past(self, key: str) -> None:
        """The next version is the time."""
        if (key,) in self.service.tables["orders"].items:
            self.remove(key)

    def _version(self, key: str) -> int:
        """Before the next one: of an aggregate that is new, or new again, that is the time."""
        self.started += 2  # a removal counts as a version of its own
        item = self.service.tables["orders"].items.get((key,), {})
        version = version_of(item)
        return int(self.now * 1000) + self.started if version is None else version

    def deliver(self, *, most: int = 10_000, again: bool = True) -> None:
        """Also of one aggregate in any order: retries come between."""
        batch = self.order.sample(self.records, min(len(self.records), most))
        twice = self.order.sample(self.delivered, min(len(self.delivered), int(again)))
        if batch or twice:
            assert self.project([*batch, *twice]) == []
        self.delivered += batch
        self.records = [record for record in self.records if record not in batch]

    def slept(self, seconds: float) -> None:
        """Meanwhile all that is on its way arrives."""
        self.now += seconds
        busy, self.busy = self.busy, True
        self.deliver()
        self.busy = busy

    def quiesce(self) -> None:
        """Nothing new happens; what is on its way arrives, and what was begun ends."""
        self.busy = True
        self.deaths, self.lost = set(), set()
        for _ in range(12):
            self.deliver()
            self.sweep()
            self.passes(700)
            self.check_read()

    # What must hold.

    def check_read(self) -> None:
        """A reader sees all steady aggregates from the first time on that there is a view."""
        self.reads += 1
        live = self._live(ORDERS)
        if live is not None:
            self.pointers = [*(one for one in self.pointers if one[0] > self.now - TOKEN_SECONDS), (self.now, live)]
            for generation in {generation for _, generation in self.pointers}:
                assert self.has_steady(generation), "half a view"
        live = self._live(REVENUE)
        if live is not None:
            sums = self.service.tables["totals"].items.values()
            sold = {item["pk"]["S"] for item in sums if item.get("sold", {"N": "0"})["N"] != "0"}
            assert {f"{live}#total#{line}" for line in "ab"} <= sold, "half of the totals"

    def has_steady(self, generation: int) -> bool:
        rows = self.service.tables["rows"].items
        found = [rows.get((f"{generation}#eve", f"{key}/{line}")) for key in STEADY for line in "ab"]
        return all(row is not None and "deleted" not in row[ROW_ABOUT]["M"] for row in found)

    def _live(self, view: str) -> int | None:
        item = self.service.tables["control"].items.get((view_item(view),), {})
        return int(item["live"]["N"]) if "live" in item else None

    def expected(self) -> Mapping[tuple[str, str], Any]:
        rows = [row for state in self.states() for row in by_customer(state)]
        return {(row["customer"], row["order"]): row for row in rows}

    def expected_totals(self) -> Mapping[str, Any]:
        sums: dict[str, dict[str, Any]] = {}
        for state in self.states():
            for group, measures in revenue(state).items():
                for measure, amount in measures.items():
                    mine = sums.setdefault(group, {})
                    mine[measure] = mine.get(measure, 0) + amount
        return sums

    def states(self) -> Sequence[dict[str, Any]]:
        model = self.projection.projector.write_model
        found = [model.aggregate(item) for item in self.service.tables["orders"].items.values()]
        return [one.state for one in found if one.state is not None]

    def check_rows(self) -> None:
        assert self.read() == self.expected()
        assert self.parked() == []

    def check(self) -> None:
        """At quiescence views are the fold of the log."""
        self.check_rows()
        assert self.read(REVENUE) == self.expected_totals()
        for view in (ORDERS, REVENUE):
            assert self.standing(view).building is None
