"""Ctrl-C and SIGTERM end a run between two steps, not in the middle of one."""

from __future__ import annotations

import signal
import threading
from types import FrameType

__all__ = ["Interrupts"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """While entered, the first signal only sets a flag, which also ends a sleep; the second one acts as ever."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._before = {number: signal.getsignal(number) for number in _SIGNALS}

    def __enter__(self) -> Interrupts:
        for number in _SIGNALS:
            signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def __call__(self) -> bool:
        return self._event.is_set()

    def sleep(self, seconds: float) -> None:
        self._event.wait(seconds)

    def _note(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002  the signature of a signal handler
        self._event.set()
        self.__exit__()
