"""What the state machine is told of an error: its name, by which it is retried and caught, and a few words."""

from typing import NoReturn

from serverless_patterns_runtime.claims.claim import RunningElsewhere
from serverless_patterns_runtime.errors import CircuitOpen, PermanentError
from serverless_patterns_runtime.saga_state_machine import contract, outside
from serverless_patterns_runtime.telemetry import describe

__all__ = ["Ambiguous", "StillUnsettled", "WithoutEffect", "fail"]

MOST_CHARACTERS = 1_000
"""Of an error's words: they become part of the state document."""


class WithoutEffect(Exception):
    """A declared error: the action has had no effect, and never will."""

    def __init__(self, name: str, error: BaseException) -> None:
        super().__init__(name)
        self.name = name
        self.error = error


class Ambiguous(Exception):
    """Nobody knows what was done, and no retry will tell: a declared error of an attempt that was not the first, or an
    outcome that has been unknown for too long."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error


class StillUnsettled(Exception):
    """To be asked for again in so many seconds."""

    def __init__(self, interval: int) -> None:
        super().__init__("the outcome is not known yet")
        self.interval = interval


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
        case CircuitOpen():
            name, words = contract.CIRCUIT_OPEN, str(error)
        case StillUnsettled():
            name, words = outside.unsettled_error(error.interval), str(error)
        case _:
            name, words = type(error).__name__, _words(error)
    # One that a module keeps, and raises again and again, would keep every frame it ever passed, payloads too.
    error.__traceback__ = None
    raise type(name, (Exception,), {})(words[:MOST_CHARACTERS]) from None


def _words(error: BaseException) -> str:
    if isinstance(error, PermanentError):
        return error.message
    return ", ".join(reversed(describe(error, with_message=False)["error_location"]))
