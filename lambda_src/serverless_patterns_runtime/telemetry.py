"""Logs and metrics: Powertools as it is, and the one rule it cannot know: no payload in a log line."""

import traceback
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics import Metrics

__all__ = ["Logger", "Metrics", "describe"]


def describe(error: BaseException, *, with_message: bool) -> dict[str, Any]:
    """An error for a log line: its type and where it came from.

    Its message only on request: `int("4111 1111 ...")` raises an error that quotes its argument.
    """
    frames = traceback.extract_tb(error.__traceback__)
    description: dict[str, Any] = {
        "error_type": type(error).__name__,
        "error_location": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-5:]],
    }
    if with_message:
        description["error_message"] = str(error)
    return description
