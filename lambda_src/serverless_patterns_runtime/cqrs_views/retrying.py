"""Another try of what was given up: an execution that has the projectors do it, batch by batch."""

import json
import random
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple, cast

from serverless_patterns_runtime.cqrs_views import contract
from serverless_patterns_runtime.cqrs_views.contract import RebuildsTold
from serverless_patterns_runtime.cqrs_views.control_contract import Ask, ParkedShown, Retrying
from serverless_patterns_runtime.cqrs_views.executions import Executions
from serverless_patterns_runtime.cqrs_views.parked_objects import UNDELIVERED, ParkedObjects

__all__ = ["SWEPT_REASONS", "Retries"]

SWEPT_REASONS = ("unavailable", "contested", "unreadable", "unversioned", UNDELIVERED)
"""Whose cause may have gone by itself."""

MOST_OBJECTS = 500
"""Of an execution: its input has all their names."""

BATCH = 25

SWEPT_OBJECTS = 500
"""That a sweep looks into, one by one: others wait for it, and it has less than a minute."""

SWEEP_SECONDS = 300
"""Between two tries of a sweep."""


class Retries(NamedTuple):
    objects: ParkedObjects
    rebuilds: Sequence[RebuildsTold]
    stepfunctions: Any
    clock: Callable[[], float]

    def retry(self, ask: Ask) -> list[Retrying]:
        """All of a view, or of all of them; an execution for each state machine that has some."""
        if "execution" in ask:
            return [self._shown(arn) for arn in ask["execution"].split(",")]
        return self._begin(self.objects.found(ask.get("view")), None, f"{round(self.clock() * 1000)}")

    def sweep(self) -> int:
        """Of all views, what may go well by now; once in a while, whoever sweeps."""
        name = f"s{int(self.clock()) // SWEEP_SECONDS}"
        if not self.objects.any() or self._has_begun(name):
            return 0
        # Another place each time: of very many that wait for somebody, some are looked at, and the next time others.
        chance = random.Random(name)
        view = chance.choice([view for told in self.rebuilds for view in told["views"]] or [""])
        behind = f"{contract.PARKED_PREFIX}{view}/{chance.getrandbits(64):016x}"
        return len(self._begin(self.objects.some(behind, SWEPT_OBJECTS), SWEPT_REASONS, name))

    def _has_begun(self, name: str) -> bool:
        machines = (Executions(self.stepfunctions, told["machine"]) for told in self.rebuilds)
        return any(machine.describe(f"replay-{name}") is not None for machine in machines)

    def _begin(
        self, found: Iterable[tuple[ParkedShown, str]], reasons: Collection[str] | None, name: str
    ) -> list[Retrying]:
        wanted: dict[str, list[str]] = {}
        for one, function in found:
            if reasons is not None and one["reason"] not in reasons:
                continue
            for machine, name_of_one in self._tried_by(one, function):
                wanted.setdefault(machine, []).append(name_of_one)
            if any(len(names) >= MOST_OBJECTS for names in wanted.values()):
                break
        begun: list[Retrying] = []
        for machine, names in wanted.items():
            executions = Executions(self.stepfunctions, machine)
            # One that ends its function keeps those behind it from their turn: the next time others are behind it.
            random.Random(name).shuffle(names)
            batches = [names[start : start + BATCH] for start in range(0, len(names), BATCH)]
            executions.start(f"replay-{name}", {"task": "replay", "batches": batches})
            arn = executions.arn(f"replay-{name}")
            begun.append({"execution": arn, "status": "RUNNING", "replayed": 0, "left": len(names)})
        return begun

    def _tried_by(self, one: ParkedShown, function: str) -> list[tuple[str, str]]:
        """State machines, each with the object for it. None: it is of a view that the code has no more."""
        for told in self.rebuilds:
            mine = function == told["projector"] or function.startswith(f"{told['projector']}:")
            if one["view"] in told["views"] or (one["reason"] == UNDELIVERED and mine):
                return [(told["machine"], one["object"])]
        if one["reason"] != UNDELIVERED:
            return []
        # Of a projector that was replaced: nobody knows which views it had, so each has it for its own.
        names = self.objects.handed_over(one["object"], [told["projector"] for told in self.rebuilds])
        return [(told["machine"], name) for told, name in zip(self.rebuilds, names, strict=False)]

    def _shown(self, arn: str) -> Retrying:
        machine = arn.replace(":execution:", ":stateMachine:").rpartition(":")[0]
        found = Executions(self.stepfunctions, machine).described(arn)
        if found is None:
            return {"execution": arn, "status": "RUNNING", "replayed": 0, "left": 0}
        answers = _answers(found.get("output", ""))
        done, left = (sum(len(answer.get(name, ())) for answer in answers) for name in ("done", "left"))
        asked = sum(map(len, json.loads(found["input"])["batches"]))
        over = found["status"] != "RUNNING"
        return {"execution": arn, "status": found["status"], "replayed": done, "left": asked - done if over else left}


def _answers(output: str) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", json.loads(output).get("told", [])) if output else []
