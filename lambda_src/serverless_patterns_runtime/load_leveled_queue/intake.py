"""What an open breaker does to a queue: the batch at hand is held, so that the intake stands still.

No event source mapping is switched off. What the functions hold, at most the cap times the batch, is all that is taken
out of the queue, and nothing has to be switched on again.
"""

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from serverless_patterns_runtime.errors import CircuitOpen

if TYPE_CHECKING:
    from serverless_patterns_runtime.circuit_breaker.permit import Breaker, Permit

__all__ = ["Intake"]

HOLD_SHARE = 0.5
"""Of the time that an invocation has: for so long it waits to be let through; the rest is for the work."""

SHORTEST_WAIT_SECONDS = 0.01


class Intake:
    """For one invocation. A context: a permit that found no work is given back at its end."""

    def __init__(
        self,
        breaker: "Breaker | None",
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        remaining: Callable[[], float],
    ) -> None:
        self._breaker = breaker
        self._clock = clock
        self._sleep = sleep
        self._remaining = remaining
        self._first: Permit | None = None
        self.refusal: CircuitOpen | None = None
        """Why nothing of the batch is begun."""

    def hold(self) -> None:
        """Wait until calls are permitted, or until it is time to give the batch back: then there is a `refusal`."""
        if self._breaker is None:
            return
        end = self._remaining() * (1 - HOLD_SHARE)
        while True:
            try:
                self._first = self._breaker.permit(self._remaining)
                return
            except CircuitOpen as refusal:
                left = self._remaining() - end
                if left <= 0:
                    self.refusal = refusal
                    return
                self._sleep(max(SHORTEST_WAIT_SECONDS, min(refusal.retry_at - self._clock(), left)))

    def permit(self) -> "Permit | None":
        """For the next call; None without a breaker. Raises CircuitOpen, and waits for nothing."""
        if self._breaker is None:
            return None
        if self._first is None:
            return self._breaker.permit(self._remaining)
        permit, self._first = self._first, None
        return permit

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._first is not None:
            self._first.__exit__(kind, error, trace)
