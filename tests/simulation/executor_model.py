"""`ThreadPoolExecutor` with threads of the schedule: only one runs, and the seed says which."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
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
        if (error := self.exception()) is not None:
            raise error
        return self._value

    def exception(self) -> BaseException | None:
        schedule, actor = here()
        while not self.done:
            self._waiting = actor
            schedule.park()
        return self._error

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


class SimulatedExecutor(Executor):
    """Threads start with the work and end when none is left."""

    def __init__(self, max_workers: int) -> None:
        self._idle = max_workers
        self._queue: deque[tuple[SimulatedFuture, Callable[[], Any]]] = deque()
        self._at_work: list[SimulatedFuture] = []
        self._sandbox = here()[1].sandbox

    def submit(self, work: Callable[..., Any], *arguments: Any) -> Any:  # type: ignore[override]
        future = SimulatedFuture()
        self._queue.append((future, lambda: work(*arguments)))
        if self._idle:
            self._idle -= 1
            self._sandbox.spawn(self._work)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        if cancel_futures:
            self._queue.clear()
        while wait and (left := [*self._at_work, *(future for future, _ in self._queue)]):
            left[0].exception()

    def _work(self) -> None:
        while self._queue:
            future, work = self._queue.popleft()
            self._at_work.append(future)
            future.carry_out(work)
            self._at_work.remove(future)
        self._idle += 1
