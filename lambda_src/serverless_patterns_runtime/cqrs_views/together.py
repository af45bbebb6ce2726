"""Requests that need not wait for each other."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, TypeVar

__all__ = ["Together"]

Result = TypeVar("Result")

THREADS = 10
"""As many connections as a client keeps."""


class Together:
    """Threads that outlive an invocation; no request does. The first is started when there are two requests."""

    def __init__(self, new_executor: Callable[[int], Executor] = ThreadPoolExecutor, most: int = THREADS) -> None:
        self._new_executor = new_executor
        self._most = most
        self._executor: Executor | None = None

    def __call__(self, works: Sequence[Callable[[], Result]]) -> list[Result]:
        """All results, in order. Each work is done or has failed before this returns or raises the first error."""
        if len(works) < 2:
            return [work() for work in works]
        executor = self._executor = self._executor or self._new_executor(self._most)
        futures: list[Future[Any]] = [executor.submit(work) for work in works]
        errors = [future.exception() for future in futures]
        for error in errors:
            if error is not None:
                raise error
        return [future.result() for future in futures]
