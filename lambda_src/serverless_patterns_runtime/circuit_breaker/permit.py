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
        """Why a failure is not the call's own: it is what the breaker is open for, or has been since the call began."""
        ...

    def suspect(self, permit: "Permit", error: BaseException) -> CircuitOpen | None:
        """As `Permit.suspect`."""
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
        """Set when the call failed, and the failure is the downstream's, and not the call's."""
        self.opened = False
        """Whether it was this call's failure, after others, that opened the breaker."""
        self.error: BaseException | None = None
        """What the call raised."""
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
            self.error = error
            self.refusal = self._judge.judge(self, error)
            raise
        self._judge.judge(self, None)
        return result

    def suspect(self) -> CircuitOpen | None:
        """Whoever made the call would give up for good, because it failed: is it the call's own fault?

        The next call, whoever's, is to find out. When to ask again; None where the breaker has nothing to say to it.
        """
        return None if self.error is None else self._judge.suspect(self, self.error)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._used:
            self._used = True
            self._judge.give_back(self)
