"""The attributes of a message on its way out: its own, those that the topic takes from its body, and key."""

import re
from collections.abc import Mapping
from typing import Any, cast

from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.fan_out_topic import message_attributes
from serverless_patterns_runtime.fan_out_topic.contract import MAX_ATTRIBUTES
from serverless_patterns_runtime.load_leveled_queue import contract as queue

__all__ = ["SnsAttributes", "at", "attributes_of", "size_of"]

SnsAttributes = Mapping[str, Mapping[str, Any]]
"""By name: `DataType`, and `StringValue` or `BinaryValue`."""

_CORRELATION_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

_CARRIED = re.compile("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")
"""What SQS takes as text. SNS would take more, and fail to deliver it, branch by branch."""

_OURS = (queue.IDEMPOTENCY_KEY_ATTRIBUTE, queue.DEAD_LETTER_ATTRIBUTE, queue.REDRIVE_ATTRIBUTE)


def attributes_of(
    own: Mapping[str, Any], payload: Any, paths: Mapping[str, str], *, key: str, correlation_id: str | None
) -> SnsAttributes:
    """What is null, empty or not there in the body is no attribute. The message's own come first.

    Raises PermanentError for what SNS, or a queue behind it, would refuse.
    """
    found = {name: _comparable(at(payload, path)) for name, path in paths.items()}
    said = {name: value for name, value in found.items() if value not in (None, "", [])} | dict(own)
    for name in _OURS:
        if name in said:
            raise PermanentError(f"the message attribute {name!r} is the topic's own: leave it out")
    said[queue.IDEMPOTENCY_KEY_ATTRIBUTE] = key
    if correlation_id is not None and _CORRELATION_ID.fullmatch(correlation_id):
        said.setdefault(queue.CORRELATION_ID_ATTRIBUTE, correlation_id)
    if len(said) > MAX_ATTRIBUTES:
        raise PermanentError(
            f"a message has at most {MAX_ATTRIBUTES} attributes, its key and correlation id among them, got"
            f" {len(said)}: with more, SNS delivers it to no queue"
        )
    return _encoded(said)


def size_of(attributes: SnsAttributes) -> int:
    """Bytes of names, types and values."""
    return sum(
        len(name.encode())
        + len(attribute["DataType"])
        + len(attribute["BinaryValue"] if "BinaryValue" in attribute else attribute["StringValue"].encode())
        for name, attribute in attributes.items()
    )


def at(payload: Any, path: str) -> Any:
    """None where a dotted path leads nowhere."""
    for part in path.split("."):
        payload = cast("dict[str, Any]", payload).get(part) if isinstance(payload, dict) else None
    return payload


def _comparable(value: Any) -> Any:
    """A boolean alone is no type of SNS's; filters find it in a list of one."""
    return [value] if isinstance(value, bool) else value


def _encoded(said: Mapping[str, Any]) -> SnsAttributes:
    for name, value in said.items():
        try:
            message_attributes.check({name: value})
        except ValueError:
            # Without its words, which quote the value: the payload is to be in no log.
            raise PermanentError(
                f"the message attribute {name!r} is text, a number of at most 38 digits, or a list of texts, numbers,"
                " booleans and nulls; with a name of at most 256 letters, digits, hyphens, dots and underscores"
            ) from None
    attributes = message_attributes.to_sns(said)
    for name, attribute in attributes.items():
        if not _CARRIED.fullmatch(attribute.get("StringValue", "")):
            raise PermanentError(f"the message attribute {name!r} holds characters that SQS does not take")
    return attributes
