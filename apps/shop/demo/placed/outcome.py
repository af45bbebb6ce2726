"""What was seen of a marketplace's orders: plain facts, from which checks and report are made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from showing.fan_out import Branch, Struck
from showing.timeline import Handled, story

from demo.api import Answer
from demo.placed.orders import INVENTORY, INVOICING, Placement

FIRST, WELL, STALLED, DEADLINE, LATE = "first", "all well", "Analytics stands still", "the deadline", "late results"
"""Phases; in the first one functions start."""
CORRELATION = "market-"
"""In front of the order's id."""


@dataclass(frozen=True)
class Department(Branch):
    def done_at(self) -> dict[str, float]:
        """When each order was done first, in epoch seconds."""
        found: dict[str, float] = {}
        for line in self.handled:
            if line.outcome in ("Succeeded", "Duplicate"):  # the latter, if it never heard that it had succeeded
                found.setdefault(line.correlation_id.removeprefix(CORRELATION), line.at)
        return found

    def lines_of(self, order_id: str) -> list[Handled]:
        return [line for line in self.handled if line.correlation_id == f"{CORRELATION}{order_id}"]

    @property
    def buried(self) -> set[str]:
        """Orders that are dead letters."""
        return {letter.correlation_id.removeprefix(CORRELATION) for letter in self.dead_letters}


@dataclass(frozen=True)
class Placed:
    orders: Sequence[Placement]
    answers: Sequence[Answer]
    """Of the API, to every telling."""
    rows: Mapping[str, Mapping[str, Any]]
    """Of the orders that have ended, by order."""
    invoices: Mapping[str, Mapping[str, Any]]
    picks: Mapping[str, Mapping[str, Any]]
    opening: Mapping[int, int]
    """Pieces on hand before the first order, by product."""
    stock: Mapping[int, int]
    """And in the end."""
    departments: Mapping[str, Department]
    completions: Department
    late: Mapping[str, frozenset[str]]
    """Departments whose results came too late and were refused, by order."""
    struck: Sequence[Struck]
    phases: Mapping[str, tuple[float, float]]
    """From and to, in epoch seconds."""
    stalled: tuple[float, float]
    """While analytics took nothing in."""

    @property
    def published_at(self) -> dict[str, float]:
        """When each order was accepted first, in epoch seconds."""
        found: dict[str, float] = {}
        for answer in self.answers:
            if answer.ok:
                found.setdefault(answer.call.correlation_id.removeprefix(CORRELATION), answer.at)
        return found

    def trace(self, department: str, order_id: str) -> str:
        """How far an order has come in one, for somebody who looks for it."""
        accepted = "accepted" if order_id in self.published_at else "never accepted"
        letter = ", a dead letter" if order_id in self.departments[department].buried else ""
        rows = {INVENTORY: self.picks, INVOICING: self.invoices}.get(department, {})
        row = ", its row is there" if order_id in rows else ""
        end = self.rows.get(order_id, {}).get("status", "no end")
        return f"{order_id} {accepted}, {story(self.departments[department].lines_of(order_id))}{letter}{row}, {end}"

    def seconds(self, department: str, *, stalled: bool) -> list[float]:
        """From publishing to done, by order; told of while analytics stood still, or while all was well."""
        done, published = self.departments[department].done_at(), self.published_at
        begin, end = self.phases[STALLED if stalled else WELL]
        return [done[id] - at for id, at in published.items() if begin <= at < end and id in done]
