"""What the state machine is told of an error: its name, by which it is retried and caught, and a few words."""

from typing import NoReturn

from serverless_patterns_runtime.claims.claim import RunningElsewhere
from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.saga_state_machine import contract
from serverless_patterns_runtime.telemetry import describe

__all__ = ["Ambiguous", "WithoutEffect", "fail"]

MOST_CHARACTERS = 1_000
"""Of an error's words: they become part of the state document."""


class WithoutEffect(Exception):
    """A declared error: the action has had no effect, and never will."""

    def __init__(self, name: str, error: BaseException) -> None:
        super().__init__(name)
        self.name = name
        self.error = error


class Ambiguous(Exception):
    """A declared error of an attempt that was not the first: nobody knows what those before it have done."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error


def fail(error: BaseException) -> NoReturn:
    """Raises an error of the name that the definition knows.

    Without the words of an error that nobody wrote to be read: Lambda logs them, and they may quote the saga's data.
    """
    match error:
        case WithoutEffect():
            name, words = error.name, _words(error.error)
        case Ambiguous():
            name, words = contract.PERMANENT_ERROR, f"{type(error.error).__name__}: {_words(error.error)}"
        case PermanentError():
            name, words = contract.PERMANENT_ERROR, f"{type(error).__name__}: {error.message}"
        case RunningElsewhere():
            name, words = contract.RUNNING_ELSEWHERE, "another attempt at this step is at work, or has died"
        case _:
            name, words = type(error).__name__, _words(error)
    # One that a module keeps, and raises again and again, would keep every frame it ever passed, payloads too.
    error.__traceback__ = None
    raise type(name, (Exception,), {})(words[:MOST_CHARACTERS]) from None


def _words(error: BaseException) -> str:
    if isinstance(error, PermanentError):
        return error.message
    return ", ".join(reversed(describe(error, with_message=False)["error_location"]))
