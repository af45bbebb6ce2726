"""SQS queues in memory: visibility, receive counts, redrive, duplicates, FIFO groups, stale receipt handles.

After AWS's documentation. Where a standard queue is free to do several things, chance decides.
"""

import hashlib
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .aws_errors import ServiceError

LONGEST_VISIBILITY_SECONDS = 43_200
MAX_BATCH = 10
MAX_MESSAGE_BYTES = 1_048_576
MAX_ATTRIBUTES = 10
DEDUPLICATION_SECONDS = 300


@dataclass(eq=False)
class StoredMessage:
    id: str
    body: str
    attributes: Mapping[str, Mapping[str, Any]]
    """Message attributes as SendMessage takes them."""
    sent_at: float
    sequence: int
    group: str | None = None
    deduplication_id: str | None = None
    trace_header: str | None = None
    source_arn: str | None = None
    """Set by SQS's own redrive: the queue that it was taken from."""
    visible_at: float = 0.0
    receive_count: int = 0
    first_received_at: float = 0.0
    received_at: float = 0.0
    receipt: str = ""
    deleted: bool = False


@dataclass(frozen=True)
class Received:
    """One delivery: the message as it was then."""

    message: StoredMessage
    receipt: str
    receive_count: int
    first_received_at: float

    def system_attributes(self) -> dict[str, str]:
        message = self.message
        attributes = {
            "ApproximateReceiveCount": str(self.receive_count),
            "SentTimestamp": str(int(message.sent_at * 1000)),
            "SenderId": "AIDAEXAMPLE",
            "ApproximateFirstReceiveTimestamp": str(int(self.first_received_at * 1000)),
        }
        if message.group is not None:
            attributes["MessageGroupId"] = message.group
        if message.deduplication_id is not None:
            attributes["MessageDeduplicationId"] = message.deduplication_id
            attributes["SequenceNumber"] = f"{message.sequence:020d}"
        if message.source_arn is not None:
            attributes["DeadLetterQueueSourceArn"] = message.source_arn
        if message.trace_header is not None:
            attributes["AWSTraceHeader"] = message.trace_header
        return attributes


@dataclass(eq=False)
class Queue:
    url: str
    visibility_timeout: float
    content_based_deduplication: bool = False
    max_receive_count: int | None = None
    dead_letter_queue: "Queue | None" = None
    retention: float = float("inf")
    """Seconds until a message is gone, whoever had wanted it."""
    duplicate_chance: float = 0.0
    """That a standard queue's receive leaves the message visible for a moment: another poller gets it as well."""
    mishap: Callable[[], bool] = lambda: True
    """Whether chance may have its way once more."""
    messages: list[StoredMessage] = field(default_factory=list)
    deduplicated: dict[str, tuple[float, str]] = field(default_factory=dict)
    watchers: list[Callable[[], None]] = field(default_factory=list)
    """Called when something may have become receivable."""

    @property
    def name(self) -> str:
        return self.url.rsplit("/", 1)[-1]

    @property
    def arn(self) -> str:
        return f"arn:aws:sqs:eu-central-1:123456789012:{self.name}"

    @property
    def fifo(self) -> bool:
        return self.url.endswith(".fifo")

    def changed(self) -> None:
        for watcher in self.watchers:
            watcher()


