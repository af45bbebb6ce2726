"""One figure: a count or a ratio, beside what the peer and the cheapest conceivable solution have."""

from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Figure", "Skipped"]


class Skipped(Exception):
    """A figure that this machine cannot give; the message says what to install."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    name: str
    unit: str
    better: Literal["lower", "higher"]
    goal: float | None = None
    """None: reported beside one that has a goal."""

    value: float | None = None
    """None: skipped."""

    peer: float | None = None
    """What the peer has, in the same unit: 1 where the value is a ratio to it."""

    floor: float | None = None
    """What no solution can beat, in the same unit; None: not known."""

    measured: str = ""
    """What the value was made of, for the reader of the table."""

    skipped: str = ""
    """Why there is no value, and what to install."""

    def result(self) -> dict[str, Any]:
        """The figure as results.json has it."""
        fields = ("name", "value", "unit", "peer", "floor", "better")
        result = {field: getattr(self, field) for field in fields}
        return result | {"skipped": self.skipped} if self.skipped else result

    @property
    def reached(self) -> bool | None:
        """Whether the goal is met; None: skipped, or there is none."""
        if self.value is None or self.goal is None:
            return None
        return self.value <= self.goal if self.better == "lower" else self.value >= self.goal
