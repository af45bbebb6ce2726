"""A history of aggregates as a value: what they go through, when views are rebuilt, what requests and batches meet.

`cqrs_schedules` carries it out. Its text is Python: what was found can be put into a test.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Protocol

from .choosing import Choices
from .cqrs_life import Life
from .cqrs_rebuild import rebuild
from .cqrs_shop import ROWS, TOTALS
from .cqrs_world import Plan
from .faults import ANYWHERE, POLLS, TRANSACTIONS
from .strikes import Strike, strikes

__all__ = ["FAULTS", "Change", "Deploy", "Expire", "History", "Outage", "Rebuild", "Remove", "Retry", "history"]

FAULTS = (*ANYWHERE, *TRANSACTIONS)
LINES, AMOUNTS = ("a", "b", "c"), (0, 0, 1, 2, 3, 4)
CUSTOMERS = ("ada", "ada", "ada", "bob")
HAS = ("mail",) * 7 + ("phone",)


class Step(Protocol):
    def __call__(self, life: Life) -> None: ...


@dataclass(frozen=True)
class Change:
    """By a command: its customer and its lines."""

    key: str
    customer: str
    lines: Mapping[str, int]
    bad: bool = False
    """Whether functions of views refuse it."""

    def __call__(self, life: Life) -> None:
        life.put(self.key, customer=self.customer, lines=self.lines, bad=self.bad)


@dataclass(frozen=True)
class Delete:
    """By a command."""

    key: str

    def __call__(self, life: Life) -> None:
        life.delete(self.key)


@dataclass(frozen=True)
class Remove:
    """Past the commands, by DynamoDB's time to live or by hand."""

    key: str
    by_time: bool

    def __call__(self, life: Life) -> None:
        life.remove(self.key, by_time=self.by_time)


@dataclass(frozen=True)
class Past:
    """By hand: with the version that it had, or without one."""

    key: str
    lines: Mapping[str, int]
    versioned: bool

    def __call__(self, life: Life) -> None:
        life.put_past(self.key, self.lines, versioned=self.versioned)


@dataclass(frozen=True)
class PassOn:
    """A row that one alone may have, from whoever has it, in one transaction: their records arrive apart."""

    key: str
    name: str

    def __call__(self, life: Life) -> None:
        life.pass_on(self.key, self.name)


@dataclass(frozen=True)
class Split:
    """Of the stream's shards: what comes now is read beside what is left in the old ones."""

    shards: int

    def __call__(self, life: Life) -> None:
        life.world.stream.split(self.shards)


@dataclass(frozen=True)
class Retry:
    """Somebody asks for what is parked to be tried again, whether or not its cause is gone."""

    def __call__(self, life: Life) -> None:
        if names := sorted(life.world.parked()):
            life.world.function.invoke({"retry": names}, lambda _: None)


@dataclass(frozen=True)
class Deploy:
    """Functions of views that refuse nothing; or, again, what is bad."""

    mended: bool

    def __call__(self, life: Life) -> None:
        life.world.ledger.fixed = self.mended


@dataclass(frozen=True)
class Outage:
    """Views take nothing."""

    seconds: float

    def __call__(self, life: Life) -> None:
        life.outage(self.seconds)


@dataclass(frozen=True)
class Expire:
    """DynamoDB's time to live gets round to it."""

    def __call__(self, life: Life) -> None:
        life.world.expire()


@dataclass(frozen=True)
class Rebuild:
    view: str
    pause: float
    """At most, between its requests."""

    def __call__(self, life: Life) -> None:
        rebuild(life.world, self.view, pause=self.pause)


@dataclass(frozen=True)
class History:
    steps: Sequence[tuple[float, Step]]
    """Each with the seconds since the one before; 0: what one transaction writes, or nearly."""
    strikes: Sequence[Strike] = ()
    operations: Sequence[str] = ()
    """Where they strike, if not everywhere."""
    plan: Plan = field(default_factory=Plan)
    seed: int = 0
    """Of latencies, of pauses, and of what comes first of what is at once."""

    def __str__(self) -> str:
        at, lines = 0.0, [f"{self.plan}, seed {self.seed}"]
        for pause, step in self.steps:
            at += pause
            lines.append(f"{at:12.2f} s {step}")
        where = f" ({', '.join(self.operations)})" if self.operations else ""
        return "\n".join([*lines, *(f"{strike}{where}" for strike in self.strikes)])


