"""The right to make one call, and the duty to say how it went."""

from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol, Self

from serverless_patterns_runtime.errors import CircuitOpen

__all__ = ["Breaker", "Judge", "Permit"]


class Breaker(Protocol):
    """`CircuitBreaker`, to those whom it guards."""

    def permit(self, remaining: Callable[[], float]) -> "Permit": ...

    def refused(self, calls: int) -> None: ...


class Judge(Protocol):
    """The breaker that gave the permit."""

    def judge(self, permit: "Permit", error: BaseException | None) -> CircuitOpen | None:
        """Why the next call is refused, if that is because of this one's error, or of others like it."""
        ...

    def give_back(self, permit: "Permit") -> None: ...


class Permit:
    """A context: at its end a permit that was not used is given back, so that a probe is free for others."""

    def __init__(self, judge: Judge, *, epoch: int | None = None, prober: str | None = None) -> None:
        self._judge = judge
        self.epoch = epoch
        """In which the breaker was seen closed; None: nobody knows, and how the call goes is not counted."""
        self.prober = prober
        """The token of a probe."""
        self.refusal: CircuitOpen | None = None
        """Set when the call failed for what the breaker is open for: the downstream's failure, and not the call's."""
        self._used = False

    def run(self, call: Callable[[], Any]) -> Any:
        """Make the call and judge it: what it returns or raises is passed on. Once a permit."""
        self._used = True
        try:
            result = call()
        except KeyboardInterrupt:
            self._judge.give_back(self)
            raise
        except BaseException as error:  # also SystemExit: a probe has to end
            self.refusal = self._judge.judge(self, error)
            raise
        self._judge.judge(self, None)
        return result

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._used:
            self._used = True
            self._judge.give_back(self)
