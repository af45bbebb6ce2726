"""Each fault at each step of a saga, and what its compensation does then: the cells, and how each must end."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from serverless_patterns_runtime.saga_state_machine import contract
from tests.simulation.saga_definition import Plan
from tests.simulation.saga_tree_invariants import up_to_the_pivot
from tests.simulation.saga_trees import Beside, Tree, flat, replaced

__all__ = ["CELLS", "FAULTS", "TREE", "Cell"]

TREE: Tree = (
    Plan(name="Reserve"),
    Plan(name="Pack", effects=False),
    Beside("Papers", [[Plan(name="Label")], [Plan(name="Insure", effects=False)]]),
    Plan(name="Charge", pivot=True),
    Plan(name="Ship", effects=False),
)
STEPS = {plan.name: plan for plan in flat(TREE)}
BEFORE = {"Pack": "Reserve", "Label": "Pack", "Insure": "Pack", "Charge": "Insure"}
"""Whose compensation surely runs when that of the step has nothing to undo."""
(PIVOT,) = (plan.name for plan in STEPS.values() if plan.pivot)
BACKWARD = up_to_the_pivot(TREE)

FAULTS = ("raises before", "raises after", "times out", "crashes", "twice", "late")
"""Before its effect; after it; after it, and nobody is told; the same; an event that comes a second time, at once, or
when all is over."""
ERROR = "RuntimeError"
GOES_ON = "goes on"
THEN = (GOES_ON, "clean", "fails once", "fails always")
"""The fault is met once, and the saga succeeds; or it does not, and the compensation is so."""


@dataclass(frozen=True)
class Cell:
    step: str
    fault: str
    then: str

    @property
    def name(self) -> str:
        """Of the execution."""
        return f"{self.step}.{self.fault}.{self.then}".replace(" ", "-")

    @property
    def effects(self) -> bool:
        return STEPS[self.step].effects

    @property
    def goes_on(self) -> bool:
        return self.then == GOES_ON

    @property
    def refused(self) -> str | None:
        """The step that sends the saga back where the fault does not: done twice is done."""
        return PIVOT if self.fault == "twice" and not self.goes_on and self.step in BACKWARD else None

    @property
    def nothing_to_undo(self) -> bool:
        """An action with Effects that did not commit has left no trace."""
        return self.effects and (self.fault in ("raises before", "late") or self.refused == self.step)

    @property
    def stubborn(self) -> str | None:
        """The step whose compensation behaves as `then` says. Behind the pivot it is the pivot's, which never runs."""
        if self.step not in BACKWARD:
            return PIVOT
        return BEFORE.get(self.step) if self.nothing_to_undo else self.step

    @property
    def input(self) -> Mapping[str, Any]:
        fault = {"step": self.step, "is": self.fault, "once": self.goes_on}
        return {
            "order_id": "7",
            "fault": fault,
            "refused": self.refused,
            "undo": {"step": self.stubborn, "is": self.then},
        }

    @property
    def tree(self) -> Tree:
        """What the judge of the simulation is told of the steps."""
        tree = replaced(TREE, self.step, {"does": self._does})
        if self.refused:
            tree = replaced([*tree], self.refused, {"does": "is refused"})
        if self.stubborn and self.step in BACKWARD and not self.goes_on:
            tree = replaced([*tree], self.stubborn, {"undo": self.then})
        return [*tree]

    @property
    def _does(self) -> str:
        if self.goes_on:
            return "fails once"
        return {"raises before": "fails", "twice": "ok", "late": "is refused"}.get(self.fault, "fails after")

    @property
    def end(self) -> str:
        if self.goes_on:
            return contract.SUCCEEDED
        if self.step not in BACKWARD:
            return contract.SUCCEEDED if self.fault == "twice" else contract.FORWARD_PARKED
        parks = self.then == "fails always" and self.stubborn
        return contract.COMPENSATION_PARKED if parks else contract.COMPENSATED

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Of the step's attempts, where somebody else at work has not stood in the way."""
        error = {
            "raises before": ERROR,
            "raises after": "ConnectionClosedError" if self.effects else ERROR,
            "times out": "Sandbox.Timedout",
            "crashes": "Runtime.ExitError",
            "late": ERROR if self.goes_on else contract.PERMANENT_ERROR,
        }
        if self.fault == "twice":
            return (contract.PERMANENT_ERROR,) if self.refused == self.step else ("succeeded",)
        if self.goes_on:
            return error[self.fault], "succeeded"
        if self.fault == "late":
            return (error[self.fault],)
        # A dead process is dear; one with a lease dies twice, so that the compensation has to wait for the lease.
        dies_once = self.fault == "times out" or (self.fault == "crashes" and self.effects)
        return error[self.fault], ERROR if dies_once else error[self.fault]

    @property
    def undoing(self) -> tuple[str, ...] | None:
        """Outcomes of the stubborn compensation; None where none runs that would be."""
        if self.goes_on or self.end == contract.SUCCEEDED or self.step not in BACKWARD or self.stubborn is None:
            return None
        return {"clean": ("succeeded",), "fails once": (ERROR, "succeeded"), "fails always": (ERROR, ERROR)}[self.then]

    @property
    def repeated(self) -> list[str]:
        """What the function says to the step's event when it is sent once more, at once and at the end."""
        if self.fault == "twice":
            if self.refused == self.step:
                return [contract.PERMANENT_ERROR]
            return ["done"] if self.effects else [contract.RUNNING_ELSEWHERE]
        if self.fault != "late":
            return []
        # Behind the pivot nothing is undone, so nothing is refused: who resumes the saga finds it done.
        is_refused = not self.goes_on and self.step in BACKWARD
        return [contract.PERMANENT_ERROR if is_refused else "done"] * (2 if self.effects else 1)

    @property
    def has_effect(self) -> bool:
        return self.goes_on or not (self.fault == "raises before" or self.nothing_to_undo)

    @property
    def is_repeated(self) -> bool:
        """The test sends the step's event once more."""
        return self.fault in ("twice", "late")

    @property
    def is_repeated_at_once(self) -> bool:
        """A late action with a lease cannot have begun before: then its compensation waits for it."""
        return self.fault == "twice" or (self.fault == "late" and self.effects)

    @property
    def waits(self) -> bool:
        """For a lease, or a time-out: nothing is at work meanwhile."""
        return self.fault == "times out" or (self.fault == "crashes" and not self.effects)


CELLS = sorted((Cell(*each) for each in product(STEPS, FAULTS, THEN)), key=lambda cell: (not cell.waits, cell.effects))
"""Those that take longest come first."""