WEIGHTS: Mapping[str, int] = {
    "change": 16, "pass on": 12, "delete": 3, "remove": 2, "bad": 2, "rebuild": 2, "past": 2, "lost": 1, "split": 1,
    "retry": 1, "deploy": 1, "outage": 4, "expire": 2,
}  # fmt: skip


def _step(choices: Choices, what: Sequence[str], keys: Sequence[str], pauses: Sequence[float]) -> tuple[float, Step]:
    pause, kind = choices.of(pauses), choices.of(what)
    return pause, STEPS[kind](choices, choices.of(keys) if kind in OF_ONE else "")


OF_ONE = ("change", "bad", "delete", "remove", "past", "lost", "pass on")
STEPS: Mapping[str, Callable[[Choices, str], Step]] = {
    "change": lambda choices, key: Change(key, choices.of(CUSTOMERS), _lines(choices)),
    "bad": lambda choices, key: Change(key, choices.of(CUSTOMERS), _lines(choices), bad=True),
    "delete": lambda _, key: Delete(key),
    "remove": lambda choices, key: Remove(key, choices.of((False, True))),
    "past": lambda choices, key: Past(key, _lines(choices), versioned=True),
    "lost": lambda choices, key: Past(key, _lines(choices), versioned=False),
    "pass on": lambda choices, key: PassOn(key, choices.of(HAS)),
    "split": lambda choices, _: Split(choices.of((1, 2, 4))),
    "retry": lambda *_: Retry(),
    "deploy": lambda choices, _: Deploy(choices.of((False, True))),
    "outage": lambda choices, _: Outage(choices.of((5.0, 500.0))),
    "expire": lambda *_: Expire(),
    "rebuild": lambda choices, _: Rebuild(choices.of((ROWS, TOTALS)), choices.of((0.1, 1.0, 5.0, 100.0))),
}


def _lines(choices: Choices) -> Mapping[str, int]:
    amounts = [(line, choices.of(AMOUNTS)) for line in LINES]
    return {line: amount for line, amount in amounts if amount}


def history(
    choices: Choices,
    *,
    kinds: Sequence[str] = FAULTS,
    polls: Sequence[str] = POLLS,
    operations: Sequence[str] = (),
    plan: Mapping[str, Any] = MappingProxyType({}),
    what: Mapping[str, int] = MappingProxyType({}),
    scales: Sequence[float] = (1.0, 10.0, 200.0, 10_000.0),
    most: int = 25,
    times: Sequence[int] = (1, 1, 1, 5),
) -> History:
    """`what`: weights of steps; `scales`: seconds between two of them, about; `most` strikes, each so many `times`."""
    keys = [f"o{number}" for number in range(choices.of((1, 2, 2, 4)))]
    scale = choices.of(scales)
    pauses = [share * scale for share in (0, 0, 0.01, 0.1, 0.3, 0.7, 1, 1.5, 2, 4)]
    weighted = [kind for kind, weight in {**WEIGHTS, **what}.items() for _ in range(weight)]
    made: dict[str, Any] = {
        "shards": choices.of((1, 2, 3, 3)),
        "batch_size": choices.of((10, 3, 1)),
        "retries": choices.of((5, 2, 0, 100)),
        "delay": choices.of((0.5, 5.0, 60.0)),
        "live": choices.of((True, True, True, True, False)),
        "groups": choices.of((99, 1)),
    }
    return History(
        choices.some(lambda choices: _step(choices, weighted, keys, pauses), choices.of((1, 5, 14)), 40),
        (*strikes(choices, polls, latest=30), *strikes(choices, kinds, most=most, times=times)),
        operations,
        Plan(**{**made, **plan}),
        choices.of(range(2**16)),
    )
