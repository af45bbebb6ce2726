"""What a run of the demo has seen: plain facts, from which checks and report are made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demo.stock import Opening
from demo.timeline import Invocation
from demo.traffic import Message, Traffic


@dataclass(frozen=True)
class DeadLetter:
    """A message in the dead-letter queue, read without removing it."""

    body: str
    reason: str
    error_type: str
    correlation_id: str
    """Of the first message: survives dead-lettering and redrive."""
    at: float
    """When it got there, in epoch seconds."""


@dataclass(frozen=True)
class State:
    """What stands in the tables and in the dead-letter queue while nothing moves."""

    orders: Mapping[str, Mapping[str, Any]]
    """Rows of the orders table by order id."""
    stock: Mapping[int, int]
    """Pieces on hand by product id."""
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
    sent: Mapping[str, Message]
    """By the id that SQS gave it."""
    sent_at: Mapping[str, float]
    """Epoch seconds, by piece of work."""
    settled_at: Mapping[str, float]
    """When it was committed or became a dead letter, in epoch seconds, by piece of work."""
    drained: State
    """After everything was sent and the queue was empty."""
    redriven: Sequence[DeadLetter]
    """The dead letters that went back to the queue."""
    final: State
    """After the redrive."""
    invocations: Sequence[Invocation]
    samples: Sequence[Sample]
    faults: Sequence[Fault]
    phases: Mapping[str, tuple[float, float]]
    """`send`, `drain`, `redrive`: from and to, in epoch seconds."""
