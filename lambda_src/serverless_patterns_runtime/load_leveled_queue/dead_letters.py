"""Dead letters: the message as it came, and one attribute that says why."""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.load_leveled_queue import contract
from serverless_patterns_runtime.load_leveled_queue.message import Message

__all__ = ["DeadLetters", "original_attributes"]

Attributes = dict[str, dict[str, Any]]
"""Message attributes in the shape that SendMessage takes."""

MAX_REASON_CHARACTERS = 1_000


class DeadLetters(NamedTuple):
    sqs: Any
    queue_url: str

    def send(self, message: Message, error: PermanentError, idempotency_key: str | None) -> None:
        """Returns once SQS has stored it; only then may the original be acknowledged."""
        request: dict[str, Any] = {
            "QueueUrl": self.queue_url,
            "MessageBody": message.body,
            "MessageAttributes": _attributes(message, error, idempotency_key),
        }
        if message.group is not None:
            request["MessageGroupId"] = message.group
        if self.queue_url.endswith(".fifo"):
            # Never the original's: a second dead-lettering within five minutes would count as sent, and vanish.
            request["MessageDeduplicationId"] = hashlib.sha256(message.delivery.encode()).hexdigest()
        if message.trace_header is not None:
            request["MessageSystemAttributes"] = {
                "AWSTraceHeader": {"DataType": "String", "StringValue": message.trace_header}
            }
        self.sqs.send_message(**request)


def _attributes(message: Message, error: PermanentError, idempotency_key: str | None) -> Attributes:
    original = original_attributes(message)
    names = sorted(original)  # which ones make room does not matter, but it is the same on every attempt
    kept = {name: original[name] for name in names[: contract.MAX_ATTRIBUTES - 1]}
    displaced = {name: _for_json(original[name]) for name in names[contract.MAX_ATTRIBUTES - 1 :]}
    room = contract.MAX_MESSAGE_BYTES - len(message.body.encode()) - sum(map(_size, kept.items()))
    reason = _reason(message, error, idempotency_key, displaced, room)
    if reason is None:
        return original
    return kept | {contract.DEAD_LETTER_ATTRIBUTE: {"DataType": "String", "StringValue": reason}}


def original_attributes(message: Message) -> Attributes:
    """What the first sender gave, without what we added on the way, in the shape that SendMessage takes."""
    original = {
        name: _for_sending(attribute)
        for name, attribute in message.attributes.items()
        if name not in (contract.DEAD_LETTER_ATTRIBUTE, contract.REDRIVE_ATTRIBUTE)
    }
    displaced = message.redrive.get("displaced", {}) if message.redrive else {}
    if len(original.keys() | displaced) > contract.MAX_ATTRIBUTES:
        return original  # no sender could have given that many: the redrive attribute is forged
    return {name: _from_json(attribute) for name, attribute in displaced.items()} | original


def _reason(
    message: Message, error: PermanentError, idempotency_key: str | None, displaced: Attributes, room: int
) -> str | None:
    """The attribute's JSON, its text cut to the room there is; None when there is none: the log has it too."""
    dead_letter = contract.DeadLetter(
        reason=str(error.message)[:MAX_REASON_CHARACTERS],
        error_type=type(error).__name__,
        receive_count=message.receive_count,
        correlation_id=message.correlation_id,
    )
    if idempotency_key is not None:
        dead_letter["idempotency_key"] = idempotency_key
    if displaced:
        dead_letter["displaced"] = displaced
    room -= len(contract.DEAD_LETTER_ATTRIBUTE) + len("String")
    while len(text := json.dumps(dead_letter)) > room:
        if not dead_letter["reason"]:
            return None
        dead_letter["reason"] = dead_letter["reason"][: len(dead_letter["reason"]) // 2]
    return text


def _for_sending(attribute: Mapping[str, Any]) -> dict[str, Any]:
    """The event writes `stringValue` where SendMessage takes `StringValue`, and base64 where it takes bytes."""
    sending: dict[str, Any] = {"DataType": attribute["dataType"]}
    if attribute["dataType"].startswith("Binary"):
        sending["BinaryValue"] = base64.b64decode(attribute["binaryValue"])
    else:
        sending["StringValue"] = attribute["stringValue"]
    return sending


def _for_json(attribute: dict[str, Any]) -> dict[str, Any]:
    """As for sending, but binary values in base64."""
    if "BinaryValue" in attribute:
        return attribute | {"BinaryValue": base64.b64encode(attribute["BinaryValue"]).decode()}
    return attribute


def _from_json(attribute: dict[str, Any]) -> dict[str, Any]:
    if "BinaryValue" in attribute:
        return attribute | {"BinaryValue": base64.b64decode(attribute["BinaryValue"])}
    return attribute


def _size(attribute: tuple[str, dict[str, Any]]) -> int:
    name, value = attribute
    content = value.get("BinaryValue") or value.get("StringValue", "").encode()
    return len(name.encode()) + len(value["DataType"]) + len(content)
