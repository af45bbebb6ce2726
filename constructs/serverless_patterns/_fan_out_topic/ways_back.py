"""How long a message may be under way, counting every way back: what remembers it must remember it longer."""

from __future__ import annotations

from aws_cdk import Duration

from .._delivery import LONGEST_RETENTION_SECONDS
from .._queues import RETENTION

_SNS_TRIES_SECONDS = 23 * 86_400  # SNS's policy for queues: 100,015 tries
_QUEUE_SECONDS = 4 * 86_400  # RETENTION, of a branch of ours

MOST_RETENTION_SECONDS = 10 * 365 * 86_400
BRANCH_QUEUE = RETENTION


def under_way(queue_retention: int) -> int:
    """Seconds: SNS's tries, its dead letter, the queue, the queue's dead letter."""
    return _SNS_TRIES_SECONDS + LONGEST_RETENTION_SECONDS + queue_retention + LONGEST_RETENTION_SECONDS


LEAST_RETENTION_SECONDS = under_way(_QUEUE_SECONDS)
CLAIMS_RETENTION = Duration.days(60)
RETENTION_FIX = (
    "a message may come back after 23 days of SNS's tries, 14 in the subscription's dead-letter queue, its queue's "
    "retention and 14 in that one's dead-letter queue: leave it out for 60 days"
)
