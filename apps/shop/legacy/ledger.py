"""What the site has seen, for tests and the demo: every request as it arrived, and what was answered."""

import base64
import threading
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from legacy.answer import Asked


@dataclass(frozen=True)
class Seen:
    method: str
    target: str
    """Percent-encoded, as it came."""
    headers: Sequence[Sequence[str]]
    """Names and values, in their order."""
    body: str
    """In base64."""
    status: int

    def all(self, name: str) -> list[str]:
        """Every value of a header."""
        return [value for given, value in self.headers if given.lower() == name.lower()]


class Ledger:
    """Safe to use from several threads."""

    def __init__(self) -> None:
        self._seen: list[Seen] = []
        self._lock = threading.Lock()

    def note(self, asked: Asked, status: int) -> None:
        body = base64.b64encode(asked.body).decode()
        with self._lock:
            self._seen.append(Seen(asked.method, asked.target, [*map(list, asked.headers)], body, status))

    def told(self) -> list[Mapping[str, Any]]:
        with self._lock:
            return [asdict(seen) for seen in self._seen]
