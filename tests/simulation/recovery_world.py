"""A saga whose execution may die, with the guardian, its sweep, the recovery, and people who resume what is parked."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from serverless_patterns_runtime.claims.outside import Outside
from serverless_patterns_runtime.saga_recovery import guardian_handler, ledger_handler
from serverless_patterns_runtime.saga_recovery.edge import GuardianEdge, LedgerEdge

from .event_source_mapping import Answer
from .faults import Faults
from .lambda_model import Function, Sandbox
from .network import Client, Network
from .recovery_definition import LEDGER, recovery_definition
from .saga_definition import NAMESPACE, Plan
from .saga_world import INPUT, LONGEST_SECONDS, NAME, SagaWorld
from .state_machines_model import Run, StateMachines, arn_of
from .world import CLAIMS, Log, Metrics

__all__ = ["Death", "RecoveryWorld"]

MAIN, RECOVERY = "Checkout", "Recovery"
LEDGER_SECONDS = 60
GUARDIAN_SECONDS = 240
SWEEP_SECONDS = 300
RETENTION_SECONDS = 30 * 24 * 3600
SWEEPS = 4
"""After every end; later ones see nothing new."""

ASYNC_RETRY_SECONDS = (60.0, 120.0)
"""After which Lambda tries an event again."""


@dataclass(frozen=True)
class Death:
    """Of the main execution, and who hears of it."""

    at: int
    """Number of what happens in the account just before, counted from its start: 0 is before its first state. None dies
    that has ended by then."""
    status: str = "ABORTED"
    error: str | None = None
    events: int = 1
    """How often its end is told to the guardian."""


class RecoveryWorld(SagaWorld):
    def __init__(
        self,
        plans: Sequence[Plan],
        seed: int | str,
        faults: Faults | None = None,
        *,
        death: Death | None = None,
        resumes: int = 0,
        mended: bool = True,
        recovers: Callable[[Sequence[Plan]], Mapping[str, Any]] = recovery_definition,
        sweeps: int = SWEEPS,
        **deployed: Any,
    ) -> None:
        """`resumes`: how often what is parked is resumed, each time by two at once; `mended`: at the last time nothing
        is broken any more."""
        super().__init__(plans, seed, faults, **deployed)
        self.death, self.happened = death, 0
        self._resumes, self._mends, self._sweeps = resumes, mended, sweeps
        self._mended: dict[str, Plan] = {}
        self.answers: list[Any] = []
        """What the guardian has told people."""
        self.ever_parked: set[str] = set()
        services = {**self.execution.services, LEDGER: self._task(self._bundled(LEDGER_SECONDS, self._ledger))}
        self.machines = StateMachines(
            {MAIN: self.execution.machine.definition, RECOVERY: recovers(plans)},
            services,
            self.schedule,
            self.chance,
            self._see_call,
            on_end=self._ended,
        )
        self.network = Network(
            self.schedule,
            {"dynamodb": self.dynamodb, "stepfunctions": self.machines},
            self.faults,
            self.chance,
            self._see_call,
        )
        self.guardian = self._bundled(GUARDIAN_SECONDS, self._guardian)
        self._given = self.execution.input

    # What is deployed.

    def _bundled(self, seconds: float, made: tuple[Callable[..., Any], Callable[..., Any]]) -> Function:
        edge, handle = made
        return Function(
            self.schedule,
            seconds,
            self.chance,
            edge,
            handle,
            self._see_call,
            called=lambda event: event.get("task", "event"),
        )

    @property
    def _ledger(self) -> Any:
        def edge(sandbox: Sandbox) -> LedgerEdge:
            return LedgerEdge(self._outside(sandbox), arn_of(MAIN), LONGEST_SECONDS)

        return edge, lambda event, context, edge: ledger_handler.process(event, context, edge)

    @property
    def _guardian(self) -> Any:
        def edge(sandbox: Sandbox) -> GuardianEdge:
            return GuardianEdge(self._outside(sandbox), arn_of(MAIN), arn_of(RECOVERY), set())

        return edge, lambda event, context, edge: guardian_handler.process(event, context, edge)

    def _outside(self, sandbox: Sandbox) -> Outside:
        return Outside(
            dynamodb=Client(self.network, sandbox, "dynamodb"),
            stepfunctions=Client(self.network, sandbox, "stepfunctions"),
            claims_table_name=CLAIMS,
            claims_namespace=NAMESPACE,
            claims_retention_seconds=RETENTION_SECONDS,
            clock=sandbox.clock,
            sleep=sandbox.sleep,
            random=random.Random(self.chance.getrandbits(64)),
            logger=Log(lambda text, fields: self._see_call("log", text, fields)),
            metrics=Metrics(),
        )

    def _edge(self, sandbox: Sandbox, plan: Plan, kind: str) -> Any:
        return super()._edge(sandbox, self._mended.get(plan.name, plan), kind)

    # What happens.

    def run(self) -> Any:
        """Until nothing is left to happen: sweeps end some time after the last bad end."""
        self.execution = main = self.machines.start(MAIN, NAME, self._given)
        if self.death is not None and self.death.at == 0:
            main.stop(self.death.status, self.death.error)
        self.schedule.run(until=self.schedule.now + 3 * LONGEST_SECONDS)
        self.main = self.execution
        recoveries = self.machines.runs(RECOVERY)
        self.execution = recoveries[-1] if recoveries else self.main
        assert self.execution.ended is not None, "an execution has not ended"
        return self.execution.ended

    def _see_call(self, who: str, what: str, more: Any) -> None:
        super()._see_call(who, what, more)
        if self.death is None:
            return
        self.happened += 1
        if self.happened == self.death.at:
            death, run = self.death, self.execution
            self.schedule.after(0, lambda: run.stop(death.status, death.error))  # type: ignore[attr-defined]

    def _ended(self, machine: str, run: Run) -> None:
        assert run.ended is not None
        self.ever_parked |= {name for name in self._names if self._is_parked(name)}
        if run.ended.status == "SUCCEEDED":
            return
        if machine == MAIN:
            for _ in range(self.death.events if self.death else 1):
                self.schedule.after(self.chance.uniform(0, 2), lambda: self._tell(_event(run.name)))
            first = self.chance.uniform(0, SWEEP_SECONDS)
            for number in range(self._sweeps):
                self.schedule.after(first + number * SWEEP_SECONDS, lambda: self._tell({"task": "sweep"}))
        if self._resumes and "PARKED" in str(run.ended.error):
            self._resumes -= 1
            self.schedule.after(self.chance.uniform(1, 5 * SWEEP_SECONDS), lambda: self._resume())

    def _tell(self, event: Any, tries: Sequence[float] = ASYNC_RETRY_SECONDS) -> None:
        """As EventBridge does: by an asynchronous invocation, which Lambda repeats."""

        def answered(answer: Answer) -> None:
            if answer.error is not None and tries:
                self.schedule.after(tries[0], lambda: self._tell(event, tries[1:]))

        self.guardian.invoke(event, answered)

    def _resume(self) -> None:
        """By two people who do not know of each other, and do it again when they get no answer."""
        if self._mends and not self._resumes:
            self._mended = {plan.name: replace(plan, does="ok", undo="clean") for plan in self.plans}
            for function in self.functions:
                function.idle.clear()  # new code, new sandboxes
        for person in ("ann", "bob"):
            self.schedule.after(
                self.chance.choice((0.0, self.chance.random())), lambda person=person: self._ask(person)
            )

    def _ask(self, person: str) -> None:
        event = {"task": "resume", "execution": NAME, "by": person, "reason": "mended"}

        def answered(answer: Answer) -> None:
            if answer.error is not None:
                self.schedule.after(60, lambda: self._ask(person))
            else:
                self.answers.append(answer.result)

        self.guardian.invoke(event, answered)

    @property
    def _names(self) -> Sequence[str]:
        return [plan.name for plan in self.plans]

    def _is_parked(self, name: str) -> bool:
        return (f"parked#{NAMESPACE}#{NAME}#{name}",) in self.claims()


def _event(name: str) -> Mapping[str, Any]:
    arn = f"{arn_of(MAIN).replace(':stateMachine:', ':execution:')}:{name}"
    return {"source": "aws.states", "detail": {"executionArn": arn, "status": "ABORTED"}}


__all__ += ["INPUT", "MAIN", "RECOVERY", "SWEEP_SECONDS"]
