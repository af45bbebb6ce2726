"""How a Task is tried: its time-out, its retries, and what they come to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from serverless_patterns_runtime.saga_state_machine import contract

from .._checks import seconds
from .._consumer import TIMEOUT
from ..handler import Handler
from .foreign import is_native, known_seconds
from .waiting import State, Waiting

if TYPE_CHECKING:
    from aws_cdk import Duration

    from ..saga_step import Doing, Retry, SagaStep

LEASE_ATTEMPTS = 5
"""Retries after RUNNING_ELSEWHERE: each waits until the function at work has timed out."""

PARK_ATTEMPTS, PARK_BASE_SECONDS, PARK_LONGEST_SECONDS, PARK_TIMEOUT_SECONDS = 20, 2, 300, 60

EVENTS_OF_AN_ATTEMPT = 4  # scheduled, started, submitted, and how it ended
EVENTS_OF_A_STATE = 2


def handler_timeout(handler: Handler) -> Duration:
    """Of the function of a handler."""
    return handler.timeout or TIMEOUT


@dataclass(frozen=True)
class Backoff:
    """One `Retry` in numbers. `again`: attempts after the first."""

    again: int
    base: int
    longest: int

    @classmethod
    def of(cls, retry: Retry) -> Backoff:
        """Of a checked description."""
        return cls(retry.attempts - 1, seconds(retry.base_delay) or 1, seconds(retry.longest_delay) or 1)

    @property
    def delays(self) -> int:
        """Seconds of all delays together, at most."""
        return sum(min(self.base * 2**each, self.longest) for each in range(self.again))


PARK_BACKOFF = Backoff(PARK_ATTEMPTS, PARK_BASE_SECONDS, PARK_LONGEST_SECONDS)

LEDGER_SECONDS = 60
LEDGER_TASK_SECONDS = LEDGER_SECONDS + contract.STARTING_SECONDS
LEDGER_BACKOFF = Backoff(again=15, base=2, longest=3600)  # hours: whatever keeps the ledger from its table


@dataclass(frozen=True)
class Attempts:
    """How a Task is tried: the action's or the compensation's."""

    timeout: int
    after_a_lease: int
    backoff: Backoff
    waiting: Waiting
    leases: int
    """Retries after RUNNING_ELSEWHERE, which only a `Handler` says."""

    @property
    def longest(self) -> int:
        """Seconds from the first attempt to the end of the last."""
        leases = self.leases * (self.timeout + self.after_a_lease)
        waited = self.timeout * self.waiting.for_the_breaker + self.waiting.seconds
        return self.timeout * (self.backoff.again + 1) + self.backoff.delays + leases + waited

    @property
    def events(self) -> int:
        """In the execution's history, at most."""
        return EVENTS_OF_A_STATE + EVENTS_OF_AN_ATTEMPT * (1 + self.backoff.again + self.leases + self.waiting.attempts)

    @property
    def after_leases(self) -> list[State]:
        """The retrier of RUNNING_ELSEWHERE, where somebody says that."""
        wait = {"IntervalSeconds": self.after_a_lease, "BackoffRate": 1.0, "MaxAttempts": self.leases}
        return [{"ErrorEquals": [contract.RUNNING_ELSEWHERE], **wait}] if self.leases else []


def attempts_of(step: SagaStep, doing: Doing, retry: Retry) -> Attempts:
    """Of the step's action or compensation, which may have to wait for the function of the action too."""
    functions = [seconds(handler_timeout(each)) or 0 for each in (doing, step.action) if isinstance(each, Handler)]
    lease = max(functions, default=0) + contract.LEASE_MARGIN_SECONDS
    task = _task_seconds(doing) if step.timeout is None else seconds(step.timeout) or 0
    if isinstance(doing, Handler):
        return Attempts(task, lease, Backoff.of(retry), Waiting.of(step), LEASE_ATTEMPTS)
    return Attempts(task, lease, Backoff.of(retry), Waiting(0, 0), 0)


def attempts_without_claims(handler: Handler, retry: Retry) -> Attempts:
    """Of a function that nobody has to wait for."""
    return Attempts(_task_seconds(handler), 0, Backoff.of(retry), Waiting(0, 0), 0)


def _task_seconds(doing: Doing) -> int:
    if isinstance(doing, Handler):
        return (seconds(handler_timeout(doing)) or 0) + contract.STARTING_SECONDS
    known = known_seconds(doing) or 0
    return known if is_native(doing) else known + contract.STARTING_SECONDS
