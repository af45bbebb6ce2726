"""What a run of the demo has seen: plain facts, from which checks and report are made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from showing.deployed import DeadLetter
from showing.timeline import Handled, Invocation

from demo.api import Answer
from demo.book.outcome import Book
from demo.checkouts import Checkouts
from demo.move.outcome import Move
from demo.placed.outcome import Placed
from demo.stock import Opening
from demo.traffic import Message, Traffic


@dataclass(frozen=True)
class State:
    """What stands in the tables and in the dead-letter queue while nothing moves."""

    orders: Mapping[str, Mapping[str, Any]]
    """Rows of the orders table by order id."""
    stock: Mapping[int, int]
    """Pieces on hand by product id."""
    payments: Sequence[Mapping[str, Any]]
    """Rows of the payments table."""
    dead_letters: Sequence[DeadLetter]


@dataclass(frozen=True)
class Sample:
    """The queues' own figures at a moment, in epoch seconds."""

    at: float
    waiting: int
    received: int
    """Received by the function and not yet acknowledged, or waiting for a retry."""
    dead: int


@dataclass(frozen=True)
class Fault:
    """Something that was broken on purpose."""

    name: str
    how: str
    evidence: str
    fired: int
    """How often it struck. 0: the run proves nothing about it."""
    at: float
    """First time, in epoch seconds."""


@dataclass(frozen=True)
class Outcome:
    cap: int
    opening: Opening
    restocked: Mapping[int, int]
    """Pieces added before the redrive, by product id."""
    traffic: Traffic
    answers: Sequence[Answer]
    """Of the API, to every call that was made."""
    sent: Mapping[str, Message]
    """Accepted by the API or by the queue itself, by correlation id."""
    sent_at: Mapping[str, float]
    """Epoch seconds, by message id; also of redriven messages. One that was never received goes by correlation id."""
    drained: State
    """After everything was sent and the queue was empty."""
    redriven: Sequence[DeadLetter]
    """The dead letters that went back to the queue."""
    final: State
    """After the redrive."""
    left: int
    """Messages in the queue in the end."""
    invocations: Sequence[Invocation]
    handled: Sequence[Handled]
    """What the function says of every message and receive."""
    samples: Sequence[Sample]
    faults: Sequence[Fault]
    checkouts: Checkouts
    """Of the evening, when the orders were done with."""
    move: Move | None
    """Of the site, if it was to move."""
    placed: Placed
    """Of a marketplace."""
    book: Book
    """Of customers' orders, and what follows them."""
    phases: Mapping[str, tuple[float, float]]
    """`send`, `drain`, `pay`, `restock`, `redrive`: from and to, in epoch seconds."""

    @property
    def settled_at(self) -> dict[str, float]:
        """When the function was done with a message for good, in epoch seconds, by message id."""
        return {line.message_id: line.at for line in self.handled if line.settled}
