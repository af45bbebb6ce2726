"""A provider outside: it knows what it was sent by its key, until it forgets; and it fails as providers do."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .lambda_model import Sandbox
from .virtual_time import Schedule

__all__ = ["Declined", "NoAnswer", "Pending", "Provider", "Unreachable"]


class Unreachable(Exception):
    """Nothing was sent."""


class NoAnswer(Exception):
    """Sent, and not answered: it may have been done, or will be."""


class Pending(Exception):
    """The provider is at work on it."""


class Declined(Exception):
    """The provider has said no."""


@dataclass
class Remembered:
    since: float
    answer: Any = None
    """None: still at work."""


@dataclass
class Provider:
    schedule: Schedule
    chance: random.Random
    lifetime: float
    """For which it remembers a key, from when it first saw it."""
    outages: Sequence[tuple[float, float]] = ()
    mishaps: int = 0
    """How often at most it acts and then fails, or accepts and settles later."""
    kinds: Sequence[str] = ("acts, then fails", "settles later")
    strikes: Sequence[str] = ("charge", "refund")
    """Requests that meet mishaps."""
    declines_after: int | None = None
    """Requests for a charge after which it says no to every one."""
    latest: float = 300.0
    """Seconds within which what it has accepted is settled."""
    charges: Counter[str] = field(default_factory=Counter)
    """By reference."""
    refunds: Counter[str] = field(default_factory=Counter)
    calls: list[tuple[float, str]] = field(default_factory=list)
    """Every request, also those in an outage."""
    _keys: dict[str, Remembered] = field(default_factory=dict)
    _pending: Counter[str] = field(default_factory=Counter)
    met: int = 0
    """Mishaps so far."""

    def charge(self, sandbox: Sandbox, key: str, reference: str) -> str:
        before = sum(what == "charge" for _, what in self.calls)
        if self.declines_after is not None and before >= self.declines_after:
            self._receive(sandbox, "charge")
            raise Declined
        return self._send(sandbox, key, "charge", reference, self.charges)

    def refund(self, sandbox: Sandbox, key: str, reference: str) -> str:
        return self._send(sandbox, key, "refund", reference, self.refunds)

    def find(self, sandbox: Sandbox, reference: str) -> tuple[int, int]:
        """Charges and refunds of it. Raises Pending while one of them is under way."""
        self._receive(sandbox, "find")
        if self._pending[reference]:
            raise Pending
        return self.charges[reference], self.refunds[reference]

    def _receive(self, sandbox: Sandbox, what: str) -> None:
        sandbox.sleep(0.05)
        self.calls.append((self.schedule.now, what))
        if any(begin <= self.schedule.now < end for begin, end in self.outages):
            raise Unreachable

    def _send(self, sandbox: Sandbox, key: str, what: str, reference: str, done: Counter[str]) -> str:
        self._receive(sandbox, what)
        known = self._keys.get(key)
        if known is not None and self.schedule.now - known.since < self.lifetime:
            if known.answer is None:
                raise Pending
            return known.answer
        self._keys[key] = remembered = Remembered(self.schedule.now)
        fate = self._fate() if what in self.strikes else "ok"
        if fate == "settles later":
            self._pending[reference] += 1
            late = self.chance.uniform(1, self.latest)
            self.schedule.after(late, lambda: self._settle(remembered, what, reference, done))
            raise NoAnswer
        self._do(remembered, what, reference, done)
        if fate == "acts, then fails":
            raise NoAnswer
        sandbox.sleep(0.05)
        return remembered.answer

    def _fate(self) -> str:
        if self.met >= self.mishaps or self.chance.random() < 0.3:
            return "ok"
        self.met += 1
        return self.chance.choice(self.kinds)

    def _settle(self, remembered: Remembered, what: str, reference: str, done: Counter[str]) -> None:
        self._pending[reference] -= 1
        self._do(remembered, what, reference, done)

    def _do(self, remembered: Remembered, what: str, reference: str, done: Counter[str]) -> None:
        done[reference] += 1
        remembered.answer = f"{what} {done.total()}"
