"""One message of a dead-letter queue, read: why it is there, and what it was before it came there."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from serverless_patterns_runtime.load_leveled_queue.contract import (
    CORRELATION_ID_ATTRIBUTE,
    DEAD_LETTER_ATTRIBUTE,
    REDRIVE_ATTRIBUTE,
)

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
    """The key under which the consumer knows it; the message id if nothing says otherwise, as at the consumer."""
    correlation_id: str


def read_letter(message: MessageTypeDef, max_receive_count: int | None) -> Letter:
    """Args: a message as ReceiveMessage gives it with all its attributes; what the source queue allows, if known."""
    system = cast("dict[str, str]", message.get("Attributes", {}))
    message_id = message.get("MessageId", "")
    attributes: Attributes = {
        name: _for_sending(cast("dict[str, Any]", value))
        for name, value in message.get("MessageAttributes", {}).items()
    }
    verdict = _take(attributes, DEAD_LETTER_ATTRIBUTE, ("reason", "error_type", "correlation_id"))
    earlier = _take(attributes, REDRIVE_ATTRIBUTE, ("idempotency_key", "correlation_id"))
    source_arn = system.get("DeadLetterQueueSourceArn")
    correlation_id = attributes.get(CORRELATION_ID_ATTRIBUTE, {}).get("StringValue", message_id)
    return Letter(
        message_id=message_id,
        receipt_handle=message.get("ReceiptHandle", ""),
        body=message.get("Body", ""),
        attributes=attributes,
        sent_at=int(system.get("SentTimestamp", "0")) / 1000,
        group_id=system.get("MessageGroupId"),
        trace_header=system.get("AWSTraceHeader"),
        source_arn=source_arn,
        reason=(verdict["reason"] or NO_ROOM) if verdict else _native_reason(source_arn, max_receive_count),
        error_type=verdict.get("error_type"),
        idempotency_key=verdict.get("idempotency_key") or earlier.get("idempotency_key") or message_id,
        correlation_id=verdict.get("correlation_id") or earlier.get("correlation_id") or correlation_id,
    )


def _native_reason(source_arn: str | None, max_receive_count: int | None) -> str:
    if source_arn is None:
        return NO_REASON
    times = "too many" if max_receive_count is None else f"more than {max_receive_count}"
    return f"received {times} times"


def _take(attributes: Attributes, name: str, texts: tuple[str, ...]) -> dict[str, Any]:
    """Removes our attribute and restores what it displaced; leaves alone what only has its name."""
    ours = _json(attributes.get(name, {}).get("StringValue"))
    if not all(isinstance(ours.get(text), str) for text in texts):
        return {}
    del attributes[name]
    displaced = ours.get("displaced")
    if isinstance(displaced, dict):
        for other, value in cast("dict[str, dict[str, Any]]", displaced).items():
            attributes.setdefault(other, _from_json(value))
    return ours


def _json(text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _for_sending(attribute: dict[str, Any]) -> dict[str, Any]:
    """Some answers also hold list values, which SendMessage refuses."""
    return {name: attribute[name] for name in ("DataType", "StringValue", "BinaryValue") if attribute.get(name)}


def _from_json(attribute: dict[str, Any]) -> dict[str, Any]:
    if "BinaryValue" in attribute:
        return attribute | {"BinaryValue": base64.b64decode(attribute["BinaryValue"])}
    return attribute
