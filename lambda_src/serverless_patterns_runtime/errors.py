"""What can go wrong, and who may try again.

Exception
├── PermanentError              never retried: a dead letter with this reason
│   ├── MalformedPayload        the payload cannot be read
│   ├── IdempotencyKeyReused    the same key came with another payload
│   ├── Expired                 older than `max_age`
│   ├── AttemptsExhausted       failed as often as it may
│   ├── ConditionNotMet         a write's condition does not hold, and the write says nothing else
│   ├── UncommittableEffects    DynamoDB would refuse these writes every time
│   ├── UnusableMessage         it publishes what is no message
│   ├── UnusableResource        the business function asks for what its Handler does not have
│   ├── KeyExpired              the provider may have forgotten the key: look up, never send again
│   ├── PublishRefused          SNS would refuse these messages every time
│   └── UnusableResult          the business function returns what its annotation does not say
└── everything else             tried again
    ├── PublishFailed           not all messages were published
    ├── NotNow                  there is no answer yet; behind an API 503
    ├── CircuitOpen             refused by a circuit breaker; the downstream was not asked
    └── Unsettled               a saga's step: nobody can know yet whether it has happened; no failure
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from serverless_patterns_runtime.fan_out_topic.message import Message

__all__ = [
    "AttemptsExhausted",
    "CircuitOpen",
    "ConditionNotMet",
    "Expired",
    "IdempotencyKeyReused",
    "KeyExpired",
    "MalformedPayload",
    "NotNow",
    "PermanentError",
    "PublishFailed",
    "PublishRefused",
    "UncommittableEffects",
    "Unsettled",
    "UnusableMessage",
    "UnusableResource",
]


class PermanentError(Exception):
    """Trying again cannot help. Two with the same type, message and status are equal, so that `Effects` are."""

    message: str
    status: int | None

    def __new__(cls, *args: object, **_: object) -> Self:
        """So that a subclass which never calls `super().__init__` has a message and a status all the same."""
        error = super().__new__(cls, *args)
        error.message, error.status = ", ".join(map(str, args)), None
        return error

    def __init__(self, message: str, *, status: int | None = None) -> None:  # pyright: ignore[reportInconsistentConstructor]
        """`message` becomes the dead letter's reason; `status` (400 to 599) the answer behind an API.

        503 asks the caller to try again later. Raises ValueError for a status that is no error's.
        """
        if status is not None and (type(status) is not int or not 400 <= status <= 599):
            got = status if isinstance(status, int) else f"a {type(status).__name__}"  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValueError(f"a PermanentError's status is a whole number from 400 to 599, got {got}")
        super().__init__(message)
        self.message = str(message)
        self.status = status

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PermanentError):
            return NotImplemented
        return (type(self), self.message, self.status) == (type(other), other.message, other.status)

    def __hash__(self) -> int:
        return hash((type(self), self.message, self.status))


class MalformedPayload(PermanentError):
    """The payload is not the JSON that it has to be."""


class IdempotencyKeyReused(PermanentError):
    """The idempotency key belongs to another payload."""

    def __init__(  # pyright: ignore[reportInconsistentConstructor]
        self, message: str = "the idempotency key was used before, with another payload"
    ) -> None:
        super().__init__(message)


class Expired(PermanentError):
    """The work is older than it may be."""


class AttemptsExhausted(PermanentError):
    """Every attempt that the work was allowed has failed."""


class ConditionNotMet(PermanentError):
    """The condition of a write does not hold. Its words name the table: for logs and dead letters, not for callers."""

    def __init__(self, message: str) -> None:  # pyright: ignore[reportInconsistentConstructor]
        super().__init__(message, status=409)


class UncommittableEffects(PermanentError):
    """DynamoDB would refuse these writes every time: too many, too large, or two on one item."""


class UnusableMessage(PermanentError):
    """What `publish` was given is no message, or lacks what its topic asks for: the function's mistake, no caller's."""


class UnusableResource(PermanentError):
    """A table, secret or parameter that the Handler does not have, or that does not hold what it must."""


class KeyExpired(PermanentError):
    """The provider may have forgotten the step's external key: what is sent with it now could happen twice."""

    def __init__(  # pyright: ignore[reportInconsistentConstructor]
        self, message: str = "the provider may have forgotten the external key: look up what happened, send nothing"
    ) -> None:
        super().__init__(message)


class PublishRefused(PermanentError):
    """SNS says that these messages can never be published. What comes of the others is as in `PublishFailed`."""

    def __init__(  # pyright: ignore[reportInconsistentConstructor]
        self, message: str, *, published: Sequence["Message"] = (), unpublished: Sequence["Message"] = ()
    ) -> None:
        super().__init__(message)
        self.published = tuple(published)
        self.unpublished = tuple(unpublished)


class PublishFailed(Exception):
    """Not all messages were published. Publish all again with the same keys: subscribers know those that they have."""

    def __init__(
        self, message: str, *, published: Sequence["Message"] = (), unpublished: Sequence["Message"] = ()
    ) -> None:
        """`published`: SNS has confirmed them. `unpublished`: it has not, though it may have them: answers get lost."""
        super().__init__(message)
        self.published = tuple(published)
        self.unpublished = tuple(unpublished)


class Unsettled(Exception):
    """Raised by a saga's action or compensation: whether it has happened cannot be known yet, so nothing is undone."""

    def __init__(self, retry_after: float = 0.0) -> None:
        """`retry_after`: seconds until it is worth asking again; the wait is rounded up to one of a few."""
        super().__init__("the outcome is not known yet")
        self.retry_after = retry_after


class NotNow(Exception):
    """There is no answer yet, and there will be one. Behind an API its words are for the caller."""

    def __init__(self, message: str, retry_after: int = 1) -> None:
        """`retry_after`: seconds until it is worth asking again."""
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after


class CircuitOpen(Exception):
    """A circuit breaker refuses the call. The downstream was not asked, and this was no attempt."""

    def __init__(self, retry_at: float, opened_at: float) -> None:
        """Epoch seconds: before `retry_at` no other call is let through; since `opened_at` it is open, or half-open."""
        super().__init__("the circuit breaker is open")
        self.retry_at = retry_at
        self.opened_at = opened_at
