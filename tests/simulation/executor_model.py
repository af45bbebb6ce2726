"""`ThreadPoolExecutor` with threads of the schedule: an invocation's commits interleave as the seed says."""

from collections import deque
from collections.abc import Callable
from typing import Any

from .virtual_time import Actor, Killed, here

__all__ = ["SimulatedExecutor", "SimulatedFuture"]


class SimulatedFuture:
    def __init__(self) -> None:
        self.done = False
        self._value: Any = None
        self._error: BaseException | None = None
        self._waiting: Actor | None = None

    def result(self) -> Any:
        schedule, actor = here()
        while not self.done:
            self._waiting = actor
            schedule.park()
        if self._error is not None:
            raise self._error
        return self._value

    def carry_out(self, work: Callable[[], Any]) -> None:
        try:
            self._value = work()
        except Killed:
            raise
        except BaseException as error:
            self._error = error
        self.done = True
        if self._waiting is not None:
            here()[0].wake(self._waiting)


class SimulatedExecutor:
    """Threads start with the work and end when none is left."""

    def __init__(self, max_workers: int) -> None:
        self._free = max_workers
        self._queue: deque[tuple[SimulatedFuture, Callable[[], Any]]] = deque()
        self._futures: list[SimulatedFuture] = []
        self._sandbox = here()[1].sandbox

    def __enter__(self) -> "SimulatedExecutor":
        return self

    def __exit__(self, *_: object) -> None:
        for future in self._futures:
            while not future.done:
                future.result()

    def submit(self, work: Callable[..., Any], *arguments: Any) -> SimulatedFuture:
        future = SimulatedFuture()
        self._futures.append(future)
        self._queue.append((future, lambda: work(*arguments)))
        if self._free:
            self._free -= 1
            self._sandbox.spawn(self._work)
        return future

    def _work(self) -> None:
        while self._queue:
            future, work = self._queue.popleft()
            future.carry_out(work)
        self._free += 1
