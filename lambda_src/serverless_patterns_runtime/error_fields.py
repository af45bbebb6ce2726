"""An error, for a log line. Without Powertools: a router that has nothing to say does not load them."""

import traceback
from typing import Any

__all__ = ["describe"]


def describe(error: BaseException, *, with_message: bool) -> dict[str, Any]:
    """An error for a log line: its type and where it came from.

    Its message only on request: `int("4111 1111 ...")` raises an error that quotes its argument.
    """
    # No source lines, which would be read from disk.
    frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    description: dict[str, Any] = {
        "error_type": type(error).__name__,
        "error_location": [f"{code.co_filename}:{line} {code.co_name}" for code, line in frames[-5:]],
    }
    if with_message:
        description["error_message"] = str(error)
    return description
