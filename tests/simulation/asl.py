"""Step Functions, as far as our definitions go: a Standard state machine in virtual time.

After Amazon States Language and Step Functions' documentation, not after an emulator. Only the states and fields that
we generate: any other is an error, so that nothing is believed that this does not do.
"""

import json
import random
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from .asl_choices import check_rule, holds
from .asl_paths import NoSuchPath, filled, read, size, timestamp, write
from .virtual_time import Schedule

__all__ = ["Ended", "Execution", "Machine", "Service", "TaskFailure"]

MAX_BYTES = 262_144

FIELDS = {
    "Task": {
        "Resource",
        "InputPath",
        "Parameters",
        "ResultSelector",
        "ResultPath",
        "OutputPath",
        "TimeoutSeconds",
        "HeartbeatSeconds",
        "Retry",
        "Catch",
    },
    "Pass": {"Parameters", "Result", "ResultPath", "OutputPath"},
    "Parallel": {"Branches", "Parameters", "ResultSelector", "ResultPath", "OutputPath", "Catch"},
    "Map": {
        "ItemsPath",
        "ItemReader",
        "ItemSelector",
        "ItemProcessor",
        "MaxConcurrency",
        "Label",
        "ToleratedFailurePercentage",
        "ResultSelector",
        "ResultPath",
        "OutputPath",
        "Catch",
    },
    "Choice": {"Choices", "Default"},
    "Wait": {"Seconds", "TimestampPath", "OutputPath"},
    "Succeed": {"OutputPath"},
    "Fail": {"Error", "Cause", "CausePath"},
}
ENDS = {"Choice", "Succeed", "Fail"}
MOVES = {"Next", "End"}
RETRIER = {"ErrorEquals", "IntervalSeconds", "MaxAttempts", "BackoffRate", "MaxDelaySeconds", "JitterStrategy"}
CATCHER = {"ErrorEquals", "ResultPath", "Next"}

MOST_INLINE = 40
"""Iterations of an inline map at once."""

