"""The queues' own figures, taken again and again on a thread of its own while the demo runs."""

import threading
import time
from collections.abc import Callable

from demo.outcome import Sample

EVERY_SECONDS = 0.25


class Sampler:
    """Samples until the block ends; what went wrong on its thread is raised there."""

    def __init__(self, take: Callable[[], Sample]) -> None:
        self.samples: list[Sample] = []
        self._take = take
        self._stopped = threading.Event()
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def latest_waiting(self) -> int:
        """Messages that waited when the last sample was taken."""
        return self.samples[-1].waiting if self.samples else 0

    def __enter__(self) -> "Sampler":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()
        if self._failure:
            raise self._failure

    def _run(self) -> None:
        due = time.monotonic()
        try:
            while not self._stopped.wait(max(0.0, due - time.monotonic())):
                self.samples.append(self._take())
                due += EVERY_SECONDS
        except Exception as error:
            self._failure = error
