"""Threads that carry out commits. They outlive an invocation; no commit does."""

from collections.abc import Callable, Generator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager

from serverless_patterns_runtime.load_leveled_queue.verdicts import Verdict

__all__ = ["COMMIT_THREADS", "CommitThreads", "PendingVerdict", "Submit", "at_once"]

COMMIT_THREADS = 10
"""The usual batch, all at once. More would gain little, and each opens a connection."""

PendingVerdict = Callable[[], Verdict]
"""Gives the verdict, waiting for it if need be."""

Submit = Callable[[Callable[[], Verdict]], PendingVerdict]
"""Takes a commit, which may be carried out before or after this returns."""


class CommitThreads:
    """Each is started when a commit finds the others busy: who commits one at a time has none."""

    def __init__(self, most: int, new_executor: Callable[[int], Executor] = ThreadPoolExecutor) -> None:
        self._most = most
        self._new_executor = new_executor
        self._executor: Executor | None = None

    @contextmanager
    def for_one_invocation(self) -> Generator[Submit]:
        """At the end, also by an error, nothing that was submitted is under way or still to come.

        Lambda freezes what runs on after the answer, in the middle of a request, and thaws it in another invocation.
        """
        executor = self._executor = self._executor or self._new_executor(self._most)
        submitted: list[Future[Verdict]] = []

        def submit(commit: Callable[[], Verdict]) -> PendingVerdict:
            submitted.append(future := executor.submit(commit))
            return future.result

        try:
            yield submit
            for future in submitted:
                future.exception()  # waits, whoever has asked for the result
        except BaseException:
            # Not for these futures alone: who could get no thread left work in the executor without a future.
            self._executor = None
            executor.shutdown(wait=True, cancel_futures=True)
            raise


def at_once(commit: Callable[[], Verdict]) -> PendingVerdict:
    """No thread: carried out before this returns."""
    verdict = commit()
    return lambda: verdict
