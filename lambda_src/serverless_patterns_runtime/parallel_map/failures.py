"""What the state machine is told of an error: its name, by which it is retried and caught, and a few words."""

import json
from typing import NoReturn

from serverless_patterns_runtime.claims.claim import RunningElsewhere
from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.parallel_map import contract
from serverless_patterns_runtime.telemetry import describe

__all__ = ["StillGathering", "fail", "reason_of"]


class StillGathering(Exception):
    """There was no time for all of it."""


def fail(error: BaseException) -> NoReturn:
    """Raises an error of the name that the definition knows.

    Without the words of an error that nobody wrote to be read: Lambda logs them, and they may quote an item.
    """
    match error:
        case PermanentError():
            name, words = contract.PERMANENT_ERROR, f"{type(error).__name__}: {error.message}"
        case RunningElsewhere():
            name, words = contract.RUNNING_ELSEWHERE, "another attempt is at work, or has died"
        case StillGathering():
            name, words = contract.STILL_GATHERING, str(error)
        case _:
            name, words = (
                type(error).__name__,
                ", ".join(reversed(describe(error, with_message=False)["error_location"])),
            )
    error.__traceback__ = None  # one that a module keeps would keep every frame that it ever passed, items too
    raise type(name, (Exception,), {})(words[: contract.REASON_CHARACTERS]) from None


def reason_of(caught: contract.Caught) -> tuple[str, str]:
    """Type and words of what a Catch has written."""
    name, words = caught.get("Error", ""), caught.get("Cause", "")
    told = _told(words)
    if name == contract.PERMANENT_ERROR:
        name, _, told = told.partition(": ")
    return name, (told or name)[: contract.REASON_CHARACTERS]


def _told(cause: str) -> str:
    """Lambda's errors are JSON in the text."""
    try:
        told = json.loads(cause)
    except ValueError:
        return cause
    return str(told.get("errorMessage", "")) if isinstance(told, dict) else cause  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
