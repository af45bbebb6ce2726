"""One message of a dead-letter queue, read: why it is there, and what it was before it came there."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from serverless_patterns_runtime.errors import MalformedPayload
from serverless_patterns_runtime.load_leveled_queue.contract import (
    DEAD_LETTER_ATTRIBUTE,
    REDRIVE_ATTRIBUTE,
)
from serverless_patterns_runtime.load_leveled_queue.message import Message
from serverless_patterns_runtime.load_leveled_queue.redrive import read_redrive

if TYPE_CHECKING:
    from types_boto3_sqs.type_defs import MessageTypeDef

__all__ = ["Attributes", "Letter", "read_letter"]

Attributes = dict[str, dict[str, Any]]
"""Message attributes as SendMessage takes them."""

NO_REASON = "no reason recorded"
"""Neither the runtime nor SQS moved it here, or the message had no room for the attribute."""

NO_ROOM = "reason left out, the message is too large"


@dataclass(frozen=True, kw_only=True)
class Letter:
    message_id: str
    receipt_handle: str
    body: str
    attributes: Attributes
    """As first sent: without what the runtime and earlier redrives added, with what had made room for that."""
    sent_at: float
    """Epoch seconds. A standard queue's own redrive keeps the time of the original; all others start anew."""
    group_id: str | None
    trace_header: str | None
    source_arn: str | None
    """The queue that SQS itself moved it from, after too many receives."""
    reason: str
    error_type: str | None
    """None unless the runtime dead-lettered it."""
    idempotency_key: str
    """The key under which the consumer knows it, unless that is in the body."""
    correlation_id: str


def read_letter(message: MessageTypeDef, max_receive_count: int | None) -> Letter:
    """Args: a message as ReceiveMessage gives it with all its attributes; what the source queue allows, if known."""
    system = cast("dict[str, str]", message.get("Attributes", {}))
    message_id = message.get("MessageId", "")
    attributes: Attributes = {
        name: _for_sending(cast("dict[str, Any]", value))
        for name, value in message.get("MessageAttributes", {}).items()
    }
    as_consumed = _as_consumed(message_id, attributes)
    verdict = _verdict(_pop(attributes, DEAD_LETTER_ATTRIBUTE))
    earlier: Mapping[str, Any] = as_consumed.redrive or {}
    _pop(attributes, REDRIVE_ATTRIBUTE)
    for added in (earlier, verdict):
        for name, value in added.get("displaced", {}).items():
            attributes.setdefault(name, _from_json(value))
    source_arn = system.get("DeadLetterQueueSourceArn")
    return Letter(
        message_id=message_id,
        receipt_handle=message.get("ReceiptHandle", ""),
        body=message.get("Body", ""),
        attributes=attributes,
        sent_at=int(system.get("SentTimestamp", "0")) / 1000,
        group_id=system.get("MessageGroupId"),
        trace_header=system.get("AWSTraceHeader"),
        source_arn=source_arn,
        reason=verdict["reason"] or NO_ROOM if verdict else _native_reason(source_arn, max_receive_count),
        error_type=verdict.get("error_type"),
        idempotency_key=verdict.get("idempotency_key") or _own_key(as_consumed),
        correlation_id=verdict.get("correlation_id") or as_consumed.correlation_id,
    )


def _native_reason(source_arn: str | None, max_receive_count: int | None) -> str:
    if source_arn is None:
        return NO_REASON
    times = "too many" if max_receive_count is None else f"more than {max_receive_count}"
    return f"received {times} times"


def _as_consumed(message_id: str, attributes: Attributes) -> Message:
    """The consumer's own reading of the message, which decides under which key and correlation id it is known."""
    texts = {name: {"stringValue": value.get("StringValue")} for name, value in attributes.items()}
    return Message({"messageId": message_id, "messageAttributes": texts})


def _own_key(as_consumed: Message) -> str:
    """A key that the consumer refuses must not come back to it: the message id then does."""
    try:
        return as_consumed.own_key
    except MalformedPayload:
        return as_consumed.id


def _pop(attributes: Attributes, name: str) -> str:
    """Names that are ours; what others write under them is no part of a message."""
    return attributes.pop(name, {}).get("StringValue", "")


def _verdict(text: str) -> Mapping[str, Any]:
    """The runtime's `DeadLetter`; empty when it cannot have written this: anybody who may send can send it."""
    try:
        said = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    match said:
        case {"reason": str(), "error_type": str(), "correlation_id": str()}:
            pass
        case _:
            return {}
    verdict = cast("dict[str, Any]", said)
    # As a redrive would have to say it: then the same rules hold for the attributes that made room.
    rest = {"idempotency_key": verdict.get("idempotency_key", "-"), "displaced": verdict.get("displaced", {})}
    return verdict if read_redrive(json.dumps({"correlation_id": "-"} | rest)) else {}


def _for_sending(attribute: dict[str, Any]) -> dict[str, Any]:
    """Some answers also hold list values, which SendMessage refuses."""
    return {name: attribute[name] for name in ("DataType", "StringValue", "BinaryValue") if attribute.get(name)}


def _from_json(attribute: dict[str, Any]) -> dict[str, Any]:
    if "BinaryValue" in attribute:
        return attribute | {"BinaryValue": base64.b64decode(attribute["BinaryValue"])}
    return attribute
