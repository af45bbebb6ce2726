"""Rebuilds as a value: who asks for which, what happens at which request of a task, and where its process dies."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tests.runtime.cqrs_views.shop import ORDERS, REVENUE

from .choosing import Choices

if TYPE_CHECKING:
    from .cqrs_rebuild_world import RebuildWorld

__all__ = ["ADOPTED", "CHANGING", "Change", "Rebuilds", "rebuilds"]

ADOPTED = "o-0"
"""Written before there were versions."""
CHANGING = ("o-1", "o-2", "o-3", "o-4")
LINES = ((), ("a",), ("b",), ("a", "b"), ("b", "c"), ("a", "b", "c"))


class Happening(Protocol):
    def __call__(self, world: "RebuildWorld") -> None: ...


@dataclass(frozen=True)
class Change:
    """By a command: a new state, or none."""

    key: str
    customer: str
    lines: Sequence[str] | None

    def __call__(self, world: "RebuildWorld") -> None:
        world.change(self.key, self.customer, self.lines)


@dataclass(frozen=True)
class Remove:
    """By time to live, or by hand."""

    key: str

    def __call__(self, world: "RebuildWorld") -> None:
        world.remove_past(self.key)


@dataclass(frozen=True)
class Deliver:
    """Some of the records that are on their way, in any order; and one for the second time, or not."""

    most: int
    again: bool

    def __call__(self, world: "RebuildWorld") -> None:
        world.deliver(most=self.most, again=self.again)


@dataclass(frozen=True)
class Asked:
    """What an operator asks for; `cancelled`: after a pause, as `twice`, by another one."""

    view: str
    twice: bool
    pause: float
    cancelled: bool


@dataclass(frozen=True)
class Rebuilds:
    asked: Sequence[Asked] = ()
    happenings: Sequence[tuple[int, Happening]] = ()
    """Each with the requests since the one before."""
    deaths: Sequence[int] = ()
    """At these requests of a task, counted from 0 over all tasks, its process dies before it sends them."""
    lost: Sequence[int] = ()
    """Likewise at the end of these tasks: nobody hears what it has done."""
    seed: int = 0

    def __str__(self) -> str:
        at, lines = 0, [f"seed {self.seed}", *map(str, self.asked)]
        for requests, happening in self.happenings:
            at += requests
            lines.append(f"before request {at}: {happening}")
        return "\n".join([*lines, f"deaths at {self.deaths} of the tasks' requests, after tasks {self.lost}"])


def _change(choices: Choices) -> Happening:
    return Change(choices.of((*CHANGING, ADOPTED)), choices.of(("ada", "bob")), choices.of((*LINES, None)))


def _deliver(choices: Choices) -> Happening:
    return Deliver(choices.of((3, 1, 100)), choices.of((False, True)))


HAPPENINGS: Mapping[str, Callable[[Choices], Happening]] = {
    "change": _change,
    "remove": lambda choices: Remove(choices.of(CHANGING)),
    "deliver": _deliver,
}
ANY = ("change", "change", "deliver", "deliver", "remove")


def rebuilds(choices: Choices, *, what: Sequence[str] = ANY, dying: bool = True) -> Rebuilds:
    def happening(choices: Choices) -> tuple[int, Happening]:
        return choices.of((1, 0, 0, 3, 10, 30)), HAPPENINGS[choices.of(what)](choices)

    def asked(choices: Choices) -> Asked:
        view, seldom = choices.of((ORDERS, REVENUE)), (False, False, True)
        return Asked(view, choices.of(seldom), choices.of((0, 0.01, 30)), choices.of(seldom))

    return Rebuilds(
        choices.some(asked, 1, 2),
        choices.some(happening, choices.of((4, 20, 30)), 80),
        choices.some(lambda choices: choices.of(range(150)), choices.of((0, 2)), 4) if dying else (),
        choices.some(lambda choices: choices.of(range(20)), choices.of((0, 1)), 2) if dying else (),
        choices.of(range(2**16)),
    )
