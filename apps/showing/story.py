"""A run in phases, each of which waits for something that has to come."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from serverless_patterns.testing import wait_until


@dataclass
class Story:
    tell: Callable[[str], None]
    """Takes a line about what is going on."""
    patience: float = 90
    """Seconds. What takes longer is given up, and the checks tell."""
    phases: dict[str, tuple[float, float]] = field(default_factory=dict[str, tuple[float, float]])
    """From and to, in epoch seconds."""

    @contextmanager
    def phase(self, name: str) -> Generator[None]:
        begun = time.time()
        yield
        self.phases[name] = begun, time.time()

    def wait(self, done: Callable[[], bool], what_for: str) -> None:
        try:
            wait_until(done, self.patience, what_for, interval_seconds=0.25)
        except TimeoutError as error:
            self.tell(f"gave up: {error}")
