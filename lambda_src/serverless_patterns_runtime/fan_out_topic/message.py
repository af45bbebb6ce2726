"""What a publisher says: `Message({"order_id": "o-1"}, {"kind": "placed"})`. Equal when its parts are."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from serverless_patterns_runtime.fan_out_topic import message_attributes
from serverless_patterns_runtime.fan_out_topic.message_attributes import Attribute

__all__ = ["WRAP", "Message"]

WRAP = "write Message(body), or Message(body, {'kind': 'placed'}) with its attributes"
"""What to write instead of something that is no message."""


@dataclass(frozen=True)
class Message:
    """One message of a topic.

    `body` is a JSON value: an object, if a filter looks into it.
    `attributes` are what filters look at unless they say otherwise, at most 10: a str is a String, an int, float or
    Decimal a Number, a list a String.Array (any element may match) and bytes are Binary (no filter sees them).
    `key` is the idempotency key, when it is not in the body; `group` the group of a FIFO topic's message.
    Raises ValueError for attributes that SNS, or a queue behind it, would refuse.
    """

    body: Any
    attributes: Mapping[str, Attribute] = field(default_factory=dict[str, Attribute])
    key: str | None = None
    group: str | None = None

    def __post_init__(self) -> None:
        message_attributes.check(self.attributes)
        for name, text in (("key", self.key), ("group", self.group)):
            if text is not None and (not isinstance(text, str) or not text):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise ValueError(f"{name} must be a str of at least one character, got {text!r}: leave it out")

    def text(self) -> str:
        """The body as it is published. Raises ValueError when it is no JSON value."""
        try:
            return json.dumps(self.body, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError(f"the body must be a JSON value: {error}") from error

    @classmethod
    def arrived(cls, body: Any, attributes: Mapping[str, Attribute], group: str | None = None) -> "Message":
        """What somebody else has said: nothing of it is refused, since it is here."""
        message = object.__new__(cls)
        said: dict[str, Any] = {"body": body, "attributes": attributes, "key": None, "group": group}
        for name, value in said.items():
            object.__setattr__(message, name, value)
        return message

    @classmethod
    def received(cls, record: Mapping[str, Any]) -> "Message":
        """What a record of a queue's event says, after raw delivery; a body that is no JSON stays the text it is."""
        attributes = message_attributes.from_record(record.get("messageAttributes") or {})
        system: Mapping[str, str] = record.get("attributes") or {}
        return cls.arrived(_json(record.get("body", "")), attributes, system.get("MessageGroupId"))


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
