"""What became of a message."""

from dataclasses import dataclass

from serverless_patterns_runtime.errors import CircuitOpen, PermanentError

__all__ = ["Busy", "Duplicate", "Failed", "Held", "Refused", "Succeeded", "Unstarted", "Verdict"]


@dataclass(frozen=True)
class Succeeded:
    """The business function ran and what it did is recorded."""


@dataclass(frozen=True)
class Duplicate:
    """The key's work was complete before."""


@dataclass(frozen=True)
class Refused:
    """Trying again cannot help: to the dead-letter queue."""

    error: PermanentError


@dataclass(frozen=True)
class Failed:
    """Another try may help."""

    error: BaseException


@dataclass(frozen=True)
class Busy:
    """Another attempt holds the key until `until` (epoch seconds)."""

    until: int


@dataclass(frozen=True)
class Unstarted:
    """Not tried: no time left, or an earlier message of its FIFO group has to come first."""

    delay_seconds: int


@dataclass(frozen=True)
class Held:
    """A circuit breaker refuses calls. No attempt: it comes back when it may be tried."""

    refusal: CircuitOpen
    error: BaseException | None = None
    """How it failed, if it ran: the breaker opened with it, or stays open by it."""


Verdict = Succeeded | Duplicate | Refused | Failed | Busy | Unstarted | Held
