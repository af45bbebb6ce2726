"""Waiting for what happens elsewhere, without a fixed sleep."""

import time
from collections.abc import Callable
from typing import TypeVar

__all__ = ["wait_until"]

Value = TypeVar("Value")


def wait_until(
    condition: Callable[[], Value], deadline_seconds: float = 30, message: str = "", *, interval_seconds: float = 0.1
) -> Value:
    """Ask again and again until the answer is true, and return it.

    Args:
        condition: Asked at once, then every `interval_seconds`. What it raises is raised.
        deadline_seconds: How long to wait, in seconds of real time.
        message: What is waited for, such as "all orders to be fulfilled"; part of the error.
        interval_seconds: Pause between two questions, in seconds.

    Raises:
        TimeoutError: The answer was still false at the deadline; names the message and the last answer.
    """
    end = time.monotonic() + deadline_seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() >= end:
            raise TimeoutError(f"waited {deadline_seconds:g} s for {message or 'a condition'}; last answer: {answer!r}")
        time.sleep(interval_seconds)
