"""A dead-letter queue, and the queue that its messages came from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from serverless_patterns_runtime.load_leveled_queue.contract import MAX_MESSAGE_BYTES

if TYPE_CHECKING:
    from types_boto3_sqs.literals import QueueAttributeNameType

__all__ = ["Queue", "Route"]


@dataclass(frozen=True)
class Queue:
    url: str
    attributes: Mapping[QueueAttributeNameType, str]
    """As GetQueueAttributes gives them."""

    @property
    def arn(self) -> str:
        return self.attributes["QueueArn"]

    @property
    def name(self) -> str:
        return self.arn.rsplit(":", 1)[-1]

    @property
    def fifo(self) -> bool:
        return self.attributes.get("FifoQueue") == "true"

    @property
    def max_message_bytes(self) -> int:
        return int(self.attributes.get("MaximumMessageSize", MAX_MESSAGE_BYTES))

    @property
    def retention(self) -> float | None:
        """Seconds until SQS deletes a message, counted from its sending."""
        seconds = self.attributes.get("MessageRetentionPeriod")
        return None if seconds is None else float(seconds)

    @property
    def redrive_policy(self) -> dict[str, Any]:
        return json.loads(self.attributes.get("RedrivePolicy") or "{}")

    @property
    def allowed_sources(self) -> list[str]:
        """ARNs of the queues that may use this one as their dead-letter queue, if it says so."""
        return json.loads(self.attributes.get("RedriveAllowPolicy") or "{}").get("sourceQueueArns", [])


@dataclass(frozen=True)
class Route:
    dead_letters: Queue
    queue: Queue | None
    """Where its messages came from and return to; None if nothing tells."""
    chosen: bool = False
    """The user named `queue` as the target of messages whatever they came from."""

    @property
    def max_receive_count(self) -> int | None:
        policy = self.queue.redrive_policy if self.queue else {}
        if policy.get("deadLetterTargetArn") != self.dead_letters.arn:
            return None
        return int(policy["maxReceiveCount"])
