"""Lambda's SQS poller: batches, its cap, and its rule for partial batch responses."""

import base64
import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from .sqs_model import SQS, Queue, Received
from .virtual_time import Schedule


class Throttled(Exception):
    """Lambda had no concurrency left for the invocation."""


@dataclass(frozen=True)
class Answer:
    """What an invocation came to: its result, or the reason that it has none."""

    result: Any = None
    error: str | None = None


class Lambda(Protocol):
    def invoke(self, event: dict[str, Any], answered: Callable[[Answer], None]) -> None:
        """Raises Throttled."""
        ...


@dataclass(frozen=True, kw_only=True)
class Polling:
    batch_size: int
    max_concurrency: int
    window: float = 0.0
    report_batch_item_failures: bool = True
    lost_delete_chance: float = 0.0
    """That a message survives its deletion after a successful invocation."""


class EventSourceMapping:
    def __init__(
        self,
        schedule: Schedule,
        sqs: SQS,
        queue: Queue,
        function: Lambda,
        polling: Polling,
        chance: random.Random,
        mishap: Callable[[], bool] = lambda: True,
    ) -> None:
        self._schedule = schedule
        self._sqs = sqs
        self._queue = queue
        self._function = function
        self.polling = polling
        self._chance = chance
        self._mishap = mishap
        self._next_poll = float("inf")
        self.in_flight = 0
        self.peak = 0
        queue.watchers.append(self._look_again)

    def _look_again(self) -> None:
        times = self._sqs.next_visible_at(self._queue)
        if times is None:
            return
        time = max(times, self._schedule.now)
        if time < self._next_poll:
            self._next_poll = time
            self._schedule.at(time, self._poll)

    def _poll(self) -> None:
        if self._schedule.now < self._next_poll:
            return  # another poll, set for an earlier time, came first
        self._next_poll = float("inf")
        while self.in_flight < self.polling.max_concurrency:
            limit = self._chance.randint(1, self.polling.batch_size) if self._chance.random() < 0.3 else 0
            batch = self._sqs.receive(self._queue, limit or self.polling.batch_size)
            if not batch:
                break
            self.in_flight += 1
            self.peak = max(self.peak, self.in_flight)
            self._schedule.after(self._chance.uniform(0, self.polling.window), lambda batch=batch: self._invoke(batch))
        if self.in_flight < self.polling.max_concurrency:
            self._poll_when_something_becomes_visible()

    def _poll_when_something_becomes_visible(self) -> None:
        later = [m.visible_at for m in self._queue.messages if m.visible_at > self._schedule.now]
        if later and min(later) < self._next_poll:
            self._next_poll = min(later)
            self._schedule.at(self._next_poll, self._poll)

    def _invoke(self, batch: Sequence[Received]) -> None:
        event = {"Records": [record(self._queue, delivery) for delivery in batch]}
        try:
            self._function.invoke(event, lambda answer: self._answered(batch, answer))
        except Throttled:
            self._freed()  # the batch waits out its visibility timeout; its receives count

    def _answered(self, batch: Sequence[Received], answer: Answer) -> None:
        failed = failures(answer, [delivery.message.id for delivery in batch], self.polling)
        for delivery in batch:
            if delivery.message.id not in failed and not self._lose_delete():
                self._sqs.delete_message_batch(
                    QueueUrl=self._queue.url, Entries=[{"Id": "0", "ReceiptHandle": delivery.receipt}]
                )
        self._freed()

    def _lose_delete(self) -> bool:
        return self._chance.random() < self.polling.lost_delete_chance and self._mishap()

    def _freed(self) -> None:
        self.in_flight -= 1
        self._look_again()


def failures(answer: Answer, batch: Sequence[str], polling: Polling) -> set[str]:
    """The message ids that come back, by the rule Lambda documents: what cannot be understood fails the whole batch."""
    everything = set(batch)
    if answer.error is not None:
        return everything
    if not polling.report_batch_item_failures:
        return set()
    result = answer.result
    if result is None or result == {}:
        return set()
    if not isinstance(result, Mapping):
        return everything
    listed = result.get("batchItemFailures")
    if listed is None:
        return set()  # null or absent: complete success
    if not isinstance(listed, list):
        return everything
    failed = set()
    for entry in listed:
        identifier = entry.get("itemIdentifier") if isinstance(entry, Mapping) else None
        if not isinstance(identifier, str) or identifier not in everything:
            return everything
        failed.add(identifier)
    return failed


def record(queue: Queue, delivery: Received) -> dict[str, Any]:
    """One record of the event."""
    message = delivery.message
    return {
        "messageId": message.id,
        "receiptHandle": delivery.receipt,
        "body": message.body,
        "attributes": delivery.system_attributes(),
        "messageAttributes": {name: _event_attribute(value) for name, value in message.attributes.items()},
        "md5OfBody": hashlib.md5(message.body.encode(errors="surrogatepass")).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": queue.arn,
        "awsRegion": "eu-central-1",
    }


def _event_attribute(attribute: Mapping[str, Any]) -> dict[str, Any]:
    event: dict[str, Any] = {"dataType": attribute["DataType"], "stringListValues": [], "binaryListValues": []}
    if "BinaryValue" in attribute:
        event["binaryValue"] = base64.b64encode(attribute["BinaryValue"]).decode()
    else:
        event["stringValue"] = attribute["StringValue"]
    return event
