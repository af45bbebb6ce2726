"""What a step waits for without being tried: an outcome that is not known yet, a breaker that is open.

Each is an error of its own name, with a retrier of its own: neither uses up what `Retry` grants.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from serverless_patterns_runtime.saga_state_machine import contract, outside

from .._checks import is_token, seconds

if TYPE_CHECKING:
    from .._protection import Protection
    from ..handler import Handler
    from ..saga_step import SagaStep

SETTLES_WITHIN = 900
"""Seconds, with an external key and unless the step says otherwise."""

BREAKER_ATTEMPTS, BREAKER_LONGEST_SECONDS = 12, 900
"""Retries while a breaker is open: from `open_for` apart to this."""

_OPEN_FOR = 30  # seconds, where only CloudFormation knows

State = Mapping[str, Any]


def settles_within(step: SagaStep) -> int:
    """Seconds for which an outcome may stay unknown; 0: it may not."""
    if step.settles_within is not None:
        return seconds(step.settles_within) or 0
    return SETTLES_WITHIN if step.external_key is not None else 0


def protection_of_step(step: SagaStep) -> Protection | None:
    """What guards a checked step."""
    breaker = step.circuit_breaker
    return None if breaker is None else breaker._protection()  # pyright: ignore[reportPrivateUsage]  # among ourselves


def told_of_outside(step: SagaStep, handler: Handler, tries: int) -> dict[str, Any]:
    """What the task of a step's action, or of its compensation, says of what is outside.

    Args:
        step: A checked step.
        handler: Which of the two.
        tries: Retries of the task, after errors of any kind.
    """
    told: dict[str, Any] = {}
    key, within, protection = step.external_key, settles_within(step), protection_of_step(step)
    if key is not None and not handler.returns_effects:
        told["external_key"] = contract.ExternalKey(format=key.format, lifetime=seconds(key.lifetime) or 0)
    if within:
        told |= {"settles_within": within, "entered.$": "$$.State.EnteredTime"}
    if protection is not None:
        told |= {"circuit_breaker": protection.name, "tries": tries}
    return told


@dataclass(frozen=True)
class Waiting:
    """Of one Task, in seconds; 0: for nothing."""

    settles_within: int
    open_for: int

    @classmethod
    def of(cls, step: SagaStep) -> Waiting:
        """Of a checked step."""
        protection = protection_of_step(step)
        if protection is None:
            return cls(settles_within(step), 0)
        open_for = protection.settings["open_seconds"]
        return cls(settles_within(step), _OPEN_FOR if is_token(open_for) else math.ceil(open_for))

    @property
    def for_the_breaker(self) -> int:
        """Attempts that it may refuse."""
        return BREAKER_ATTEMPTS if self.open_for else 0

    @property
    def attempts(self) -> int:
        """That are no tries, together."""
        return self.for_the_breaker + sum(self._settling.values())

    @property
    def seconds(self) -> int:
        """All waits together, at most. Those for an outcome end with `settles_within`, their attempts included."""
        return self.settles_within + sum(
            min(self.open_for * 2**each, self._longest) for each in range(self.for_the_breaker)
        )

    @property
    def retriers(self) -> list[State]:
        """One for each name."""
        found: list[State] = [
            {
                "ErrorEquals": [outside.unsettled_error(interval)],
                "IntervalSeconds": interval,
                "BackoffRate": 1.0,
                "MaxAttempts": attempts,
            }
            for interval, attempts in self._settling.items()
        ]
        if self.open_for:
            found.append(
                {
                    "ErrorEquals": [contract.CIRCUIT_OPEN],
                    "IntervalSeconds": self.open_for,
                    "BackoffRate": 2.0,
                    "MaxAttempts": BREAKER_ATTEMPTS,
                    "MaxDelaySeconds": self._longest,
                    "JitterStrategy": "FULL",
                }
            )
        return found

    @property
    def _longest(self) -> int:
        return max(self.open_for + 1, BREAKER_LONGEST_SECONDS)  # a retrier's longest delay is above its first

    @property
    def _settling(self) -> Mapping[int, int]:
        return outside.settling_waits(self.settles_within) if self.settles_within else {}
