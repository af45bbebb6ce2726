"""How long a message may be under way, counting every way back: what remembers it must remember it longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration

from .._checks import Problems, seconds
from .._delivery import LONGEST_RETENTION_SECONDS
from .._queues import visible_retention
from .._told import number_told

if TYPE_CHECKING:
    from aws_cdk import aws_sqs as sqs

    from ..load_leveled_queue import LoadLeveledQueue

_SNS_TRIES_SECONDS = 23 * 86_400  # SNS's policy for queues: 100,015 tries
_QUEUE_SECONDS = 4 * 86_400  # of a branch of ours: what LoadLeveledQueue has by default

MOST_RETENTION_SECONDS = 10 * 365 * 86_400


def under_way(queue_retention: int) -> int:
    """Seconds: SNS's tries, its dead letter, the queue, the queue's dead letter."""
    return _SNS_TRIES_SECONDS + LONGEST_RETENTION_SECONDS + queue_retention + LONGEST_RETENTION_SECONDS


LEAST_RETENTION_SECONDS = under_way(_QUEUE_SECONDS)
CLAIMS_RETENTION_SECONDS = 60 * 86_400
CLAIMS_RETENTION = Duration.seconds(CLAIMS_RETENTION_SECONDS)
HEAD_FIX = "a branch knows a message for 60 days: one that is published again when its end is forgotten completes twice"
RETENTION_WHY = (
    "a message may come back after 23 days of SNS's tries, 14 in the subscription's dead-letter queue, its queue's "
    "retention and 14 in that one's dead-letter queue"
)
RETENTION_FIX = f"{RETENTION_WHY}: leave it out for 60 days"


def check_claims(problems: Problems, queue: LoadLeveledQueue, retention: Duration) -> None:
    """Refuse a branch that forgets a message before its last way back, or remembers it longer than its fan-in."""
    claims = number_told(queue.consumer_function, "CLAIMS_RETENTION_SECONDS")
    least, kept = under_way(visible_retention(queue.queue) or LONGEST_RETENTION_SECONDS), seconds(retention)
    if claims is None:
        return
    if claims < least:
        fix = f"{RETENTION_WHY}: define it with claims_retention=Duration.days({max(60, -(-least // 86_400))})"
        problems.add("target claims_retention", f"be {least:,} seconds or more", f"{claims:,} seconds", fix)
    elif kept is not None and kept < claims:
        fix = "what is published again in between completes twice: pass FanIn(retention=...) of "
        fix += f"{-(-claims // 86_400)} days or more"
        problems.add("fan_in", f"remember as long as its branch, {claims:,} seconds", f"{kept:,} seconds", fix)


def check_queue(problems: Problems, queue: sqs.IQueue, retention: Duration) -> None:
    """Refuse a branch whose queue may bring a message back when its fan-in is forgotten: a second one would begin."""
    kept, least = seconds(retention), under_way(visible_retention(queue) or LONGEST_RETENTION_SECONDS)
    if kept is not None and kept < least:
        fix = f"its queue keeps messages for long: pass FanIn(retention=...) of {-(-least // 86_400)} days or more"
        problems.add("fan_in", f"remember for {least:,} seconds or more", f"{kept:,} seconds", fix)
