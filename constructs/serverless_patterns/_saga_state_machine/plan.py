"""A saga's steps in their order, with every number filled in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_cdk import Duration

from serverless_patterns_runtime.saga_state_machine import contract

from .._checks import seconds
from .._consumer import TIMEOUT
from ..saga_step import Retry, SagaStep

if TYPE_CHECKING:
    from ..handler import Handler

_ACTION_RETRY = Retry()
_COMPENSATION_RETRY = Retry(13, longest_delay=Duration.hours(1))

LEASE_ATTEMPTS = 5
"""Retries after RUNNING_ELSEWHERE: each waits until the function at work has timed out."""

PARK_ATTEMPTS, PARK_BASE_SECONDS, PARK_LONGEST_SECONDS, PARK_TIMEOUT_SECONDS = 20, 2, 300, 60

_EVENTS_OF_AN_ATTEMPT = 4  # scheduled, started, submitted, and how it ended
_EVENTS_OF_A_STATE = 2
_EVENTS_OF_THE_ENDS = 10


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


@dataclass(frozen=True)
class Attempts:
    """How a Task is tried: the action's or the compensation's."""

    timeout: int
    after_a_lease: int
    backoff: Backoff

    @property
    def longest(self) -> int:
        """Seconds from the first attempt to the end of the last."""
        leases = LEASE_ATTEMPTS * (self.timeout + self.after_a_lease)
        return self.timeout * (self.backoff.again + 1) + self.backoff.delays + leases

    @property
    def events(self) -> int:
        """In the execution's history, at most."""
        return _EVENTS_OF_A_STATE + _EVENTS_OF_AN_ATTEMPT * (1 + self.backoff.again + LEASE_ATTEMPTS)


@dataclass(frozen=True)
class Planned:
    """One step, and whether it is before the pivot, or the pivot."""

    step: SagaStep
    backward: bool

    @property
    def name(self) -> str:
        """The step's."""
        return self.step.name

    @property
    def undo(self) -> Handler | None:
        """What runs when the saga goes back over it."""
        return self.step.compensation if self.backward else None

    @property
    def action(self) -> Attempts:
        """Of the action."""
        return _attempts(self.step.timeout, self.step.action, self.step.retry or _ACTION_RETRY, self.step.action)

    @property
    def compensation(self) -> Attempts | None:
        """Of the compensation, which may have to wait for the action's function too."""
        if self.undo is None:
            return None
        return _attempts(
            self.step.timeout, self.undo, self.step.compensation_retry or _COMPENSATION_RETRY, self.step.action
        )


def planned(steps: Sequence[SagaStep]) -> list[Planned]:
    """The steps; without a pivot all are undone when one fails."""
    pivot = next((at for at, step in enumerate(steps) if step.pivot), len(steps) - 1)
    return [Planned(step, at <= pivot) for at, step in enumerate(steps)]


def longest_seconds(plan: Sequence[Planned]) -> int:
    """That an execution can take: all forward, then all back, each at the last moment."""
    parking = PARK_TIMEOUT_SECONDS * (PARK_ATTEMPTS + 1) + PARK_BACKOFF.delays
    ways = [each.compensation.longest if each.compensation else 0 for each in plan]
    return sum(each.action.longest + parking for each in plan) + sum(ways)


def most_events(plan: Sequence[Planned]) -> int:
    """Of an execution's history, in the worst case."""
    parking = _EVENTS_OF_A_STATE + _EVENTS_OF_AN_ATTEMPT * (1 + PARK_ATTEMPTS)
    ways = [each.compensation.events + parking if each.compensation else 0 for each in plan]
    return sum(each.action.events for each in plan) + sum(ways) + parking + _EVENTS_OF_THE_ENDS


def _attempts(timeout: Duration | None, handler: Handler, retry: Retry, action: Handler) -> Attempts:
    function = seconds(handler_timeout(handler)) or 0
    lease = max(function, seconds(handler_timeout(action)) or 0) + contract.LEASE_MARGIN_SECONDS
    task = function + contract.STARTING_SECONDS if timeout is None else seconds(timeout) or 0
    return Attempts(task, lease, Backoff.of(retry))
