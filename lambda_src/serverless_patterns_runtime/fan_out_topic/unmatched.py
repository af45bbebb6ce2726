"""Messages that no subscriber gets: SNS drops them without a word, here they are counted and kept."""

from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any

from serverless_patterns_runtime.clients import unreachable
from serverless_patterns_runtime.error_fields import describe
from serverless_patterns_runtime.fan_out_topic.contract import MAX_ATTRIBUTES
from serverless_patterns_runtime.fan_out_topic.message import Message
from serverless_patterns_runtime.fan_out_topic.unmatched_edge import UnmatchedEdge
from serverless_patterns_runtime.load_leveled_queue.contract import CORRELATION_ID_ATTRIBUTE
from serverless_patterns_runtime.load_leveled_queue.message import Message as Received

__all__ = ["Unmatched"]

SHARE_OF_TIME = 0.5
"""Of an invocation: what is not begun in it comes back, so that a slow SQS costs no batch that was half kept."""


class Unmatched:
    """One invocation."""

    def __init__(self, edge: UnmatchedEdge, remaining: Callable[[], float]) -> None:
        self._edge = edge
        self._remaining = remaining
        self._end = remaining() * (1 - SHARE_OF_TIME)
        self._unmatched = 0
        self._stopped: set[str] = set()
        """FIFO: groups of which a message comes back; what follows it must not overtake it."""

    def consume(self, records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The partial batch response: everything that is not acknowledged, and nothing else."""
        comes_back = [str(record["messageId"]) for record in records if not self._is_done(record)]
        if self._unmatched:
            self._edge.counted(self._unmatched)
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in comes_back]}

    def _is_done(self, record: Mapping[str, Any]) -> bool:
        received = Received(record)
        ordered = str(record.get("eventSourceARN", "")).endswith(".fifo")
        with self._edge.logger.append_context_keys(message_id=received.id, correlation_id=received.correlation_id):
            done = not (ordered and received.group in self._stopped) and self._try(record, received)
        if not done and ordered and received.group is not None:
            self._stopped.add(received.group)
        return done

    def _try(self, record: Mapping[str, Any], received: Received) -> bool:
        if self._remaining() < self._end:
            return False
        try:
            message = Message.received(record)
            if any(filter.matches(message) for filter in self._edge.filters):
                return True
            self._keep(received)
        except Exception as error:  # whatever it is, the message comes back
            fields = describe(error, with_message=False) | {"outcome": "failed", "hint": unreachable(error)}
            self._edge.logger.error("the message comes back", extra=fields)
            return False
        self._unmatched += 1
        self._edge.logger.info("no subscriber's filter matches", extra={"outcome": "unmatched"})
        return True

    def _keep(self, received: Received) -> None:
        """Returns once SQS has stored it."""
        if not self._edge.queue_url:
            return
        request: dict[str, Any] = {
            "QueueUrl": self._edge.queue_url,
            "MessageBody": received.body,
            "MessageAttributes": _attributes(received),
        }
        if received.group is not None:
            request["MessageGroupId"] = received.group
        if self._edge.queue_url.endswith(".fifo"):
            # Never the original's: a second message with it, within five minutes, would count as kept and vanish.
            request["MessageDeduplicationId"] = sha256(received.delivery.encode()).hexdigest()
        if received.trace_header is not None:
            request["MessageSystemAttributes"] = {
                "AWSTraceHeader": {"DataType": "String", "StringValue": received.trace_header}
            }
        self._edge.sqs.send_message(**request)


def _attributes(received: Received) -> dict[str, dict[str, Any]]:
    """The message's own, and what correlates it when nobody has said so and there is room."""
    kept = {name: _for_sending(attribute) for name, attribute in received.attributes.items()}
    if CORRELATION_ID_ATTRIBUTE not in kept and len(kept) < MAX_ATTRIBUTES:
        kept[CORRELATION_ID_ATTRIBUTE] = {"DataType": "String", "StringValue": received.correlation_id}
    return kept


def _for_sending(attribute: Mapping[str, Any]) -> dict[str, Any]:
    """The event writes `stringValue` where SendMessage takes `StringValue`, and base64 where it takes bytes."""
    data_type = attribute["dataType"]
    if data_type.startswith("Binary"):
        return {"DataType": data_type, "BinaryValue": b64decode(attribute["binaryValue"])}
    return {"DataType": data_type, "StringValue": attribute["stringValue"]}
