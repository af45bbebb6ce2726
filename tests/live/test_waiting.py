"""`wait_until`: true at once returns at once, and what stays false says what was waited for."""

import time

import pytest

from serverless_patterns.testing import wait_until


def test_what_is_true_is_returned_without_a_pause() -> None:
    started = time.monotonic()
    assert wait_until(lambda: "answer", 10, "an answer", interval_seconds=5) == "answer"
    assert time.monotonic() - started < 1


def test_what_becomes_true_is_returned() -> None:
    answers = iter([None, 0, "", "answer"])
    assert wait_until(lambda: next(answers), 10, "an answer", interval_seconds=0.001) == "answer"


def test_what_stays_false_tells_what_was_waited_for_and_the_last_answer() -> None:
    with pytest.raises(TimeoutError, match=r"^waited 0\.01 s for all orders; last answer: 0$"):
        wait_until(lambda: 0, 0.01, "all orders", interval_seconds=0.001)


def test_what_is_raised_is_not_swallowed() -> None:
    with pytest.raises(KeyError):
        wait_until(lambda: {}["missing"], 10, "an answer")
