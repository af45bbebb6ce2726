"""Bad moments of the provider, each for the requests that somebody has chosen."""

import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal["declines", "fails", "slow", "late", "down"]
"""`fails`: acts, then answers 500. `slow`: acts, and answers late. `late`: acts late. `down`: 503 without acting."""

Operation = Literal["charge", "refund"]


@dataclass
class Fault:
    operation: Operation
    kind: Kind
    matching: str
    """The request's purpose."""
    times: int | None = None
    """How many requests meet it; None: all."""
    seconds: float = 0
    """How late."""
    fired: int = 0


class Faults:
    """Safe to use from several threads."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._faults.append(fault)

    def end(self, matching: str) -> None:
        """No more of these; how often they fired is still told."""
        with self._lock:
            for fault in self._faults:
                if fault.matching == matching:
                    fault.times = fault.fired

    def told(self) -> Sequence[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._faults]

    def meet(self, operation: Operation, purpose: str) -> Fault | None:
        """The first fault for this request, counted."""
        with self._lock:
            for fault in self._faults:
                left = fault.times is None or fault.fired < fault.times
                if left and fault.operation == operation and fault.matching == purpose:
                    fault.fired += 1
                    return fault
            return None
