"""A token that proves nothing. The text goes to a log line: it never quotes the token."""

from serverless_patterns_runtime.errors import PermanentError

__all__ = ["Refused"]


class Refused(PermanentError):
    """The gateway answers 401."""

    def __init__(self, message: str) -> None:  # pyright: ignore[reportInconsistentConstructor]
        super().__init__(message, status=401)
