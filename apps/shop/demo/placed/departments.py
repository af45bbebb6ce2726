"""The deployed departments, as the demo sees them from outside."""

from collections.abc import Mapping
from typing import Any

from showing import timeline
from showing.deployed import Clients, Deployed

from demo.placed.orders import ANALYTICS, DEPARTMENTS
from demo.placed.outcome import Department


class Departments(Deployed):
    def __init__(self, clients: Clients, outputs: Mapping[str, str]) -> None:
        """`outputs` are the stack's."""
        super().__init__(clients)
        self._outputs = outputs
        self._events = clients.client("events")
        self.fan_in_table = outputs["FanInTable"]

    def by_order(self, table: str) -> dict[str, dict[str, Any]]:
        """Rows of `Placed`, `Picks` or `Invoices`."""
        return {row["order_id"]: row for row in self.rows(self._outputs[f"{table}Table"])}

    def late(self) -> dict[str, frozenset[str]]:
        """What was refused because it came too late: names of departments by order."""
        heads = [row for row in self.rows(self.fan_in_table) if row.get("late")]
        return {row["fan_in"].partition("#")[2]: frozenset(row["late"]) for row in heads}

    def close(self) -> None:
        """Analytics takes nothing in until it opens."""
        self.take_in(self._outputs[f"{ANALYTICS}Function"], False)

    def open(self) -> None:
        self.take_in(self._outputs[f"{ANALYTICS}Function"], True)

    def stop_the_clock(self) -> None:
        """From now on deadlines come when the demo looks at them, not each minute: it need not be fast."""
        sweep = self._lambda.get_function_configuration(FunctionName=self._outputs["FanInSweep"])
        for rule in self._events.list_rule_names_by_target(TargetArn=sweep["FunctionArn"])["RuleNames"]:
            self._events.disable_rule(Name=rule)

    def look_at_deadlines(self) -> None:
        """What the rule does each minute."""
        self.invoke(self._outputs["FanInSweep"])

    def are_drained(self) -> bool:
        return not any(self._left(name) for name in (*DEPARTMENTS, "Completions"))

    def seen(self, name: str) -> Department:
        """One of them, or `Completions`. Only meaningful while nothing moves."""
        undelivered = self._outputs.get(f"{name}UndeliveredUrl")
        return Department(
            handled=timeline.handled(self.log_of(self._outputs[f"{name}Function"])),
            dead_letters=self.dead_letters_in(self._outputs[f"{name}DeadLettersUrl"]),
            undelivered=sum(self.depths_of(undelivered)) if undelivered else 0,
            left=self._left(name),
        )

    def _left(self, name: str) -> int:
        return sum(self.depths_of(self._outputs[f"{name}QueueUrl"]))
