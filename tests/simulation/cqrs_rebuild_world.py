"""Views that are rebuilt while everything else goes on: at every request of a task something may happen.

A seed says what: aggregates change by commands and past them, time to live removes them, records arrive late, twice and
in any order, somebody reads, asks for a rebuild, cancels one, or the control function sweeps; the task's process dies.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from serverless_patterns_runtime.cqrs_queries.contract import TOKEN_SECONDS
from serverless_patterns_runtime.cqrs_table.aggregate import version_of
from tests.runtime.cqrs_views.rebuilt import Died, RebuiltShop
from tests.runtime.cqrs_views.shop import ORDERS, REVENUE, by_customer, revenue

__all__ = ["RebuildWorld"]

STEADY = ("o-s1", "o-s2")
"""Aggregates that never change: whoever reads sees them all, always."""

ADOPTED = "o-0"
"""Written before there were versions."""

CHANGING = ("o-1", "o-2", "o-3", "o-4")
LINES = ("a", "b", "c")
CUSTOMERS = ("ada", "bob")


class RebuildWorld(RebuiltShop):
    def __init__(self, seed: int, *, deaths: int = 2, changes: int = 40) -> None:
        super().__init__(seed)
        self.what = random.Random(seed * 7 + 1)
        self.deaths, self.changes = deaths, changes
        self.pending: list[dict[str, Any]] = []
        self.pointers: list[tuple[float, int]] = []
        self.busy = False
        self.reads = 0
        self.death_at: int | None = None
        self.requests = 0
        for key in STEADY:
            self.put(key, 5, "eve", ["a", "b"])
        for key in CHANGING[:2]:
            self.change(key)
        self.records.clear()  # the stream has forgotten them
        for key in CHANGING[2:]:
            self.change(key)
        self.put(ADOPTED, None, "ada", ["a"])
        self.client.meets = self._meets

    # What happens.

    def _meets(self, operation: str, arguments: dict[str, Any]) -> None:  # noqa: ARG002
        """Before a request is carried out."""
        self.requests += 1
        if self.busy:
            return
        self.busy = True
        try:
            for _ in range(self.what.choice((0, 0, 1, 2))):
                self.happen()
            self.check_read()
        finally:
            self.busy = False
        self.may_die()

    def may_die(self) -> None:
        """At the request that is met now."""
        if (self.in_task and self.death_at == self.requests) or (
            self.deaths and self.in_task and self.what.random() < 0.02
        ):
            self.deaths -= 1
            raise Died

    in_task = False

    def _rebuild(self, event: Any) -> Any:
        self.in_task = True
        try:
            answer = super()._rebuild(event)
        finally:
            self.in_task = False
        if self.deaths and self.what.random() < 0.1:
            self.deaths -= 1
            raise Died
        return answer

    def happen(self) -> None:
        if self.changes:
            self.changes -= 1
            self.what.choice((self._some_change, self._some_change, self._removal, self._deliver, self._deliver))()

    def only_change(self) -> None:
        if self.changes:
            self.changes -= 1
            self._some_change()

    def _some_change(self) -> None:
        self.change(self.what.choice((*CHANGING, ADOPTED)))

    def change(self, key: str) -> None:
        """By a command: a new state, or none."""
        version = self._version(key) + 1
        if self.what.random() < 0.2:
            self.delete(key, version)
        else:
            self.put(key, version, self.what.choice(CUSTOMERS), self.what.sample(LINES, self.what.randint(0, 3)))

    def _removal(self) -> None:
        """By time to live, or by hand: the next version is the time."""
        key = self.what.choice(CHANGING)
        if (key,) in self.service.tables["orders"].items:
            self.remove(key)

    def _version(self, key: str) -> int:
        """Before the next one: of an aggregate that is new, or new again, that is the time."""
        self.started += 2  # a removal counts as a version of its own
        item = self.service.tables["orders"].items.get((key,), {})
        version = version_of(item)
        return int(self.now * 1000) + self.started if version is None else version

    started = 0

    def _deliver(self, everything: bool = False) -> None:
        """Some records, in any order, some for the second time; of one aggregate too: retries come between."""
        batch = self.records if everything else self.what.sample(self.records, min(len(self.records), 3))
        again = self.what.sample(self.seen_records, min(len(self.seen_records), 1))
        if batch or again:
            assert self.project([*batch, *again]) == []
        self.seen_records += batch
        self.records = [record for record in self.records if record not in batch]

    @property
    def seen_records(self) -> list[dict[str, Any]]:
        return self.pending

    @seen_records.setter
    def seen_records(self, records: list[dict[str, Any]]) -> None:
        self.pending = records

    def slept(self, seconds: float) -> None:
        self.now += seconds
        busy, self.busy = self.busy, True
        self._deliver(everything=True)
        self.busy = busy

    def deliver(self) -> None:
        """All that is on its way."""
        self._deliver(everything=True)

    def quiesce(self) -> None:
        """Nothing new happens; what is on its way arrives, and what was begun ends."""
        self.changes = self.deaths = 0
        for _ in range(12):
            self.busy = True
            self._deliver(everything=True)
            self.sweep()
            self.busy = False
            self.passes(700)
            self.check_read()
        self.busy = True

    # What must hold.

    def check_read(self) -> None:
        """A reader sees all steady aggregates from the first time on that there is a view."""
        self.reads += 1
        live = self.standing().live
        if live is not None:
            self.pointers = [*(one for one in self.pointers if one[0] > self.now - TOKEN_SECONDS), (self.now, live)]
            for generation in {generation for _, generation in self.pointers}:
                found = self.rows(generation)
                assert {("eve", f"{key}/{line}") for key in STEADY for line in "ab"} <= found.keys(), "half a view"
        sums = self.read(REVENUE)
        if sums is not None:
            assert {"a", "b"} <= sums.keys(), "half of the totals"

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
