"""Real threads, one after the other invocation. How commits interleave is the simulation's."""

import threading
import time
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from serverless_patterns_runtime import Effects, Put, clients
from serverless_patterns_runtime.load_leveled_queue.commit_threads import COMMIT_THREADS, CommitThreads
from serverless_patterns_runtime.load_leveled_queue.verdicts import Succeeded, Verdict

from ..consumer import FIFO, Consumer
from ..sqs_events import record

DEADLINE = 10.0
A_WHILE = 0.1
"""Seconds that a commit gives its invocation to end too early."""


def fulfil(order: dict[str, Any]) -> Effects:
    return Effects([Put("ORDERS", {"id": order["id"]})])


def consumer(function: Callable[[dict[str, Any]], Any] = fulfil, **settings: Any) -> Consumer:
    return Consumer(function, idempotency_key="id", **({"returns_effects": True, "commit_threads": 3} | settings))


def orders(*numbers: int) -> list[dict[str, Any]]:
    return [record({"id": str(number)}, message_id=f"m-{number}") for number in numbers]


@pytest.fixture
def started() -> Callable[[], set[threading.Thread]]:
    """Threads that there were none of when the test began."""
    before = set(threading.enumerate())
    return lambda: set(threading.enumerate()) - before


Started = Callable[[], set[threading.Thread]]


def test_threads_are_kept_from_one_invocation_to_the_next():
    made = consumer(commit_threads=3)
    together = threading.Barrier(3, timeout=DEADLINE)
    at_work: list[threading.Thread] = []

    def commit(_: Any) -> dict[str, Any]:
        at_work.append(threading.current_thread())
        together.wait()
        return {}

    made.dynamodb.always("TransactWriteItems", commit)
    assert made.consume(*orders(1, 2, 3)) == []
    first = set(at_work)
    assert made.consume(*orders(4, 5, 6)) == []
    assert set(at_work) == first
    assert len(first) == 3


def test_two_commits_start_two_threads_and_no_more(started: Started):
    made = consumer(commit_threads=COMMIT_THREADS)
    together = threading.Barrier(2, timeout=DEADLINE)
    made.dynamodb.always("TransactWriteItems", lambda _: (together.wait(), {})[1])
    assert made.consume(*orders(1, 2)) == []
    assert len(started()) == 2


@pytest.mark.parametrize(
    ("made", "numbers"),
    [
        (consumer(), [1]),
        (consumer(**FIFO), [1, 2, 3]),
        (consumer(lambda _: None, returns_effects=False), [1, 2, 3]),
    ],
    ids=["one message", "FIFO", "leases"],
)
def test_who_commits_one_at_a_time_has_no_threads(made: Consumer, numbers: list[int], started: Started):
    assert made.consume(*orders(*numbers)) == []
    assert not started()


def test_a_batch_larger_than_the_threads_is_committed_by_them_alone(started: Started):
    made = consumer(commit_threads=2)
    assert made.consume(*orders(*range(25))) == []
    assert len(made.dynamodb.requests("TransactWriteItems")) == 25
    assert 1 <= len(started()) <= 2


def test_no_commit_outlives_its_invocation_even_if_nobody_asks_for_its_verdict():
    ended = threading.Event()
    outlived: list[bool] = []

    def commit() -> Verdict:
        outlived.append(ended.wait(A_WHILE))
        return Succeeded()

    with CommitThreads(3).for_one_invocation() as submit:
        for _ in range(3):
            submit(commit)
    ended.set()
    assert outlived == [False, False, False]


def test_an_invocation_that_breaks_off_waits_for_its_commits_and_begins_no_more(started: Started):
    threads = CommitThreads(1)
    begun, ended = threading.Event(), threading.Event()
    outlived: list[bool] = []

    def commit() -> Verdict:
        begun.set()
        outlived.append(ended.wait(A_WHILE))
        return Succeeded()

    def break_off() -> None:
        with threads.for_one_invocation() as submit:
            for _ in range(3):
                submit(commit)
            begun.wait(DEADLINE)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    ended.set()
    assert outlived == [False]
    assert not started()


def test_after_an_invocation_that_broke_off_the_next_one_has_threads_again():
    threads = CommitThreads(2)
    with pytest.raises(OSError, match="full"), threads.for_one_invocation():
        raise OSError("full")
    with threads.for_one_invocation() as submit:
        assert submit(Succeeded)() == Succeeded()


def test_a_commit_that_got_no_thread_is_not_carried_out_later(started: Started, monkeypatch: pytest.MonkeyPatch):
    """The executor keeps it in its queue, for any thread that becomes free, and gives nobody a future of it."""
    threads = CommitThreads(2)
    refused = threading.Event()

    def refuse(_: threading.Thread) -> None:
        refused.set()
        raise RuntimeError("can't start new thread")

    def commit() -> Verdict:
        refused.wait(DEADLINE)
        return Succeeded()

    def one_too_many() -> None:
        with threads.for_one_invocation() as submit:
            submit(commit)
            monkeypatch.setattr(threading.Thread, "start", refuse)
            submit(commit)

    with pytest.raises(RuntimeError, match="can't start new thread"):
        one_too_many()
    assert not started()


def test_kept_threads_hold_nothing_of_the_invocation_before():
    held: list[weakref.ref[Any]] = []

    def hold(value: Any) -> Any:
        held.append(weakref.ref(value))
        return value

    def commit(_: Effects) -> Verdict:
        return hold(Succeeded())

    def invocation() -> None:
        with threads.for_one_invocation() as submit:
            submit(partial(commit, hold(Effects([]))))

    threads = CommitThreads(2)
    invocation()
    assert len(held) == 2
    deadline = time.monotonic() + DEADLINE
    while any(value() is not None for value in held):  # a thread lets go just after it has answered
        assert time.monotonic() < deadline, "still held"
        time.sleep(0.001)


def test_every_thread_and_the_calling_one_find_a_connection_that_is_kept():
    assert clients.CONNECTIONS >= COMMIT_THREADS + 1
