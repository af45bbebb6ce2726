"""Step Functions, as far as our definitions go: a Standard state machine in virtual time.

After Amazon States Language and Step Functions' documentation, not after an emulator. Only the states and fields that
we generate: any other is an error, so that nothing is believed that this does not do.
"""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from .asl_paths import NoSuchPath, filled, present, read, size, write
from .virtual_time import Schedule

__all__ = ["Ended", "Execution", "Machine", "Service", "TaskFailure"]

MAX_BYTES = 262_144

FIELDS = {
    "Task": {
        "Resource",
        "Parameters",
        "ResultSelector",
        "ResultPath",
        "OutputPath",
        "TimeoutSeconds",
        "Retry",
        "Catch",
    },
    "Pass": {"Parameters", "ResultPath"},
    "Choice": {"Choices", "Default"},
    "Succeed": set[str](),
    "Fail": {"Error", "Cause"},
}
MOVES = {"Next", "End"}
RETRIER = {"ErrorEquals", "IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds", "JitterStrategy"}
CATCHER = {"ErrorEquals", "ResultPath", "Next"}
RULE = {"Variable", "IsPresent", "Next"}

NOT_IN_ALL = {"States.DataLimitExceeded", "States.Runtime"}


class TaskFailure(Exception):
    def __init__(self, name: str, cause: str = "") -> None:
        super().__init__(name)
        self.name = name
        self.cause = cause


Answered = Callable[[Any], None]
"""Takes the result, or a TaskFailure."""


class Service(Protocol):
    """What a Task's Resource stands for."""

    def __call__(self, parameters: Any, answered: Answered) -> None: ...


@dataclass(frozen=True)
class Machine:
    """A definition, checked to be one that this interpreter fully understands."""

    definition: Mapping[str, Any]

    def __post_init__(self) -> None:
        assert self.definition.keys() <= {"StartAt", "States", "Comment"}, set(self.definition)
        reached = {self.definition["StartAt"]}
        for name, state in self.states.items():
            assert len(name) <= 80, name
            self._check(name, state)
            reached |= set(_targets(state))
        assert reached == set(self.states), f"unknown or never reached: {reached ^ set(self.states)}"

    @property
    def states(self) -> Mapping[str, Mapping[str, Any]]:
        return self.definition["States"]

    def _check(self, name: str, state: Mapping[str, Any]) -> None:
        kind = state["Type"]
        moves = MOVES if kind in {"Task", "Pass"} else set[str]()
        unknown = state.keys() - FIELDS[kind] - moves - {"Type", "Comment"}
        assert not unknown, f"{name}: the interpreter does not know {unknown}"
        assert not moves or len(state.keys() & moves) == 1, f"{name}: goes nowhere, or twice"
        if kind == "Task":
            assert state["TimeoutSeconds"] > 0
            for retrier in state.get("Retry", ()):
                assert retrier.keys() <= RETRIER, f"{name}: the interpreter does not know {retrier}"
                _check_errors(state["Retry"], retrier)
            for catcher in state.get("Catch", ()):
                assert catcher.keys() <= CATCHER, f"{name}: the interpreter does not know {catcher}"
                _check_errors(state["Catch"], catcher)
        for rule in state.get("Choices", ()):
            assert rule.keys() == RULE, f"{name}: the interpreter does not know {rule}"


@dataclass(frozen=True)
class Ended:
    status: str
    """`SUCCEEDED` or `FAILED`."""
    output: Any = None
    error: str | None = None
    cause: str | None = None


@dataclass(eq=False)
class Execution:
    machine: Machine
    name: str
    input: Any
    services: Mapping[str, Service]
    """By Resource."""
    schedule: Schedule
    chance: random.Random
    trace: Callable[..., None]
    ended: Ended | None = None
    transitions: int = 0
    entered: list[str] = field(default_factory=list)
    """Names of states, in order."""

    def start(self) -> None:
        assert size(self.input) <= MAX_BYTES
        self.schedule.after(0, lambda: self._enter(self.machine.definition["StartAt"], self.input))

    def _enter(self, name: str, document: Any) -> None:
        state = self.machine.states[name]
        self.entered.append(name)
        self.transitions += 1
        self.trace("execution", "entered", name)
        match state["Type"]:
            case "Task":
                _Visit(self, name, state, document).attempt()
            case "Pass":
                self._pass(state, document)
            case "Choice":
                self._enter(_chosen(state, document), document)
            case "Succeed":
                self._end(Ended("SUCCEEDED", document))
            case _:
                self._end(Ended("FAILED", error=state.get("Error"), cause=state.get("Cause")))

    def leave(self, state: Mapping[str, Any], document: Any) -> None:
        if "Next" in state:
            self.schedule.after(0.01, lambda: self._enter(state["Next"], document))
        else:
            self._end(Ended("SUCCEEDED", document))

    def go(self, name: str, document: Any) -> None:
        self.schedule.after(0.01, lambda: self._enter(name, document))

    def fail(self, error: str, cause: str) -> None:
        self._end(Ended("FAILED", error=error, cause=cause))

    def context(self, state: str, retries: int) -> Mapping[str, Any]:
        return {
            "Execution": {"Name": self.name, "Id": f"arn:execution:{self.name}", "Input": self.input},
            "State": {"Name": state, "RetryCount": retries},
        }

    def _pass(self, state: Mapping[str, Any], document: Any) -> None:
        given = filled(state["Parameters"], document, self.context("", 0)) if "Parameters" in state else document
        self.leave(state, write(state.get("ResultPath", "$"), document, given))

    def _end(self, ended: Ended) -> None:
        assert self.ended is None
        self.ended = ended
        self.trace("execution", ended.status, ended.error or ended.output)


