"""The right to make one call, and the duty to say how it went."""

from collections.abc import Callable
from types import TracebackType
from typing import Any, Protocol, Self

__all__ = ["Judge", "Permit"]


class Judge(Protocol):
    """The breaker that gave the permit."""

    def judge(self, permit: "Permit", error: BaseException | None) -> None: ...

    def give_back(self, permit: "Permit") -> None: ...


class Permit:
    """A context: at its end a permit that was not used is given back, so that a probe is free for others."""

    def __init__(self, judge: Judge, *, epoch: int | None = None, prober: str | None = None) -> None:
        self._judge = judge
        self.epoch = epoch
        """In which the breaker was seen closed; None: nobody knows, and how the call goes is not counted."""
        self.prober = prober
        """The token of a probe."""
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
            self._judge.judge(self, error)
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
