"""What became of a message."""

from dataclasses import dataclass

from serverless_patterns_runtime.errors import PermanentError

__all__ = ["Busy", "Duplicate", "Failed", "Refused", "Succeeded", "Unstarted", "Verdict"]


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


Verdict = Succeeded | Duplicate | Refused | Failed | Busy | Unstarted
