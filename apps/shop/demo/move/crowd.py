"""All visitors at once: a few of them on the road at any time, and everything that they have seen."""

import itertools
import queue
import threading
from collections.abc import Sequence

from demo.move.visit import Visit
from demo.move.visitors import Visitor


class Crowd:
    """Browses from the beginning of the block to its end."""

    def __init__(self, url: str, visitors: int, at_once: int) -> None:
        """`at_once`: requests on the road."""
        self._numbers = itertools.count(1)
        self._idle: queue.SimpleQueue[Visitor] = queue.SimpleQueue()
        for number in range(visitors):
            self._idle.put(Visitor(number, url, self._numbers))
        self._visits: list[Visit] = []
        self._closed = threading.Event()
        self._threads = [threading.Thread(target=self._browse, daemon=True) for _ in range(at_once)]

    def __enter__(self) -> "Crowd":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Every request that was sent is waited for."""
        self._closed.set()
        for thread in self._threads:
            thread.join()

    @property
    def asked(self) -> int:
        """Requests that were sent. Only when the doors are closed."""
        return next(self._numbers) - 1

    @property
    def visits(self) -> Sequence[Visit]:
        """So far, by the time of their answers."""
        return self._visits[:]

    def since(self, at: float, route: str) -> list[Visit]:
        """Requests to a route that were sent after this moment and are answered."""
        return [visit for visit in self.visits if visit.route == route and visit.begun >= at]

    def _browse(self) -> None:
        while not self._closed.is_set():
            visitor = self._idle.get()
            try:
                self._visits.append(visitor.visit())
            finally:
                self._idle.put(visitor)
