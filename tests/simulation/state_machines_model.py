"""Step Functions' API over executions that really run: started once a name, stopped, described late, listed later.

After its API reference: StartExecution with the name and input of an open execution says the same again, and is
refused otherwise; what is told of executions is eventually consistent.
"""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .asl import Ended, Execution, Machine, Service, _Run
from .aws_errors import ServiceError
from .virtual_time import Schedule

__all__ = ["Run", "StateMachines", "arn_of"]

LATEST_SECONDS = 1.5
"""After which everybody sees what has happened."""

PAGE = 2


def arn_of(machine: str) -> str:
    return f"arn:aws:states:eu-central-1:123456789012:stateMachine:{machine}"


class Run(Execution):
    """An execution that can be stopped: what it has called goes on, and nothing else of it does."""

    arn = ""

    def start(self) -> None:
        self._way = _Run(self, self.machine.definition, self._end)
        self._way.start(self.input)
        if "TimeoutSeconds" in self.machine.definition:
            self.schedule.after(self.machine.definition["TimeoutSeconds"], lambda: self.stop("TIMED_OUT"))

    def context(self, state: str, retries: int, entered: float = 0.0) -> Mapping[str, Any]:
        told = super().context(state, retries, entered)
        return {**told, "Execution": {**told["Execution"], "Id": self.arn}}

    def stop(self, status: str = "ABORTED", error: str | None = None) -> None:
        if self.ended is None:
            self._way.stop()
            self._end(Ended(status, error=error))


@dataclass(eq=False)
class Known:
    """One execution, as the API knows it."""

    machine: str
    run: Run
    text: str
    started: float
    seen: float
    """When it is listed and described."""
    end: tuple[float, Ended] | None = None
    end_seen: float = 0.0


@dataclass(eq=False)
class StateMachines:
    definitions: Mapping[str, Mapping[str, Any]]
    """By name."""
    services: Mapping[str, Service]
    schedule: Schedule
    chance: random.Random
    trace: Callable[..., None]
    on_end: Callable[[str, Run], None] = lambda machine, run: None  # noqa: ARG005
    on_step: Callable[[str], None] = lambda machine: None  # noqa: ARG005
    """Told of everything that happens in an execution of a machine."""
    known: list[Known] = field(default_factory=list)

    def start(self, machine: str, name: str, given: Any) -> Run:
        """As somebody in the account does it."""
        run = Run(
            Machine(self.definitions[machine]),
            name,
            given,
            self.services,
            self.schedule,
            self.chance,
            lambda *what: self._see(machine, run, *what),
        )
        seen = self.schedule.now + self._late()
        self.known.append(Known(machine, run, json.dumps(given, separators=(",", ":")), self.schedule.now, seen))
        run.arn = self._arn(machine, name)
        run.start()
        return run

    def runs(self, machine: str) -> Sequence[Run]:
        return [known.run for known in self.known if known.machine == machine]

    def started_at(self, run: Run) -> float:
        return next(known.started for known in self.known if known.run is run)

    def ended_at(self, run: Run) -> float:
        end = next(known.end for known in self.known if known.run is run)
        assert end is not None
        return end[0]

    # The API.

    def start_execution(self, *, stateMachineArn: str, name: str, input: str) -> Mapping[str, Any]:
        machine = stateMachineArn.rsplit(":", 1)[-1]
        found = self._find(machine, name)
        if found is not None and (found.end is not None or found.text != input):
            raise ServiceError("ExecutionAlreadyExists", f"Execution Already Exists: '{name}'")
        if found is None:
            self.start(machine, name, json.loads(input))
        return {"executionArn": self._arn(machine, name), "startDate": self._date(self.schedule.now)}

    def stop_execution(self, *, executionArn: str, error: str = "", cause: str = "") -> Mapping[str, Any]:  # noqa: ARG002
        self._seen(executionArn).run.stop("ABORTED", error)
        return {"stopDate": self._date(self.schedule.now)}

    def describe_execution(self, *, executionArn: str) -> Mapping[str, Any]:
        known = self._seen(executionArn)
        told: dict[str, Any] = {
            "name": known.run.name,
            "executionArn": executionArn,
            "stateMachineArn": arn_of(known.machine),
            "status": "RUNNING",
            "startDate": self._date(known.started),
            "input": known.text,
        }
        end = self._end_seen(known)
        if end is None:
            return told
        at, ended = end
        more = {"error": ended.error, "cause": ended.cause, "output": json.dumps(ended.output)}
        return told | {"status": ended.status, "stopDate": self._date(at)} | {k: v for k, v in more.items() if v}

    def list_executions(
        self, *, stateMachineArn: str, statusFilter: str, nextToken: str | None = None
    ) -> Mapping[str, Any]:
        machine = stateMachineArn.rsplit(":", 1)[-1]
        found = [
            known
            for known in sorted(self.known, key=lambda known: -known.started)
            if known.machine == machine and self._status(known) == statusFilter
        ]
        begin = int(nextToken or 0)
        some = [
            {
                "name": known.run.name,
                "executionArn": self._arn(machine, known.run.name),
                "stateMachineArn": stateMachineArn,
                "status": statusFilter,
                "startDate": self._date(known.started),
            }
            for known in found[begin : begin + PAGE]
        ]
        more = {"nextToken": str(begin + PAGE)} if len(found) > begin + PAGE else {}
        return {"executions": some, **more}

    def describe_state_machine_for_execution(self, *, executionArn: str) -> Mapping[str, Any]:
        known = self._seen(executionArn)
        return {"definition": json.dumps(known.run.machine.definition)}

    # How it is with them.

    def _see(self, machine: str, run: Run, *what: Any) -> None:
        self.trace(machine, run.name, what)
        self.on_step(machine)
        known = next((known for known in self.known if known.run is run), None)
        if known is not None and run.ended is not None and known.end is None:
            known.end = (self.schedule.now, run.ended)
            known.end_seen = self.schedule.now + self._late()
            self.on_end(machine, run)

    def _status(self, known: Known) -> str:
        end = self._end_seen(known)
        return "RUNNING" if end is None else end[1].status

    def _end_seen(self, known: Known) -> tuple[float, Ended] | None:
        return known.end if known.end is not None and self.schedule.now >= known.end_seen else None

    def _seen(self, arn: str) -> Known:
        *_, machine, name = arn.split(":")
        known = self._find(machine, name)
        if known is None or self.schedule.now < known.seen:
            raise ServiceError("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
        return known

    def _find(self, machine: str, name: str) -> Known | None:
        return next((it for it in self.known if (it.machine, it.run.name) == (machine, name)), None)

    def _arn(self, machine: str, name: str) -> str:
        return f"{arn_of(machine).replace(':stateMachine:', ':execution:')}:{name}"

    def _late(self) -> float:
        return self.chance.choice((0.0, self.chance.random() * LATEST_SECONDS))

    def _date(self, seconds: float) -> datetime:
        return datetime.fromtimestamp(seconds, UTC)
