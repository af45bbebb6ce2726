"""A model of SQS for the redrive: a queue and its dead-letter queue, strict where SQS is, that can die at any call."""

import base64
import itertools
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from botocore.exceptions import ClientError

from serverless_patterns.cli._clock import Clock
from serverless_patterns.cli._queues import Queues
from serverless_patterns.cli._route import Route

DAY = 86_400
NOON = 1_800_000_000.0
MOST_CALLS = 2_000


class Killed(BaseException):
    """The process ends here; what SQS has done, it has done."""


@dataclass
class Stored:
    id: str
    body: str
    attributes: dict[str, Any]
    system: dict[str, str]
    sent_at: float
    visible_at: float
    receipt: str = ""
    receives: int = 0

    @property
    def group(self) -> str | None:
        return self.system.get("MessageGroupId")


@dataclass
class ModelQueue:
    name: str
    fifo: bool = False
    extra: dict[str, str] = field(default_factory=dict)
    messages: list[Stored] = field(default_factory=list)
    deduplicated: dict[str, tuple[float, str]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"https://sqs.eu-west-1.amazonaws.com/111122223333/{self.name}"

    @property
    def arn(self) -> str:
        return f"arn:aws:sqs:eu-west-1:111122223333:{self.name}"


class TwoQueues:
    """Stands where the boto3 client stands. `calls` counts them; `on_call` may raise, before and after each."""

    meta = SimpleNamespace(region_name="eu-west-1")

    def __init__(self, *, fifo: bool = False, seed: int = 0, max_receive_count: int = 5) -> None:
        suffix = ".fifo" if fifo else ""
        self.dead = ModelQueue(f"orders-dead{suffix}", fifo, {"MessageRetentionPeriod": str(14 * DAY)})
        self.queue = ModelQueue(f"orders{suffix}", fifo)
        policy = {"deadLetterTargetArn": self.dead.arn, "maxReceiveCount": max_receive_count}
        self.queue.extra["RedrivePolicy"] = json.dumps(policy)
        allow = {"redrivePermission": "byQueue", "sourceQueueArns": [self.queue.arn]}
        self.dead.extra["RedriveAllowPolicy"] = json.dumps(allow)
        self.queues = [self.queue, self.dead]
        self.now = NOON
        self.calls: list[str] = []
        self.on_call: Callable[[int, str, str], None] = lambda number, name, when: None  # noqa: ARG005
        self.refuse: Callable[[str, Mapping[str, Any]], dict[str, Any] | None] = lambda name, entry: None  # noqa: ARG005
        self._chance = random.Random(seed)
        self._numbers = itertools.count(1)

    # What tests do with it.

    @property
    def client(self) -> Any:
        return cast("Any", self)

    def clock(self) -> Clock:
        return Clock(now=lambda: self.now, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def route(self, named: str = "", to: str | None = None) -> Route:
        return Queues(self.client, lambda: self.client).route(named or self.queue.name, to)

    def put(self, queue: ModelQueue, body: str, attributes: Mapping[str, Any] | None = None, **system: str) -> Stored:
        number = next(self._numbers)
        id_ = f"{number:08x}-0000-4000-8000-{self._chance.getrandbits(48):012x}"
        message = Stored(id_, body, dict(attributes or {}), dict(system), self.now, self.now)
        queue.messages.append(message)
        return message

    def put_dead(self, body: str, reason: str | None, error_type: str = "PermanentError", **more: Any) -> Stored:
        """By the runtime when there is a reason, else by SQS."""
        attributes, system = dict(more.pop("attributes", {})), dict(more.pop("system", {}))
        if reason is None:
            return self.put(self.dead, body, attributes, DeadLetterQueueSourceArn=self.queue.arn, **system)
        verdict = {"reason": reason, "error_type": error_type, "receive_count": 1, "correlation_id": f"c-{body}"} | more
        attributes["dead-letter"] = {"DataType": "String", "StringValue": json.dumps(verdict)}
        return self.put(self.dead, body, attributes, **system)

    def bodies(self, queue: ModelQueue) -> list[str]:
        return [message.body for message in queue.messages]

    def hidden(self, queue: ModelQueue) -> list[str]:
        return [message.body for message in queue.messages if message.visible_at > self.now]

    # What the product calls.

    def get_queue_url(self, *, QueueName: str, QueueOwnerAWSAccountId: str = "") -> dict[str, Any]:  # noqa: ARG002
        return {"QueueUrl": self._find(lambda queue: queue.name == QueueName).url}

    def list_queues(self, *, MaxResults: int) -> dict[str, Any]:  # noqa: ARG002
        return {"QueueUrls": [queue.url for queue in self.queues]}

    def list_dead_letter_source_queues(self, *, QueueUrl: str) -> dict[str, Any]:
        arn = self._by_url(QueueUrl).arn
        return {"queueUrls": [queue.url for queue in self.queues if f'"{arn}"' in queue.extra.get("RedrivePolicy", "")]}

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:
        if StackName != "Shop":
            raise _error("ValidationError", f"Stack with id {StackName} does not exist", "DescribeStacks")
        values = {"QueueUrl": self.queue.url, "DeadLetterQueueArn": self.dead.arn, "Api": "https.example.test"}
        return {"Stacks": [{"Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in values.items()]}]}

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: Sequence[str]) -> dict[str, Any]:
        assert AttributeNames == ["All"]
        queue = self._by_url(QueueUrl)
        hidden = len(self.hidden(queue))
        counts = {"ApproximateNumberOfMessages": len(queue.messages) - hidden}
        counts |= {"ApproximateNumberOfMessagesNotVisible": hidden, "ApproximateNumberOfMessagesDelayed": 0}
        attributes = {"QueueArn": queue.arn, "MaximumMessageSize": "1048576", **queue.extra}
        attributes |= {name: str(count) for name, count in counts.items()} | (
            {"FifoQueue": "true"} if queue.fifo else {}
        )
        return {"Attributes": attributes}

    def receive_message(self, **request: Any) -> dict[str, Any]:
        return self._call("receive_message", lambda: self._receive(**request))

    def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        total = sum(_bytes(entry) for entry in Entries)
        assert total <= 1_048_576, "BatchRequestTooLong"
        return self._batch("send_message_batch", QueueUrl, Entries, self._send)

    def send_message(self, *, QueueUrl: str, **entry: Any) -> dict[str, Any]:
        return self._call("send_message", lambda: self._send(self._by_url(QueueUrl), entry))

    def delete_message_batch(self, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return self._batch("delete_message_batch", QueueUrl, Entries, self._delete)

    def change_message_visibility_batch(self, *, QueueUrl: str, Entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return self._batch("change_message_visibility_batch", QueueUrl, Entries, self._change_visibility)

    # How SQS does it.

    def _call(self, name: str, effect: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        self.calls.append(name)
        number = len(self.calls)
        assert number < MOST_CALLS, "the run goes round"
        self.now += 0.01
        self.on_call(number, name, "before")
        answer = effect()
        self.on_call(number, name, "after")
        return answer

    def _batch(
        self,
        name: str,
        url: str,
        entries: Sequence[Mapping[str, Any]],
        effect: Callable[[ModelQueue, Mapping[str, Any]], dict[str, Any]],
    ) -> dict[str, Any]:
        assert 1 <= len(entries) <= 10
        assert len({entry["Id"] for entry in entries}) == len(entries)

        def each() -> dict[str, Any]:
            answer: dict[str, list[dict[str, Any]]] = {"Successful": [], "Failed": []}
            for entry in entries:
                if (refusal := self.refuse(name, entry)) is not None:
                    answer["Failed"].append({"Id": entry["Id"], **refusal})
                    continue
                try:
                    answer["Successful"].append({"Id": entry["Id"], **effect(self._by_url(url), entry)})
                except ClientError as error:
                    details = cast("Any", error.response)["Error"]
                    answer["Failed"].append({"Id": entry["Id"], "SenderFault": True, **details})
            return answer

        return self._call(name, each)

    def _receive(self, *, QueueUrl: str, MaxNumberOfMessages: int, **request: Any) -> dict[str, Any]:
        assert request["MessageSystemAttributeNames"] == request["MessageAttributeNames"] == ["All"]
        assert 1 <= MaxNumberOfMessages <= 10
        assert 0 < request["VisibilityTimeout"] <= 43_200
        queue = self._by_url(QueueUrl)
        chosen = self._visible(queue)[:MaxNumberOfMessages]
        if not chosen:
            self.now += request["WaitTimeSeconds"]
        for message in chosen:
            message.receives += 1
            message.receipt = f"{message.id}#{message.receives}"
            message.visible_at = self.now + request["VisibilityTimeout"]
        return {"Messages": [_received(message) for message in chosen]} if chosen else {}

    def _visible(self, queue: ModelQueue) -> list[Stored]:
        visible = [message for message in queue.messages if message.visible_at <= self.now]
        if not queue.fifo:
            self._chance.shuffle(visible)
            return visible
        blocked = {message.group for message in queue.messages if message.visible_at > self.now}
        free = [message for message in visible if message.group not in blocked]
        groups = list(dict.fromkeys(message.group for message in free))
        return sorted(free, key=lambda message: groups.index(message.group))  # as many of one group as there are

    def _send(self, queue: ModelQueue, entry: Mapping[str, Any]) -> dict[str, Any]:
        attributes = entry.get("MessageAttributes", {})
        assert len(attributes) <= 10
        assert all(set(value) <= {"DataType", "StringValue", "BinaryValue"} for value in attributes.values())
        if _bytes(entry) > int(queue.extra.get("MaximumMessageSize", 1_048_576)):
            raise _error("InvalidParameterValue", "One or more parameters are invalid.", "SendMessageBatch")
        assert ("MessageDeduplicationId" in entry) == queue.fifo
        assert not queue.fifo or "MessageGroupId" in entry
        system = {"MessageGroupId": entry["MessageGroupId"]} if "MessageGroupId" in entry else {}
        for name, value in entry.get("MessageSystemAttributes", {}).items():
            system[name] = value["StringValue"]
        if queue.fifo:
            deduplication_id = entry["MessageDeduplicationId"]
            known = queue.deduplicated.get(deduplication_id)
            if known is not None and self.now - known[0] < 300:
                return {"MessageId": known[1]}
            stored = self.put(queue, entry["MessageBody"], attributes, **system)
            queue.deduplicated[deduplication_id] = (self.now, stored.id)
            return {"MessageId": stored.id}
        return {"MessageId": self.put(queue, entry["MessageBody"], attributes, **system).id}

    def _delete(self, queue: ModelQueue, entry: Mapping[str, Any]) -> dict[str, Any]:
        message = self._held(queue, entry["ReceiptHandle"])
        if message is not None:
            queue.messages.remove(message)
        return {}

    def _change_visibility(self, queue: ModelQueue, entry: Mapping[str, Any]) -> dict[str, Any]:
        message = self._held(queue, entry["ReceiptHandle"])
        if message is None or message.visible_at <= self.now:
            raise _error("MessageNotInflight", "Not in flight.", "ChangeMessageVisibilityBatch")
        message.visible_at = self.now + entry["VisibilityTimeout"]
        return {}

    def _held(self, queue: ModelQueue, receipt: str) -> Stored | None:
        """None: an old receipt handle. A standard queue accepts it and does nothing."""
        found = next((message for message in queue.messages if message.receipt == receipt), None)
        if queue.fifo and (found is None or found.visible_at <= self.now):
            raise _error("ReceiptHandleIsInvalid", "The receipt handle has expired.", "DeleteMessageBatch")
        return found

    def _by_url(self, url: str) -> ModelQueue:
        return self._find(lambda queue: queue.url == url)

    def _find(self, is_it: Callable[[ModelQueue], bool]) -> ModelQueue:
        for queue in self.queues:
            if is_it(queue):
                return queue
        raise _error("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.", "GetQueueUrl")


def original(message: Stored) -> dict[str, Any]:
    """Attributes of a message that came back, as its first sender gave them."""
    attributes = dict(message.attributes)
    displaced = json.loads(attributes.pop("redrive")["StringValue"]).get("displaced", {})
    for value in displaced.values():
        if "BinaryValue" in value:
            value["BinaryValue"] = base64.b64decode(value["BinaryValue"])
    return attributes | displaced


def redrive_of(message: Stored) -> dict[str, Any]:
    return json.loads(message.attributes["redrive"]["StringValue"])


def throttled(name: str) -> ClientError:
    return _error("RequestThrottled", "Rate exceeded", name)


def _error(code: str, message: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def _received(message: Stored) -> dict[str, Any]:
    system = message.system | {
        "SentTimestamp": str(int(message.sent_at * 1000)),
        "ApproximateReceiveCount": str(message.receives),
    }
    return {
        "MessageId": message.id,
        "ReceiptHandle": message.receipt,
        "Body": message.body,
        "Attributes": system,
        "MessageAttributes": message.attributes,
    }


def _bytes(entry: Mapping[str, Any]) -> int:
    attributes = entry.get("MessageAttributes", {})
    values = (value.get("BinaryValue") or value["StringValue"].encode() for value in attributes.values())
    names = sum(len(name.encode()) + len(value["DataType"]) for name, value in attributes.items())
    return len(entry["MessageBody"].encode()) + names + sum(map(len, values))
