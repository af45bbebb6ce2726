"""What a redrive did, told so that nothing is hidden."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Outcome"]


@dataclass
class Outcome:
    """What became of the selected messages. It is true at any moment of the run."""

    selected: int
    """How many the survey showed, at most the limit. A FIFO queue may hold more, which show later."""
    moved: list[str] = field(default_factory=list[str])
    """Message ids: sent to the queue and deleted from the dead-letter queue."""
    undeleted: dict[str, str] = field(default_factory=dict[str, str])
    """Message ids: (perhaps) sent to the queue, and still in the dead-letter queue; with the cause."""
    left: dict[str, str] = field(default_factory=dict[str, str])
    """Message ids: not moved; with the cause."""
    not_selected: set[str] = field(default_factory=set[str])
    came_back: dict[str, str] = field(default_factory=dict[str, str])
    """New message ids: moved by this run, and dead letters again; with the reason."""
    arrived: set[str] = field(default_factory=set[str])
    """New message ids: other dead letters that came while the run was on."""
    unseen: int = 0
    """FIFO: about how many lie behind messages of their group that were not moved, where SQS does not show them."""
    stopped: str | None = None
    """Why the run ended early."""

    @property
    def missing(self) -> int:
        """Selected messages that were not met again: not reached, or taken by somebody else."""
        return max(0, self.selected - len(self.moved) - len(self.undeleted) - len(self.left))

    @property
    def complete(self) -> bool:
        return not (self.missing or self.undeleted or self.left or self.came_back or self.unseen or self.stopped)
