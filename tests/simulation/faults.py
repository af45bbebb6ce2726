"""What goes wrong, where: chosen by a seed, or one fault at one call."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

__all__ = [
    "ANYWHERE",
    "BATCHES",
    "CLIENTS",
    "CRASHES",
    "FAULTS",
    "POLLS",
    "REPEATED",
    "SIDES",
    "TASKS",
    "TRANSACTIONS",
    "Call",
    "Chosen",
    "Faults",
    "NoFaults",
    "OneFault",
    "Pair",
    "When",
    "pairs",
    "single_faults",
    "struck_once",
    "struck_twice",
]

CRASHES = ("crash before", "crash in flight", "crash after")
"""The sandbox dies: nothing was sent; sent and carried out after its death; carried out, the answer reached nobody."""

ANYWHERE = (
    *CRASHES,
    "answer lost",  # carried out, the caller sees a closed connection
    "answer lost, repeated",  # carried out twice by the SDK's own retry, the caller sees the second answer
    "carried out late",  # the caller gives up waiting, and afterwards it happens
    "unreachable",
    "throttled",
    "server error",  # carried out or not
    "slow",
)
TRANSACTIONS = ("conflict",)
REPEATED = ("in progress",)
"""Of a transaction: carried out, while the SDK's repetition is told that it is still under way."""
BATCHES = ("in part",)
CLIENTS = (
    "request lost",
    "answer lost on its way",  # the client hears nothing of what was done
    "sent twice",
)
TASKS = (
    "not invoked",
    "result lost",  # the function has run, the state machine hears of an error of Lambda's
    "cut off",  # likewise, and long before the function ends
    "invoked late",  # likewise, and the function begins only then
    "invoked twice",
)
"""Of a task of a state machine."""
SIDES = ("crash before", "crash after", "answer lost", "unreachable")
"""Of a request that a gateway forwards."""
POLLS = (
    "alone",  # a batch of one record
    "beside itself",  # the same batch to two invocations at once
    "comes again",  # and what was answered shortly before it
    "comes again late",  # what was answered at any time, beside others
)
"""Of a batch that is read of a stream."""
FAULTS = (*ANYWHERE, *TRANSACTIONS, *BATCHES)


@dataclass(frozen=True)
class Call:
    """A request that shipped code or a client is about to make, or work that the business function has just done."""

    service: str
    operation: str
    arguments: Mapping[str, Any]

    @property
    def possible(self) -> Sequence[str]:
        if self.operation == "Work":
            return ("crash after",)
        if self.operation == "Forward":
            return SIDES
        if self.operation == "Request":
            return CLIENTS
        if self.operation == "Invoke":
            return TASKS
        if self.operation == "Poll":
            return POLLS
        if self.operation == "PutItem":
            return ("throttled", "answer lost")
        more: tuple[str, ...] = ()
        if self.operation in {"TransactWriteItems", "UpdateItem"}:
            more = TRANSACTIONS if self.operation == "UpdateItem" else (*TRANSACTIONS, *REPEATED)
        elif self.operation in {"BatchExecuteStatement", "ChangeMessageVisibilityBatch"}:
            more = BATCHES
        return (*ANYWHERE, *more)


class Faults(Protocol):
    @property
    def spent(self) -> int:
        """Mishaps so far."""
        ...

    def choose(self, call: Call) -> str | None:
        """The fault that this call meets."""
        ...

    def spend(self) -> bool:
        """Whether one more mishap outside of calls (a duplicate, a lost delete) is allowed."""
        ...


class NoFaults:
    spent = 0

    def choose(self, call: Call) -> str | None:  # noqa: ARG002
        return None

    def spend(self) -> bool:
        return False