class _Visit:
    """One stay in a Task, with its retries."""

    def __init__(self, execution: Execution, name: str, state: Mapping[str, Any], document: Any) -> None:
        self._execution = execution
        self._name = name
        self._state = state
        self._document = document
        self._counts: Counter[int] = Counter()
        self._open = 0
        """Number of the attempt whose answer counts."""

    def attempt(self) -> None:
        self._open += 1
        number = self._open
        context = self._execution.context(self._name, self._counts.total())
        try:
            parameters = filled(self._state.get("Parameters", {}), self._document, context)
        except NoSuchPath as missing:
            return self._failed(TaskFailure("States.Runtime", str(missing)))

        def answered(answer: Any) -> None:
            if self._open == number:
                self._open += 1
                self._take(answer)

        schedule = self._execution.schedule
        schedule.after(self._state["TimeoutSeconds"], lambda: answered(TaskFailure("States.Timeout")))
        self._execution.services[self._state["Resource"]](parameters, answered)
        return None

    def _take(self, answer: Any) -> None:
        if isinstance(answer, TaskFailure):
            return self._failed(answer)
        if "ResultSelector" in self._state:
            answer = filled(self._state["ResultSelector"], answer, self._execution.context(self._name, 0))
        path = self._state.get("ResultPath", "$")
        document = self._document if path is None else write(path, self._document, answer)
        if size(answer) > MAX_BYTES or size(document) > MAX_BYTES:
            return self._failed(TaskFailure("States.DataLimitExceeded"))
        return self._execution.leave(self._state, read(self._state.get("OutputPath", "$"), document))

    def _failed(self, failure: TaskFailure) -> None:
        self._execution.trace("execution", "failed", f"{self._name}: {failure.name}")
        for number, retrier in enumerate(self._state.get("Retry", ())):
            if _matches(retrier["ErrorEquals"], failure.name):
                if self._counts[number] < retrier.get("MaxAttempts", 3):
                    delay = self._delay(retrier, self._counts[number])
                    self._counts[number] += 1
                    return self._execution.schedule.after(delay, self.attempt)
                break
        for catcher in self._state.get("Catch", ()):
            if _matches(catcher["ErrorEquals"], failure.name):
                path = catcher.get("ResultPath", "$")
                told = {"Error": failure.name, "Cause": failure.cause}
                document = self._document if path is None else write(path, self._document, told)
                assert size(document) <= MAX_BYTES, "the error does not fit into the document"
                return self._execution.go(catcher["Next"], document)
        return self._execution.fail(failure.name, failure.cause)

    def _delay(self, retrier: Mapping[str, Any], before: int) -> float:
        delay = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** before
        delay = min(delay, retrier.get("MaxDelaySeconds", delay))
        full = retrier.get("JitterStrategy", "NONE") == "FULL"
        return self._execution.chance.uniform(0, delay) if full else delay


def _matches(names: Sequence[str], error: str) -> bool:
    return error in names or ("States.ALL" in names and error not in NOT_IN_ALL)


def _check_errors(handlers: Sequence[Mapping[str, Any]], handler: Mapping[str, Any]) -> None:
    names = handler["ErrorEquals"]
    assert names
    assert "States.ALL" not in names or (len(names) == 1 and handler is handlers[-1]), "States.ALL is alone, and last"


def _chosen(state: Mapping[str, Any], document: Any) -> str:
    for rule in state["Choices"]:
        if present(rule["Variable"], document) == rule["IsPresent"]:
            return rule["Next"]
    return state["Default"]


def _targets(state: Mapping[str, Any]) -> Sequence[str]:
    found = [state[name] for name in ("Next", "Default") if name in state]
    return [*found, *(handler["Next"] for part in ("Catch", "Choices") for handler in state.get(part, ()))]
