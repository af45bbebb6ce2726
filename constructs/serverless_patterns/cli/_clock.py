"""Time, as the redrive sees it: replaced by a model's in tests."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Clock", "Pace"]


@dataclass(frozen=True)
class Clock:
    now: Callable[[], float] = time.time
    """Epoch seconds. The wall clock, because a suspended machine's visibility timeouts run on."""

    sleep: Callable[[float], None] = time.sleep
    """Seconds; may return early when the run is interrupted."""


class Pace:
    """Keeps a run to `rate` messages a second, evenly: an idle time earns no burst."""

    def __init__(self, rate: float, clock: Clock) -> None:
        self._rate = rate
        self._clock = clock
        self._free_at = float("-inf")

    def wait_for(self, messages: int) -> None:
        """Sleeps until the messages of earlier calls have had their time, and books the time of these."""
        now = self._clock.now()
        if self._free_at > now:
            self._clock.sleep(self._free_at - now)
        self._free_at = max(now, self._free_at) + messages / self._rate
