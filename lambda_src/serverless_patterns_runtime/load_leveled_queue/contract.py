"""What `LoadLeveledQueue` tells its consumer, and the attributes that travel with a message. Both sides import this."""

from typing import Any, NamedTuple, NotRequired, TypedDict

HANDLER = "serverless_patterns_runtime.load_leveled_queue.handler.lambda_handler"


class Env(NamedTuple):
    """Variables that the construct sets and the function reads: exactly these."""

    QUEUE_URL: str

    DEAD_LETTER_QUEUE_URL: str

    IDEMPOTENCY_KEY: str
    """Dotted path into the body, such as `order.id`; empty: the sender's attribute is the key, else the message id."""

    VISIBILITY_TIMEOUT_SECONDS: str

    MAX_RECEIVE_COUNT: str
    """How many receives a message gets before it is a dead letter."""

    COUNT_ATTEMPTS: str
    """`true`: receive counts climb without an attempt (batches above 1), so the runtime counts by itself."""

    MAX_AGE_SECONDS: str
    """Older messages are dead letters at once, as `expired`; `0`: no limit."""

    RETRY_BASE_SECONDS: str
    """Ceiling of the first retry's delay; it doubles with every receive."""

    RETRY_MAX_SECONDS: str
    """Ceiling of every retry's delay; at most 43,200 (SQS's limit on visibility)."""


CORRELATION_ID_ATTRIBUTE = "correlation-id"
"""Optional message attribute (String, `[A-Za-z0-9._-]{1,64}`); else the message id correlates."""

IDEMPOTENCY_KEY_ATTRIBUTE = "idempotency-key"
"""Optional message attribute (String, no control characters, 1,024 bytes at most): the key, where the body is not to
hold one. An API in front of the queue writes `POST /orders|<caller, URL-encoded>|<key of the caller>`."""

DEAD_LETTER_ATTRIBUTE = "dead-letter"
"""The one attribute that the runtime adds to a dead letter: JSON of `DeadLetter`."""

REDRIVE_ATTRIBUTE = "redrive"
"""The one attribute that a redrive adds to a message that returns to its queue: JSON of `Redrive`."""

MAX_ATTRIBUTES = 10
"""What Lambda's event source mapping and SQS's own redrive carry with one message (SQS quota)."""

MAX_MESSAGE_BYTES = 1_048_576
"""Body, attribute names, types and values together (SQS quota)."""


class DeadLetter(TypedDict):
    """Why a message is a dead letter."""

    reason: str
    error_type: str
    receive_count: int
    correlation_id: str
    idempotency_key: NotRequired[str]
    """Absent when the body was too broken to hold one."""
    displaced: NotRequired[dict[str, Any]]
    """Message attributes that made room for this one, as SendMessage takes them, binary values in base64."""


class Redrive(TypedDict):
    """What a message that returns must not lose."""

    idempotency_key: str
    correlation_id: str
    displaced: NotRequired[dict[str, Any]]
    """Message attributes that made room for this one, as SendMessage takes them, binary values in base64."""
