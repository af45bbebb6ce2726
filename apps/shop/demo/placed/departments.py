"""The deployed departments, as the demo sees them from outside."""

from collections.abc import Mapping
from typing import Any

from showing.deployed import Clients
from showing.fan_out import FanOut

from demo.placed.orders import DEPARTMENTS
from demo.placed.outcome import CORRELATION, Department


class Departments(FanOut):
    def __init__(self, clients: Clients, outputs: Mapping[str, str]) -> None:
        """`outputs` are the stack's."""
        super().__init__(clients, outputs, DEPARTMENTS)

    def by_order(self, table: str) -> dict[str, dict[str, Any]]:
        """Rows of `Placed`, `Picks` or `Invoices`."""
        return {row["order_id"]: row for row in self.rows(self._outputs[f"{table}Table"])}

    def settled(self, name: str) -> set[str]:
        """Orders that one of them is done with, for well or for good."""
        return {line.correlation_id.removeprefix(CORRELATION) for line in self.handled(name) if line.settled}

    def seen(self, name: str) -> Department:
        """One of them, or `Completions`. Only meaningful while nothing moves."""
        return Department(**vars(self.branch(name)))
