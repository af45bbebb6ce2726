"""Telling the queue of completions how a fan-in has ended. Twice is as good as once: its consumer claims the key."""

import json
from typing import Any, NamedTuple

from serverless_patterns_runtime.fan_in.contract import Announcement, Outcome
from serverless_patterns_runtime.fan_in.head import Head
from serverless_patterns_runtime.fan_in.heads import Heads
from serverless_patterns_runtime.load_leveled_queue.contract import CORRELATION_ID_ATTRIBUTE

__all__ = ["Announcements"]


class Announcements(NamedTuple):
    sqs: Any
    queue_url: str
    heads: Heads
    retention_seconds: int
    """Of a head, from then on."""

    def announce(self, head: Head, outcome: Outcome) -> bool:
        """Send, and only then note that it is sent. False: somebody else was faster with that.

        After an error it is unknown whether it is sent; doing it again settles it.
        """
        self.sqs.send_message(
            QueueUrl=self.queue_url,
            MessageBody=json.dumps(Announcement(key=head.key, outcome=outcome)),
            MessageAttributes={
                CORRELATION_ID_ATTRIBUTE: {"DataType": "String", "StringValue": head.correlation_id},
            },
        )
        return self.heads.finish(head.key, outcome, self.retention_seconds)
