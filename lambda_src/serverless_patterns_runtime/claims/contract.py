"""The claims table: what an item looks like. Both sides import this.

An item's life is judged by its own numbers, never by whether DynamoDB's time to live has already deleted it.
All times are whole epoch seconds.
"""

from typing import NamedTuple

PARTITION_KEY = "claim"
"""`<namespace>#<idempotency key>` (S)."""

PAYLOAD = "payload"
"""SHA-256 of the canonical payload (S): the same key with another payload is refused."""

OWNER = "owner"
"""Token of the attempt that holds or completed the claim (S)."""

FREE_AT = "free_at"
"""From this second others may take the claim (N): the lease's deadline while it runs, `expires_at` once done."""

DONE = "done"
"""Whether the work is complete (BOOL)."""

ANSWER = "answer"
"""What was answered (S), for who asks again. Absent where nobody waits for an answer, or it cannot be kept."""

ATTEMPT = "attempt"
"""Attempts that took the lease and were not seen to fail (N). Absent once done, and where a queue counts receives."""

BEGUN_AT = "begun_at"
"""When the first attempt took the lease (N): from then on a key that is passed on may be known elsewhere. Only where
somebody asks for it."""

UNDONE = "undone"
"""True on a tombstone (BOOL): the work may not happen any more. What it has done is told by the other attributes, which
stay: the answer of what was done, the attempts of what may have been."""

ATTEMPTS = "attempts"
"""Receives of one message that were attempts (NS), in an item of its own: `attempts#<namespace>#<message id>`. Only
where a queue's receive count climbs without an attempt."""

EXCUSED = "excused"
"""In that item (BOOL): the attempts were used up once, and are forgotten, because a circuit breaker is to find out
whose fault they were."""

TIME_TO_LIVE = "expires_at"
"""When the claim stops meaning anything (N); DynamoDB deletes the item some time after that."""


class Env(NamedTuple):
    """Variables that the construct sets and the function reads: exactly these."""

    CLAIMS_TABLE_NAME: str

    CLAIMS_NAMESPACE: str
    """Separates the constructs that share a table. Data: changing it forgets every claim."""

    CLAIMS_RETENTION_SECONDS: str