PROCESSORS = ({"Mode": "INLINE"}, {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"})
READERS = {"JSON": json.loads, "JSONL": lambda text: [json.loads(line) for line in text.splitlines() if line.strip()]}

STARTED = "2026-11-21T18:20:00.123Z"
WAITING = ".waitForTaskToken"
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
        names = list(_checked(self.definition))
        assert len(set(names)) == len(names), f"twice, branches included: {sorted(names)}"

    @property
    def states(self) -> Mapping[str, Mapping[str, Any]]:
        """Those in branches too."""
        return dict(_all_states(self.definition))


def _all_states(definition: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, state in definition["States"].items():
        yield name, state
        for part in _parts(state):
            yield from _all_states(part)


def _parts(state: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Machines inside of a state."""
    return [state["ItemProcessor"]] if "ItemProcessor" in state else state.get("Branches", ())


def _checked(definition: Mapping[str, Any]) -> Iterator[str]:
    """The names of all states."""
    assert definition.keys() <= {"StartAt", "States", "Comment", "ProcessorConfig", "TimeoutSeconds"}, set(definition)
    reached = {definition["StartAt"]}
    for name, state in definition["States"].items():
        assert len(name) <= 80, name
        _check(name, state)
        reached |= set(_targets(state))
        yield name
        for part in _parts(state):
            yield from _checked(part)
    assert reached == set(definition["States"]), f"unknown or never reached: {reached ^ set(definition['States'])}"


def _check(name: str, state: Mapping[str, Any]) -> None:
    kind = state["Type"]
    moves = set[str]() if kind in ENDS else MOVES
    unknown = state.keys() - FIELDS[kind] - moves - {"Type", "Comment"}
    assert not unknown, f"{name}: the interpreter does not know {unknown}"
    assert not moves or len(state.keys() & moves) == 1, f"{name}: goes nowhere, or twice"
    if kind == "Task":
        assert state["TimeoutSeconds"] > 0
        if "HeartbeatSeconds" in state:
            assert state["Resource"].endswith(WAITING), f"{name}: nobody sends heartbeats"
            assert 0 < state["HeartbeatSeconds"] < state["TimeoutSeconds"]
    if kind == "Wait":
        assert len(state.keys() & {"Seconds", "TimestampPath"}) == 1, f"{name}: waits for nothing, or for two"
    if kind == "Pass":
        assert len(state.keys() & {"Parameters", "Result"}) <= 1, f"{name}: says two things"
    if kind == "Map":
        _check_map(name, state)
    if kind == "Parallel":
        assert state["Branches"], f"{name}: no Branches"
    for retrier in state.get("Retry", ()):
        assert retrier.keys() <= RETRIER, f"{name}: the interpreter does not know {retrier}"
        _check_errors(state["Retry"], retrier)
    for catcher in state.get("Catch", ()):
        assert catcher.keys() <= CATCHER, f"{name}: the interpreter does not know {catcher}"
        _check_errors(state["Catch"], catcher)
    for rule in state.get("Choices", ()):
        check_rule(name, {key: value for key, value in rule.items() if key != "Next"})


def _check_map(name: str, state: Mapping[str, Any]) -> None:
    assert {"ItemProcessor", "ItemSelector", "MaxConcurrency"} <= state.keys(), f"{name}: half of a Map"
    processor = state["ItemProcessor"]
    assert processor["ProcessorConfig"] in PROCESSORS, f"{name}: an unknown mode"
    assert len(state.keys() & {"ItemsPath", "ItemReader"}) == 1, f"{name}: no items, or twice"
    if _is_distributed(state):
        # The names of children are Step Functions' own, of which this knows nothing.
        assert "$$.Execution" not in json.dumps(processor), f"{name}: a child asks for its own name"
        assert len(state["Label"]) <= 40, f"{name}: a long label"
        return
    assert 1 <= state["MaxConcurrency"] <= MOST_INLINE, f"{name}: MaxConcurrency"
    unknown = state.keys() & {"ItemReader", "Label", "ToleratedFailurePercentage"}
    assert not unknown, f"{name}: an inline map has no {unknown}"


def _is_distributed(state: Mapping[str, Any]) -> bool:
    return state["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED"


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
    waiting: dict[str, Answered] = field(default_factory=dict[str, Answered])
    """By token: what tells a task that waits."""

    def start(self) -> None:
        assert size(self.input) <= MAX_BYTES
        assert "TimeoutSeconds" not in self.machine.definition, "state_machines_model has executions that time out"
        _Run(self, self.machine.definition, self._end).start(self.input)

    def context(self, state: str, retries: int, entered: float = 0.0) -> Mapping[str, Any]:
        time = datetime.fromtimestamp(entered, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {
            "Execution": {
                "Name": self.name,
                "Id": f"arn:execution:{self.name}",
                "Input": self.input,
                "StartTime": STARTED,
            },
            "State": {"Name": state, "RetryCount": retries, "EnteredTime": time},
        }

    def _end(self, ended: Ended) -> None:
        assert self.ended is None
        self.ended = ended
        self.trace("execution", ended.status, ended.error or ended.output)


class _Run:
    """The way through one machine: that of the execution, or of a branch, which may be stopped."""

    def __init__(self, execution: Execution, definition: Mapping[str, Any], on_end: Callable[[Ended], None]) -> None:
        self.execution = execution
        self._definition = definition
        self._on_end = on_end
        self._branches: list[_Run] = []
        self.over = False

    def start(self, document: Any) -> None:
        self.later(0, lambda: self._enter(self._definition["StartAt"], document))

    def stop(self) -> None:
        """Nothing of it happens any more. What it has asked for is not called back."""
        self.over = True
        for branch in self._branches:
            branch.stop()

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        self.execution.schedule.after(seconds, lambda: None if self.over else action())

    def end(self, ended: Ended) -> None:
        assert not self.over
        self.stop()
        self._on_end(ended)

    def _enter(self, name: str, document: Any) -> None:
        state = self._definition["States"][name]
        execution = self.execution
        execution.entered.append(name)
        execution.transitions += 1
        execution.trace("execution", "entered", name)
        match state["Type"]:
            case "Task":
                _Visit(self, name, state, document).attempt()
            case "Parallel":
                _Fork(self, name, state, document).begin()
            case "Map":
                _Scatter(self, name, state, document).begin()
            case "Pass":
                self._pass(state, document)
            case "Wait":
                self._wait(state, document)
            case "Choice":
                self._choose(state, document)
            case "Succeed":
                self.leave(state, document)
            case _:
                cause = read(state["CausePath"], document) if "CausePath" in state else state.get("Cause")
                self.end(Ended("FAILED", error=state.get("Error"), cause=cause))

    def leave(self, state: Mapping[str, Any], document: Any) -> None:
        try:
            output = read(state.get("OutputPath", "$"), document)
        except NoSuchPath as missing:
            return self.end(Ended("FAILED", error="States.Runtime", cause=str(missing)))
        if "Next" in state:
            return self.later(0.01, lambda: self._enter(state["Next"], output))
        return self.end(Ended("SUCCEEDED", output))

    def go(self, name: str, document: Any) -> None:
        self.later(0.01, lambda: self._enter(name, document))

    def _pass(self, state: Mapping[str, Any], document: Any) -> None:
        given = state.get("Result", document)
        if "Parameters" in state:
            given = filled(state["Parameters"], document, self.execution.context("", 0))
        self.leave(state, write(state.get("ResultPath", "$"), document, given))

    def _wait(self, state: Mapping[str, Any], document: Any) -> None:
        seconds = state.get("Seconds")
        try:
            if seconds is None:
                seconds = max(timestamp(read(state["TimestampPath"], document)) - self.execution.schedule.now, 0)
        except (NoSuchPath, ValueError) as unusable:
            return self.end(Ended("FAILED", error="States.Runtime", cause=str(unusable)))
        return self.later(seconds, lambda: self.leave(state, document))

    def _choose(self, state: Mapping[str, Any], document: Any) -> None:
        try:
            taken = next((rule["Next"] for rule in state["Choices"] if holds(rule, document)), state["Default"])
        except (NoSuchPath, TypeError) as unusable:
            return self.end(Ended("FAILED", error="States.Runtime", cause=str(unusable)))
        return self._enter(taken, document)

    def caught(self, state: Mapping[str, Any], document: Any, failure: TaskFailure) -> None:
        for catcher in state.get("Catch", ()):
            if _matches(catcher["ErrorEquals"], failure.name):
                path = catcher.get("ResultPath", "$")
                told = {"Error": failure.name, "Cause": failure.cause}
                document = document if path is None else write(path, document, told)
                assert size(document) <= MAX_BYTES, "the error does not fit into the document"
                return self.go(catcher["Next"], document)
        return self.end(Ended("FAILED", error=failure.name, cause=failure.cause))

    def done(self, name: str, state: Mapping[str, Any], document: Any, result: Any) -> TaskFailure | None:
        """Leaves with the result; not when it is more than a state may hold."""
        whole = result
        if "ResultSelector" in state:
            result = filled(state["ResultSelector"], result, self.execution.context(name, 0))
        path = state.get("ResultPath", "$")
        document = document if path is None else write(path, document, result)
        if max(map(size, (whole, result, document))) > MAX_BYTES:
            return TaskFailure("States.DataLimitExceeded")
        self.leave(state, document)
        return None

    def branch(self, definition: Mapping[str, Any], on_end: Callable[[Ended], None]) -> "_Run":
        self._branches.append(_Run(self.execution, definition, on_end))
        return self._branches[-1]


class _Fork:
    """One stay in a Parallel: all branches begin; the first that fails stops the others."""

    def __init__(self, run: _Run, name: str, state: Mapping[str, Any], document: Any) -> None:
        self._run = run
        self._name = name
        self._state = state
        self._document = document
        self._outputs: dict[int, Any] = {}
        self._branches = [
            run.branch(branch, lambda ended, number=number: self._ended(number, ended))
            for number, branch in enumerate(state["Branches"])
        ]

    def begin(self) -> None:
        given = self._document
        if "Parameters" in self._state:
            try:
                given = filled(self._state["Parameters"], given, self._run.execution.context(self._name, 0))
            except NoSuchPath as missing:
                return self._failed(TaskFailure("States.Runtime", str(missing)))
        if size(given) > MAX_BYTES:
            return self._failed(TaskFailure("States.DataLimitExceeded"))
        for branch in self._branches:
            branch.start(given)
        return None

    def _ended(self, number: int, ended: Ended) -> None:
        if ended.status == "FAILED":
            return self._failed(TaskFailure(ended.error or "States.BranchFailed", ended.cause or ""))
        self._outputs[number] = ended.output
        if len(self._outputs) < len(self._branches):
            return None
        outputs = [self._outputs[number] for number in range(len(self._branches))]
        try:
            failure = self._run.done(self._name, self._state, self._document, outputs)
        except NoSuchPath as missing:
            failure = TaskFailure("States.Runtime", str(missing))
        return None if failure is None else self._failed(failure)

    def _failed(self, failure: TaskFailure) -> None:
        self._run.execution.trace("execution", "failed", f"{self._name}: {failure.name}")
        for branch in self._branches:
            branch.stop()
        self._run.caught(self._state, self._document, failure)


class _Scatter:
    """One stay in a Map: so many items at once. The first iteration that fails stops the others of an inline map; of a
    distributed one, as many as are tolerated."""

    def __init__(self, run: _Run, name: str, state: Mapping[str, Any], document: Any) -> None:
        self._run = run
        self._name = name
        self._state = state
        self._document = document
        self._outputs: dict[int, Any] = {}
        self._failed_items = 0
        self._runs: list[_Run] = []
        self._waiting: deque[tuple[int, Any]] = deque()
        self._over = False
        self.peak = 0

    def begin(self) -> None:
        reader = self._state.get("ItemReader")
        if reader is None:
            try:
                items = read(self._state["ItemsPath"], self._document)
            except NoSuchPath as missing:
                return self._failed(TaskFailure("States.Runtime", str(missing)))
            return self._scatter(items)
        parameters = filled(reader["Parameters"], self._document, self._run.execution.context(self._name, 0))

        def answered(answer: Any) -> None:
            if self._run.over:
                return None
            if isinstance(answer, TaskFailure):
                return self._failed(TaskFailure("States.ItemReaderFailed", answer.name))
            config = reader["ReaderConfig"]
            try:
                items = READERS[config["InputType"]](answer)
            except ValueError as error:
                return self._failed(TaskFailure("States.ItemReaderFailed", str(error)))
            return self._scatter(items[: config["MaxItems"]] if isinstance(items, list) else items)

        self._run.execution.services[reader["Resource"]](parameters, answered)
        return None

    def _scatter(self, items: Any) -> None:
        if not isinstance(items, list):
            return self._failed(TaskFailure("States.Runtime", "the items are no list"))
        self._waiting.extend(enumerate(items))
        self._number = len(items)
        if not items:
            return self._gathered()
        for _ in range(min(self._state["MaxConcurrency"], len(items))):
            self._next()
        return None

    def _next(self) -> None:
        if not self._waiting or self._over:
            return
        index, item = self._waiting.popleft()
        execution = self._run.execution
        context = {**execution.context(self._name, 0), "Map": {"Item": {"Index": index, "Value": item}}}
        given = filled(self._state["ItemSelector"], self._document, context)
        if size(given) > MAX_BYTES:
            self._ended(index, Ended("FAILED", error="States.DataLimitExceeded"))
            return
        processor = {key: value for key, value in self._state["ItemProcessor"].items() if key != "ProcessorConfig"}
        run = self._run.branch(processor, lambda ended: self._ended(index, ended))
        self._runs.append(run)
        self.peak = max(self.peak, sum(not one.over for one in self._runs))
        assert self.peak <= self._state["MaxConcurrency"]
        run.start(given)

    def _ended(self, index: int, ended: Ended) -> None:
        if self._over:
            return None
        if ended.status == "FAILED":
            self._failed_items += 1
            if not _is_distributed(self._state):
                return self._failed(TaskFailure(ended.error or "States.MapFailed", ended.cause or ""))
        self._outputs[index] = ended.output
        if len(self._outputs) == self._number:
            return self._gathered()
        return self._next()

    def _gathered(self) -> None:
        if self._failed_items * 100 > self._state.get("ToleratedFailurePercentage", 0) * max(self._number, 1):
            return self._failed(TaskFailure("States.ExceedToleratedFailureThreshold"))
        outputs = [self._outputs[index] for index in range(self._number)]
        failure = self._run.done(self._name, self._state, self._document, outputs)
        return None if failure is None else self._failed(failure)

    def _failed(self, failure: TaskFailure) -> None:
        self._over = True
        self._run.execution.trace("execution", "failed", f"{self._name}: {failure.name}")
        for run in self._runs:
            run.stop()
        self._run.caught(self._state, self._document, failure)


class _Visit:
    """One stay in a Task, with its retries."""

    def __init__(self, run: _Run, name: str, state: Mapping[str, Any], document: Any) -> None:
        self._run = run
        self._execution = run.execution
        self._name = name
        self._state = state
        self._document = document
        self._counts: Counter[int] = Counter()
        self._open = 0
        """Number of the attempt whose answer counts."""
        self._entered = run.execution.schedule.now

    def attempt(self) -> None:
        self._open += 1
        number = self._open
        token = f"token {number} of {self._name}"
        context = self._execution.context(self._name, self._counts.total(), self._entered)
        context = {**context, "Task": {"Token": token}}
        try:
            given = read(self._state.get("InputPath", "$"), self._document)
            parameters = filled(self._state.get("Parameters", {}), given, context)
        except NoSuchPath as missing:
            return self._failed(TaskFailure("States.Runtime", str(missing)))

        def answered(answer: Any) -> None:
            self._execution.waiting.pop(token, None)
            if self._open == number and not self._run.over:
                self._open += 1
                self._take(answer)

        def failed(answer: Any) -> None:
            if isinstance(answer, TaskFailure):
                answered(answer)

        self._run.later(self._state["TimeoutSeconds"], lambda: answered(TaskFailure("States.Timeout")))
        waits = self._state["Resource"].endswith(WAITING)
        if waits:
            self._execution.waiting[token] = answered
        if "HeartbeatSeconds" in self._state:
            heartbeat = self._state["HeartbeatSeconds"]
            self._run.later(heartbeat, lambda: answered(TaskFailure("States.HeartbeatTimeout")))
        self._execution.services[self._state["Resource"]](parameters, failed if waits else answered)
        return None

    def _take(self, answer: Any) -> None:
        if isinstance(answer, TaskFailure):
            return self._failed(answer)
        failure = self._run.done(self._name, self._state, self._document, answer)
        return None if failure is None else self._failed(failure)

    def _failed(self, failure: TaskFailure) -> None:
        self._execution.trace("execution", "failed", f"{self._name}: {failure.name}")
        for number, retrier in enumerate(self._state.get("Retry", ())):
            if _matches(retrier["ErrorEquals"], failure.name):
                if self._counts[number] < retrier.get("MaxAttempts", 3):
                    delay = self._delay(retrier, self._counts[number])
                    self._counts[number] += 1
                    return self._run.later(delay, self.attempt)
                break
        return self._run.caught(self._state, self._document, failure)

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


def _targets(state: Mapping[str, Any]) -> Sequence[str]:
    found = [state[name] for name in ("Next", "Default") if name in state]
    return [*found, *(handler["Next"] for part in ("Catch", "Choices") for handler in state.get(part, ()))]
