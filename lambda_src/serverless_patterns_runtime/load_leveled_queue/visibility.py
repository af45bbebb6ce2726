"""When a message that was not acknowledged may be seen again: backoff without anybody sleeping.

Full jitter: Brooker, Exponential Backoff And Jitter (2015).
"""

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError

from serverless_patterns_runtime.claims.leases import CLOCK_SKEW_SECONDS
from serverless_patterns_runtime.errors import CircuitOpen
from serverless_patterns_runtime.load_leveled_queue.message import Message

__all__ = ["Backoff", "Visibility"]

BATCH = 10
"""Entries that SQS takes in one request."""

MAX_SECONDS = 43_200 - 900
"""SQS's limit on a visibility timeout counts from the receive, which may be an invocation's 15 minutes ago."""

SHORTEST_RETRY_SECONDS = 1

LEASE_JITTER_SECONDS = 5
"""Spreads the duplicates that wait for the same lease."""

SHARE_OF_OUTAGE = 0.5
"""What a message waits that an open breaker refuses: the longer the outage, the longer, and the fewer receives."""

OPEN_JITTER_SECONDS = 5
OPEN_JITTER_SHARE = 0.1
"""Spreads the messages that wait for the same breaker: whichever is longer."""


class Backoff(NamedTuple):
    base_seconds: int
    max_seconds: int
    random: random.Random

    def after_failure(self, attempts: int) -> int:
        """Seconds until the next try: anywhere up to a ceiling that doubles with every attempt."""
        # The shift is bounded so that hundreds of attempts do not make a number of hundreds of digits.
        ceiling = min(self.base_seconds << min(attempts - 1, 32), self.max_seconds, MAX_SECONDS)
        return max(SHORTEST_RETRY_SECONDS, round(self.random.uniform(0, ceiling)))

    def after_lease(self, until: int, now: float) -> int:
        """Seconds until the lease that is in the way has ended: one receive, not one a backoff."""
        jitter = self.random.randint(1, LEASE_JITTER_SECONDS)
        return min(max(0, until - int(now)) + CLOCK_SKEW_SECONDS + jitter, MAX_SECONDS)

    def while_open(self, refusal: CircuitOpen, now: float) -> int:
        """Seconds until an open breaker is asked again, never before it may let a call through."""
        # Not at the top: a consumer without a breaker gets by without it.
        from serverless_patterns_runtime.circuit_breaker.contract import LONGEST_REFUSAL_SECONDS

        outage = min((now - refusal.opened_at) * SHARE_OF_OUTAGE, LONGEST_REFUSAL_SECONDS)
        least = max(refusal.retry_at - now, outage, SHORTEST_RETRY_SECONDS)
        jitter = self.random.uniform(0, max(OPEN_JITTER_SECONDS, least * OPEN_JITTER_SHARE))
        return min(math.ceil(least + jitter), MAX_SECONDS)


class Visibility(NamedTuple):
    sqs: Any
    queue_url: str

    def change(self, delays: Sequence[tuple[Message, int]]) -> Mapping[str, Exception]:
        """Set each message's delay in seconds. What went wrong, by message id: that one waits out its timeout."""
        failures: dict[str, Exception] = {}
        for start in range(0, len(delays), BATCH):
            failures |= self._change_batch(delays[start : start + BATCH])
        return failures

    def _change_batch(self, delays: Sequence[tuple[Message, int]]) -> dict[str, Exception]:
        entries = [
            {"Id": str(at), "ReceiptHandle": message.receipt_handle, "VisibilityTimeout": delay}
            for at, (message, delay) in enumerate(delays)
        ]
        try:
            response = self.sqs.change_message_visibility_batch(QueueUrl=self.queue_url, Entries=entries)
        except (BotoCoreError, ClientError) as error:
            return {message.id: error for message, _ in delays}
        return {
            delays[int(failed["Id"])][0].id: ClientError({"Error": failed}, "ChangeMessageVisibilityBatch")
            for failed in response.get("Failed", [])
        }