class SQS:
    """The service; operations carry the names of the client's methods."""

    def __init__(self, queues: Sequence[Queue], clock: Callable[[], float], chance: random.Random) -> None:
        self.queues = {queue.url: queue for queue in queues}
        self._clock = clock
        self._chance = chance
        self._sent = 0

    # Operations.

    def send_message(
        self,
        *,
        QueueUrl: str,
        MessageBody: str,
        MessageAttributes: Mapping[str, Any] | None = None,
        MessageGroupId: str | None = None,
        MessageDeduplicationId: str | None = None,
        MessageSystemAttributes: Mapping[str, Any] | None = None,
        DelaySeconds: int = 0,
    ) -> dict[str, Any]:
        queue = self._queue(QueueUrl)
        attributes = dict(MessageAttributes or {})
        _check_message(MessageBody, attributes)
        now = self._clock()
        self._sent += 1
        message = StoredMessage(
            id=f"{queue.name}-{self._sent}",
            body=MessageBody,
            attributes=attributes,
            sent_at=now,
            sequence=self._sent,
            visible_at=now + DelaySeconds,
            trace_header=(MessageSystemAttributes or {}).get("AWSTraceHeader", {}).get("StringValue"),
        )
        if queue.fifo:
            known = _fifo_fields(queue, message, MessageGroupId, MessageDeduplicationId, now)
            if known is not None:
                return {"MessageId": known}
        elif MessageDeduplicationId is not None:
            raise ServiceError("InvalidParameterValue", "The request contains a parameter that is for FIFO queues")
        else:
            message.group = MessageGroupId  # a fair queue
        queue.messages.append(message)
        queue.changed()
        return {"MessageId": message.id, "MD5OfMessageBody": hashlib.md5(MessageBody.encode()).hexdigest()}

    def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return self._each(QueueUrl, Entries, "MessageBody", self.send_message)

    def receive_message(
        self, *, QueueUrl: str, MaxNumberOfMessages: int = 1, VisibilityTimeout: int | None = None, **_: Any
    ) -> dict[str, Any]:
        """All attributes are given, whichever are asked for; there is no waiting."""
        received = self.receive(self._queue(QueueUrl), MaxNumberOfMessages, VisibilityTimeout)
        if not received:
            return {}
        return {"Messages": [_for_sdk(delivery) for delivery in received]}

    def delete_message(self, *, QueueUrl: str, ReceiptHandle: str) -> dict[str, Any]:
        self._delete(self._queue(QueueUrl), ReceiptHandle)
        return {}

    def delete_message_batch(self, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return self._each(QueueUrl, Entries, "ReceiptHandle", self.delete_message)

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> dict[str, Any]:
        self._change_visibility(self._queue(QueueUrl), ReceiptHandle, VisibilityTimeout)
        return {}

    def change_message_visibility_batch(self, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return self._each(QueueUrl, Entries, "ReceiptHandle", self.change_message_visibility)

    def get_queue_url(self, *, QueueName: str, **_: Any) -> dict[str, Any]:
        found = next((url for url, queue in self.queues.items() if queue.name == QueueName), "")
        return {"QueueUrl": self._queue(found).url}

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: Sequence[str] = ()) -> dict[str, Any]:  # noqa: ARG002
        queue = self._queue(QueueUrl)
        now = self._clock()
        hidden = sum(message.visible_at > now for message in queue.messages)
        attributes = {
            "QueueArn": queue.arn,
            "VisibilityTimeout": str(int(queue.visibility_timeout)),
            "ApproximateNumberOfMessages": str(len(queue.messages) - hidden),
            "ApproximateNumberOfMessagesNotVisible": str(hidden),
            "ApproximateNumberOfMessagesDelayed": "0",
        }
        if queue.fifo:
            attributes["FifoQueue"] = "true"
        if queue.dead_letter_queue is not None:
            attributes["RedrivePolicy"] = json.dumps(
                {"deadLetterTargetArn": queue.dead_letter_queue.arn, "maxReceiveCount": queue.max_receive_count}
            )
        sources = [each.arn for each in self.queues.values() if each.dead_letter_queue is queue]
        if sources:
            policy = {"redrivePermission": "byQueue", "sourceQueueArns": sources}
            attributes["RedriveAllowPolicy"] = json.dumps(policy)
        return {"Attributes": attributes}

    # What the event source mapping and the operations share.

    def receive(self, queue: Queue, limit: int, visibility: float | None = None) -> list[Received]:
        """Up to `limit` messages that may be seen now; those received too often go to the dead-letter queue instead."""
        now = self._clock()
        queue.messages = [message for message in queue.messages if now < message.sent_at + queue.retention]
        received: list[Received] = []
        for message in self._candidates(queue, now):
            if len(received) == limit:
                break
            if self._redriven(queue, message):
                continue
            message.receive_count += 1
            message.first_received_at = message.first_received_at or now
            message.received_at = now
            message.receipt = f"{message.id}#{message.receive_count}"
            message.visible_at = now + (queue.visibility_timeout if visibility is None else visibility)
            if not queue.fifo and self._chance.random() < queue.duplicate_chance and queue.mishap():
                message.visible_at = now + self._chance.uniform(0, 2)
            received.append(Received(message, message.receipt, message.receive_count, message.first_received_at))
        return received

    def next_visible_at(self, queue: Queue) -> float | None:
        """When the next message may become receivable; None: never, as things are."""
        times = [message.visible_at for message in queue.messages]
        return min(times) if times else None

    def _candidates(self, queue: Queue, now: float) -> list[StoredMessage]:
        if not queue.fifo:
            visible = [message for message in queue.messages if message.visible_at <= now]
            self._chance.shuffle(visible)
            return visible
        # A group with a message in flight is locked; otherwise its messages come in order.
        locked = {message.group for message in queue.messages if message.visible_at > now}
        free = [message for message in queue.messages if message.group not in locked]
        groups = sorted({message.group or "" for message in free})
        self._chance.shuffle(groups)
        return sorted(free, key=lambda message: (groups.index(message.group or ""), message.sequence))

    def _redriven(self, queue: Queue, message: StoredMessage) -> bool:
        target = queue.dead_letter_queue
        if target is None or queue.max_receive_count is None or message.receive_count < queue.max_receive_count:
            return False
        queue.messages.remove(message)
        message.visible_at = self._clock()
        message.source_arn = queue.arn
        if queue.fifo:
            message.sent_at = self._clock()  # a standard queue keeps the original time
        target.messages.append(message)
        target.changed()
        queue.changed()
        return True

    def _delete(self, queue: Queue, receipt: str) -> None:
        message = self._by_receipt(queue, receipt)
        if message is None:
            return  # deleting twice succeeds
        if queue.fifo and (message.receipt != receipt or message.visible_at <= self._clock()):
            raise ServiceError("InvalidParameterValue", "The receipt handle has expired")
        if message.receipt != receipt and self._chance.random() < 0.5:
            return  # "succeeds", and the message stays
        queue.messages.remove(message)
        message.deleted = True
        queue.changed()

    def _change_visibility(self, queue: Queue, receipt: str, seconds: int) -> None:
        if not 0 <= seconds <= LONGEST_VISIBILITY_SECONDS:
            raise ServiceError("InvalidParameterValue", f"Value {seconds} for parameter VisibilityTimeout is invalid")
        message = self._by_receipt(queue, receipt)
        now = self._clock()
        if message is None or (message.receipt != receipt and (queue.fifo or self._chance.random() < 0.5)):
            raise ServiceError("InvalidParameterValue", "The message does not exist or is not available")
        if message.visible_at <= now:
            raise ServiceError("MessageNotInflight", "The message is not in flight")
        if now + seconds > message.received_at + LONGEST_VISIBILITY_SECONDS:
            raise ServiceError("InvalidParameterValue", "Total VisibilityTimeout is beyond the limit [43200 seconds]")
        message.visible_at = now + seconds
        queue.changed()

    def _by_receipt(self, queue: Queue, receipt: str) -> StoredMessage | None:
        identifier, _, number = receipt.rpartition("#")
        if not identifier or not number.isdigit():
            raise ServiceError("ReceiptHandleIsInvalid", "The receipt handle is not valid")
        return next((message for message in queue.messages if message.id == identifier), None)

    def _each(
        self, url: str, entries: Sequence[Mapping[str, Any]], needed: str, one: Callable[..., dict[str, Any]]
    ) -> dict[str, Any]:
        identifiers = [entry["Id"] for entry in entries]
        if not entries:
            raise ServiceError("AWS.SimpleQueueService.EmptyBatchRequest", "There should be at least one entry")
        if len(entries) > MAX_BATCH:
            raise ServiceError("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "Maximum number is 10")
        if len(set(identifiers)) != len(identifiers):
            raise ServiceError("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "Ids must be distinct")
        successful, failed = [], []
        for entry in entries:
            arguments = {name: value for name, value in entry.items() if name != "Id"}
            assert needed in arguments
            try:
                successful.append({"Id": entry["Id"], **one(QueueUrl=url, **arguments)})
            except ServiceError as error:
                failed.append(
                    {"Id": entry["Id"], "Code": error.code, "Message": error.message, "SenderFault": error.status < 500}
                )
        answer: dict[str, Any] = {"Successful": successful}
        if failed:
            answer["Failed"] = failed
        return answer

    def _queue(self, url: str) -> Queue:
        if url not in self.queues:
            raise ServiceError("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist")
        return self.queues[url]


def _fifo_fields(
    queue: Queue, message: StoredMessage, group: str | None, deduplication_id: str | None, now: float
) -> str | None:
    """Sets them; the id of the message that this one repeats, if it does."""
    if group is None:
        raise ServiceError("MissingParameter", "The request must contain the parameter MessageGroupId")
    if deduplication_id is None and queue.content_based_deduplication:
        deduplication_id = hashlib.sha256(message.body.encode()).hexdigest()
    if deduplication_id is None:
        raise ServiceError("InvalidParameterValue", "The queue needs a MessageDeduplicationId")
    message.group, message.deduplication_id = group, deduplication_id
    until, known = queue.deduplicated.get(deduplication_id, (0.0, ""))
    if until > now:
        return known
    queue.deduplicated[deduplication_id] = (now + DEDUPLICATION_SECONDS, message.id)
    return None


def _check_message(body: str, attributes: Mapping[str, Mapping[str, Any]]) -> None:
    if not body:
        raise ServiceError("MissingParameter", "The request must contain the parameter MessageBody")
    if len(attributes) > MAX_ATTRIBUTES:
        raise ServiceError("InvalidParameterValue", f"Number of message attributes [{len(attributes)}] exceeds 10")
    size = len(body.encode())
    for name, attribute in attributes.items():
        kind = attribute["DataType"]
        if kind.startswith("Binary") != ("BinaryValue" in attribute):
            raise ServiceError("InvalidParameterValue", f"Attribute {name} has a value of another type")
        value = attribute.get("BinaryValue", attribute.get("StringValue", ""))
        content = value if isinstance(value, bytes) else value.encode()
        if not content:
            raise ServiceError("InvalidParameterValue", f"Attribute {name} must contain non-empty message attributes")
        size += len(name.encode()) + len(kind) + len(content)
    if size > MAX_MESSAGE_BYTES:
        raise ServiceError("InvalidParameterValue", "One or more parameters are invalid: message too long")


def _for_sdk(delivery: Received) -> dict[str, Any]:
    message = {
        "MessageId": delivery.message.id,
        "ReceiptHandle": delivery.receipt,
        "Body": delivery.message.body,
        "Attributes": delivery.system_attributes(),
    }
    if delivery.message.attributes:
        message["MessageAttributes"] = dict(delivery.message.attributes)
    return message