@dataclass
class Chosen:
    """At random, from `kinds`, until the budget is used up."""

    chance: random.Random
    rate: float
    budget: int
    kinds: Sequence[str] = FAULTS
    operations: Sequence[str] = ()
    """Only these, if any are named."""
    spent: int = 0

    def choose(self, call: Call) -> str | None:
        if self.budget <= 0 or self.chance.random() >= self.rate:
            return None
        kinds = [kind for kind in call.possible if kind in self.kinds]
        if not kinds or (self.operations and call.operation not in self.operations):
            return None
        self.spend()
        return self.chance.choice(kinds)

    def spend(self) -> bool:
        if self.budget <= 0:
            return False
        self.budget -= 1
        self.spent += 1
        return True


@dataclass
class OneFault:
    """`kind` at the call with this number, counted from 0; remembers the calls it saw."""

    number: int
    kind: str
    calls: list[Call] = field(default_factory=list)
    fired: bool = False

    @property
    def spent(self) -> int:
        return int(self.fired)

    def choose(self, call: Call) -> str | None:
        self.calls.append(call)
        if len(self.calls) - 1 != self.number or self.kind not in call.possible:
            return None
        self.fired = True
        return self.kind

    def spend(self) -> bool:
        return False


class Pair:
    """Two faults, each at its own call."""

    def __init__(self, first: OneFault, second: OneFault) -> None:
        self._faults = (first, second)

    @property
    def spent(self) -> int:
        return sum(fault.spent for fault in self._faults)

    def choose(self, call: Call) -> str | None:
        chosen = [fault.choose(call) for fault in self._faults]
        return next((fault for fault in chosen if fault is not None), None)

    def spend(self) -> bool:
        return False


def pairs(
    run: Callable[[Faults], object], firsts: Iterable[OneFault], kinds: Sequence[str]
) -> Iterator[tuple[OneFault, OneFault]]:
    """Each of the first, and after it one of `kinds` wherever it can strike in the run that the first has changed."""
    for first in firsts:
        observer = OneFault(-1, "")
        run(Pair(OneFault(first.number, first.kind), observer))
        for number, call in enumerate(observer.calls[first.number + 1 :], first.number + 1):
            for kind in kinds:
                if kind in call.possible:
                    yield OneFault(first.number, first.kind), OneFault(number, kind)


def single_faults(run: Callable[[Faults], object], kinds: Sequence[str] = ()) -> list[OneFault]:
    """Each that can strike a call of the undisturbed run; `kinds`: these alone."""
    observer = OneFault(-1, "")
    run(observer)
    return [
        OneFault(number, kind)
        for number, call in enumerate(observer.calls)
        for kind in call.possible
        if not kinds or kind in kinds
    ]


def struck_once(run: Callable[[Faults], object], faults: Iterable[OneFault] | None = None) -> int:
    """Run with each of the faults by itself, by default all that can strike; how many. What a run raises says where."""
    fired = 0
    for fault in single_faults(run) if faults is None else faults:
        try:
            run(fault)
        except AssertionError as failure:
            raise AssertionError(f"{fault.kind} at call {fault.number}: {failure}") from failure
        assert fault.fired, f"{fault.kind} at call {fault.number} did not strike"
        fired += 1
    return fired


def struck_twice(run: Callable[[Faults], object], kinds: Sequence[str]) -> int:
    """Likewise with each two of these kinds."""
    fired = 0
    for first, second in pairs(run, single_faults(run, kinds), kinds):
        try:
            run(Pair(first, second))
        except AssertionError as failure:
            where = f"{first.kind} at call {first.number}, then {second.kind} at call {second.number}"
            raise AssertionError(f"{where}: {failure}") from failure
        assert first.fired, f"{first.kind} at call {first.number} did not strike"
        assert second.fired, f"{second.kind} at call {second.number} did not strike"
        fired += 1
    return fired


@dataclass
class When:
    """`kind` for each call that `matches`, at most `times` times."""

    kind: str
    matches: Callable[[Call], bool]
    times: int = 1
    spent: int = 0

    def choose(self, call: Call) -> str | None:
        if self.spent == self.times or not self.matches(call):
            return None
        self.spent += 1
        return self.kind

    def spend(self) -> bool:
        return False
