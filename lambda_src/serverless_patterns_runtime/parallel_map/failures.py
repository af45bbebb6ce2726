"""What the state machine is told of an error: its name, by which it is retried and caught, and a few words."""

import json
import re
import traceback
from pathlib import Path
from typing import NoReturn

from serverless_patterns_runtime.business_function.business_function import BusinessFunction
from serverless_patterns_runtime.claims.claim import RunningElsewhere
from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.parallel_map import contract

__all__ = ["StillGathering", "attempt_of", "fail", "reason_of"]

_ATTEMPT = re.compile(r" \(attempt ([0-9]+)\)\Z")


class StillGathering(Exception):
    """There was no time for all of it."""


def fail(error: BaseException, attempt: int = 0) -> NoReturn:
    """Raises an error of the name that the definition knows, whose words end with the attempt, if there is one.

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
            name = type(error).__name__
            words = f"failed, the last time with {name}{_own_line(error)}"
    error.__traceback__ = None  # one that a module keeps would keep every frame that it ever passed, items too
    numbered = f" (attempt {attempt})" if attempt else ""
    raise type(name, (Exception,), {})(words[: contract.REASON_CHARACTERS] + numbered) from None


def _own_line(error: BaseException) -> str:
    """The last line of the business function's own folder; the log has the other lines."""
    frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    codes = [code for code, _ in frames]
    call = BusinessFunction.__call__.__code__
    frames = frames[codes.index(call) + 1 :] if call in codes else []
    own = [
        (code, line) for code, line in frames if Path(code.co_filename).parent == Path(frames[0][0].co_filename).parent
    ]
    if not own:
        return ""
    code, line = own[-1]
    return f" at {Path(code.co_filename).name}:{line} {code.co_name}"


def reason_of(caught: contract.Caught) -> tuple[str, str]:
    """Type and words of what a Catch has written."""
    name = caught.get("Error", "")
    told = _ATTEMPT.sub("", _told(caught.get("Cause", "")))
    if name == contract.PERMANENT_ERROR:
        name, _, told = told.partition(": ")
    return name, (told or name)[: contract.REASON_CHARACTERS]


def attempt_of(caught: contract.Caught) -> int | None:
    """Which attempt it ended; None of one that died without a word."""
    found = _ATTEMPT.search(_told(caught.get("Cause", "")))
    return int(found[1]) if found else None


def _told(cause: str) -> str:
    """Lambda's errors are JSON in the text."""
    try:
        told = json.loads(cause)
    except ValueError:
        return cause
    return str(told.get("errorMessage", "")) if isinstance(told, dict) else cause  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
