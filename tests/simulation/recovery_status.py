"""Somebody asks for the status all the time, while a saga dies, is recovered, is parked and resumed.

Whatever is told was true a moment ago, by what is known here of the executions and nobody has to ask for.
"""

import random
from collections.abc import Iterator
from typing import Any, NamedTuple

from serverless_patterns_runtime import Request
from serverless_patterns_runtime.saga_state_machine import contract
from serverless_patterns_runtime.saga_state_machine.executions import CallersExecutions
from serverless_patterns_runtime.saga_state_machine.status import Known, Shown, shown

from .asl import Ended
from .event_source_mapping import Answer
from .faults import Chosen
from .lambda_model import Context, Function, Sandbox
from .network import Client, Network
from .recovery_world import MAIN, RECOVERY, RecoveryWorld
from .saga_ledger import DECLINED
from .saga_world import NAME
from .state_machines_model import LATEST_SECONDS, arn_of

__all__ = ["PolledWorld"]

DOOR_SECONDS = 25.0
OFTEN = 0.25
"""Of all that happens, how much makes somebody ask."""

SETTLED = (contract.SUCCEEDED, contract.COMPENSATED)


class Told(NamedTuple):
    began: float
    answered: float
    body: dict[str, Any]


class PolledWorld(RecoveryWorld):
    def __init__(self, *arguments: Any, troubles: int = 0, **more: Any) -> None:
        """`troubles`: how many requests of the status's function go wrong, beside all others."""
        super().__init__(*arguments, **more)
        self.told: list[Told] = []
        self._dice = random.Random(self.chance.random())
        faults = Chosen(self._dice, 0.2, troubles, ("throttled", "unreachable", "slow", "server error"))
        services = {"stepfunctions": self.machines}
        self._between = Network(self.schedule, services, faults, self._dice, lambda *_: None)
        self._door = Function(
            self.schedule, DOOR_SECONDS, self._dice, self._known, self._look, lambda *_: None, lambda _: None
        )
        self.machines.on_step = self._happens

    def run(self) -> Any:
        end = super().run()
        for _ in range(20):
            self._poll()
            self.schedule.run(until=self.schedule.now + DOOR_SECONDS)
        check_told(self)
        return end

    def _known(self, sandbox: Sandbox) -> Known:
        client = Client(self._between, sandbox, "stepfunctions")
        return Known(*(CallersExecutions(client, arn_of(name), sandbox.sleep) for name in (MAIN, RECOVERY)))

    def _look(self, _: dict[str, Any], context: Context, known: Known) -> Any:
        del context
        seen = Shown(results={plan.name for plan in self.plans}, errors={DECLINED}, any_caller=True)
        return shown(Request.fake("GET /checkout/{execution}", params={"execution": NAME}), known, seen).body

    def _happens(self, _: str) -> None:
        if self._dice.random() < OFTEN:
            self.schedule.after(self._dice.uniform(0, 2 * LATEST_SECONDS), self._poll)

    def _poll(self) -> None:
        began = self.schedule.now

        def answered(answer: Answer) -> None:
            if answer.error is None:  # a 404 for what nobody sees yet, or a 503: they ask again
                self.told.append(Told(began, self.schedule.now, answer.result))

        self._door.invoke({}, answered)


def check_told(world: PolledWorld) -> None:
    """Raises AssertionError."""
    settled = None
    for told in sorted(world.told, key=lambda told: told.began):
        status, true = told.body["status"], [*_true(world, told.began - LATEST_SECONDS, told.answered)]
        assert status in true, f"told {status}, while it was {' and '.join(true)}"
        assert settled in (None, status), f"told {settled}, and later {status}"
        settled = status if status in SETTLED else settled
    assert world.told, "nobody was told anything"
    last, end = world.told[-1].body, world.execution.ended
    assert end is not None
    assert last["status"] == _outcome(end), f"told {last['status']} in the end, and it was {_outcome(end)}"
    if last["status"] == contract.SUCCEEDED:
        assert last["results"] == end.output["results"], "told other results"
    if "error" in last:
        assert last["error"] == end.output["error"]["Error"] == DECLINED, "told another error"


def _true(world: PolledWorld, since: float, until: float) -> Iterator[str]:
    """All that it was within this time."""
    moments = {since, *(moment for moment, _ in _changes(world) if since < moment <= until)}
    for moment in sorted(moments):
        yield next((what for at, what in reversed(_changes(world)) if at <= moment), contract.RUNNING)


def _changes(world: PolledWorld) -> list[tuple[float, str]]:
    """From when on it was what."""
    found: list[tuple[float, str]] = []
    for machine, begins in ((MAIN, contract.RUNNING), (RECOVERY, contract.RECOVERING)):
        for run in world.machines.runs(machine):
            found.append((world.machines.started_at(run), begins))
            if run.ended is not None:
                found.append((world.machines.ended_at(run), _outcome(run.ended)))  # type: ignore[arg-type]
    return sorted(found, key=lambda change: change[0])


def _outcome(ended: Ended) -> str:
    if ended.status == "SUCCEEDED":
        return ended.output["status"]
    return ended.error if ended.error in contract.PARKED_ENDS else contract.ABORTED  # type: ignore[return-value]
