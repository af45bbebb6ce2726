"""A deployed stack as a demo sees it from outside: its tables, queues and logs, all by AWS's own APIs."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from boto3.dynamodb.types import TypeDeserializer

from showing.timeline import Event

_READ_SECONDS = 60  # dead letters that are being read are hidden this long from being read twice
_TYPES = TypeDeserializer()


class Clients(Protocol):
    """Where to get boto3 clients: an embedded cloud, or boto3 itself."""

    def client(self, service: str) -> Any: ...


@dataclass(frozen=True)
class DeadLetter:
    """A message in a dead-letter queue, read without removing it."""

    message_id: str
    body: str
    reason: str
    error_type: str
    correlation_id: str
    """Of the first message: survives dead-lettering and redrive."""


class Deployed:
    def __init__(self, clients: Clients) -> None:
        self._sqs, self._dynamodb, self._logs, self._lambda = map(clients.client, ("sqs", "dynamodb", "logs", "lambda"))

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        """All items, as of now."""
        for page in self._dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True):
            for item in page["Items"]:
                yield {name: _TYPES.deserialize(value) for name, value in item.items()}

    def depths_of(self, queue_url: str) -> tuple[int, int]:
        """Messages that wait, and messages that were received and are not acknowledged, or wait for a retry."""
        names = [f"ApproximateNumberOfMessages{which}" for which in ("", "NotVisible", "Delayed")]
        found = self._sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)["Attributes"]
        waiting, received, delayed = (int(found.get(name, 0)) for name in names)
        return waiting, received + delayed

    def dead_letters_in(self, queue_url: str) -> list[DeadLetter]:
        """Each read once, then made visible again."""
        received: dict[str, Any] = {}
        while messages := self._receive(queue_url):
            received |= {message["MessageId"]: message for message in messages}
        for message in received.values():
            handle = message["ReceiptHandle"]
            self._sqs.change_message_visibility(QueueUrl=queue_url, ReceiptHandle=handle, VisibilityTimeout=0)
        return [_dead_letter(message) for message in received.values()]

    def log_group_of(self, function: str) -> str:
        return self._lambda.get_function_configuration(FunctionName=function)["LoggingConfig"]["LogGroup"]

    def log_of(self, function: str) -> list[Event]:
        """All that the function and the platform around it logged."""
        pages = self._logs.get_paginator("filter_log_events").paginate(logGroupName=self.log_group_of(function))
        return [
            Event(event["timestamp"] / 1000, event["logStreamName"], event["message"])
            for page in pages
            for event in page["events"]
        ]

    def take_in(self, function: str, taken: bool) -> None:
        """Whether the function gets messages from its queue."""
        (intake,) = self._lambda.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
        self._lambda.update_event_source_mapping(UUID=intake["UUID"], Enabled=taken)

    def invoke(self, function: str) -> None:
        """As a schedule would, to which it makes no difference that a function fails: it comes again."""
        self._lambda.invoke(FunctionName=function, Payload=b"{}")

    def _receive(self, queue_url: str) -> list[dict[str, Any]]:
        return self._sqs.receive_message(
            QueueUrl=queue_url,
            MaxNumberOfMessages=10,
            VisibilityTimeout=_READ_SECONDS,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["SentTimestamp"],
        ).get("Messages", [])


def _dead_letter(message: Mapping[str, Any]) -> DeadLetter:
    """SQS's own dead letters, after too many receives, have no attribute that says why."""
    attribute = message.get("MessageAttributes", {}).get("dead-letter", {}).get("StringValue", "{}")
    why = json.loads(attribute)
    return DeadLetter(
        message_id=message["MessageId"],
        body=message["Body"],
        reason=why.get("reason", ""),
        error_type=why.get("error_type", ""),
        correlation_id=why.get("correlation_id", message["MessageId"]),
    )
