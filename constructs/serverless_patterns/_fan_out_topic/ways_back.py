"""How long a message may be under way, counting every way back: what remembers it must remember it longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration

from .._checks import Problems, seconds
from .._delivery import LONGEST_RETENTION_SECONDS
from .._queues import visible_retention

if TYPE_CHECKING:
    from aws_cdk import aws_sqs as sqs

_SNS_TRIES_SECONDS = 23 * 86_400  # SNS's policy for queues: 100,015 tries
_QUEUE_SECONDS = 4 * 86_400  # of a branch of ours: what LoadLeveledQueue has by default

MOST_RETENTION_SECONDS = 10 * 365 * 86_400


def under_way(queue_retention: int) -> int:
    """Seconds: SNS's tries, its dead letter, the queue, the queue's dead letter."""
    return _SNS_TRIES_SECONDS + LONGEST_RETENTION_SECONDS + queue_retention + LONGEST_RETENTION_SECONDS


LEAST_RETENTION_SECONDS = under_way(_QUEUE_SECONDS)
CLAIMS_RETENTION = Duration.days(60)
RETENTION_FIX = (
    "a message may come back after 23 days of SNS's tries, 14 in the subscription's dead-letter queue, its queue's "
    "retention and 14 in that one's dead-letter queue: leave it out for 60 days"
)


def check_queue(problems: Problems, queue: sqs.IQueue, retention: Duration) -> None:
    """Refuse a branch whose queue may bring a message back when its fan-in is forgotten: a second one would begin."""
    kept, least = seconds(retention), under_way(visible_retention(queue) or LONGEST_RETENTION_SECONDS)
    if kept is not None and kept < least:
        fix = f"its queue keeps messages for long: pass FanIn(retention=...) of {-(-least // 86_400)} days or more"
        problems.add("fan_in", f"remember for {least:,} seconds or more", f"{kept:,} seconds", fix)
