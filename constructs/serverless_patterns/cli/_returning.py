"""A dead letter as the message that returns: body and attributes as before, and one attribute to keep its keys."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from serverless_patterns.cli._letters import Attributes, Letter
from serverless_patterns_runtime.load_leveled_queue.contract import MAX_ATTRIBUTES, REDRIVE_ATTRIBUTE, Redrive

if TYPE_CHECKING:
    from types_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

__all__ = ["DoesNotFit", "Returning", "returning"]


class DoesNotFit(Exception):
    """The message and its `redrive` attribute are larger than the queue takes."""


class Returning(NamedTuple):
    letter: Letter
    entry: SendMessageBatchRequestEntryTypeDef
    """For SendMessageBatch; its id is the dead letter's message id."""
    bytes: int
    """As SQS counts them: body, and every attribute's name, type and value."""


def returning(letter: Letter, *, fifo: bool, max_bytes: int) -> Returning:
    """Raises DoesNotFit."""
    attributes = _attributes(letter)
    if (bytes_ := len(letter.body.encode()) + sum(map(_size, attributes.items()))) > max_bytes:
        raise DoesNotFit(
            f"with its `{REDRIVE_ATTRIBUTE}` attribute it has {bytes_:,} bytes, and the queue takes {max_bytes:,}"
        )
    entry: dict[str, Any] = {"Id": letter.message_id, "MessageBody": letter.body, "MessageAttributes": attributes}
    if letter.group_id is not None:  # standard queues take it too, for fairness between groups
        entry["MessageGroupId"] = letter.group_id
    if fifo:
        # The same when a run is repeated, so that a message sent and not deleted is not sent twice; another one
        # for every stay in the dead-letter queue, so that SQS does not swallow a second redrive.
        entry["MessageDeduplicationId"] = f"redrive-{letter.message_id}"
    if letter.trace_header is not None:
        entry["MessageSystemAttributes"] = {
            "AWSTraceHeader": {"DataType": "String", "StringValue": letter.trace_header}
        }
    return Returning(letter, cast("SendMessageBatchRequestEntryTypeDef", entry), bytes_)


def _attributes(letter: Letter) -> Attributes:
    names = sorted(letter.attributes)  # which ones make room does not matter, but it is always the same
    redrive = Redrive(idempotency_key=letter.idempotency_key, correlation_id=letter.correlation_id)
    if displaced := {name: _for_json(letter.attributes[name]) for name in names[MAX_ATTRIBUTES - 1 :]}:
        redrive["displaced"] = displaced
    kept = {name: letter.attributes[name] for name in names[: MAX_ATTRIBUTES - 1]}
    return kept | {REDRIVE_ATTRIBUTE: {"DataType": "String", "StringValue": json.dumps(redrive)}}


def _for_json(attribute: dict[str, Any]) -> dict[str, Any]:
    if "BinaryValue" in attribute:
        return attribute | {"BinaryValue": base64.b64encode(attribute["BinaryValue"]).decode()}
    return attribute


def _size(attribute: tuple[str, dict[str, Any]]) -> int:
    name, value = attribute
    content = value.get("BinaryValue") or value.get("StringValue", "").encode()
    return len(name.encode()) + len(value["DataType"]) + len(content)
