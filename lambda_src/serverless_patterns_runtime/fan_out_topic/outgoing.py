"""A message on its way out: its key, its text and its attributes, held against every limit before anything is sent."""

import hashlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from serverless_patterns_runtime.business_function.json_text import json_text
from serverless_patterns_runtime.errors import PermanentError, UnusableMessage
from serverless_patterns_runtime.fan_out_topic.claim_check import CheckedIn, checked_in
from serverless_patterns_runtime.fan_out_topic.contract import (
    CLAIM_CHECK,
    MAX_MESSAGE_BYTES,
    Publishing,
)
from serverless_patterns_runtime.fan_out_topic.outgoing_attributes import SnsAttributes, at, attributes_of, size_of
from serverless_patterns_runtime.payload import digest, parse

if TYPE_CHECKING:
    from serverless_patterns_runtime.fan_out_topic.message import Message
    from serverless_patterns_runtime.invocation import Invocation

__all__ = ["Outgoing", "fifo_id", "outgoing", "prepared"]

MAX_KEY_BYTES = 1_024
"""What a consumer takes for a key."""

_KEY = re.compile("[^\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]+")

_FIFO_ID = re.compile(r"[A-Za-z0-9!-/:-@\[-`{-~]{1,128}")
"""What SNS takes for a message group and for a deduplication id."""

_NOT_CARRIED = str.maketrans({"\ufffe": r"\ufffe", "\uffff": r"\uffff"})
"""The two that JSON leaves as they are, and SQS refuses."""


class Outgoing(NamedTuple):
    key: str
    text: str
    digest: str
    """Of the payload, whole."""
    attributes: SnsAttributes
    group: str | None
    """FIFO only."""
    checked_in: CheckedIn | None = None
    """What has to be in S3 before this is published."""

    @property
    def size(self) -> int:
        """Bytes, as SNS counts them."""
        return len(self.text.encode()) + size_of(self.attributes)

    def entry(self, id: str) -> dict[str, Any]:
        """Of a PublishBatch."""
        entry: dict[str, Any] = {"Id": id, "Message": self.text, "MessageAttributes": self.attributes}
        if self.group is not None:
            entry["MessageGroupId"] = self.group
            # Key and payload: the same key with another payload must get through, for each branch to refuse it loudly.
            entry["MessageDeduplicationId"] = hashlib.sha256(f"{self.digest} {self.key}".encode()).hexdigest()
        return entry


def outgoing(message: "Message", settings: Publishing, *, own_key: str | None, correlation_id: str | None) -> Outgoing:
    """`own_key` is of a message that holds none. Raises PermanentError for what can never be published as it is."""
    text = json_text(message.body, "the message's body").translate(_NOT_CARRIED)
    payload = parse(text)  # what consumers will see of it: numbers and names of any type are JSON's by now
    if isinstance(payload, dict) and CLAIM_CHECK in payload:
        raise PermanentError(f"the body has no member {CLAIM_CHECK!r}: it is the topic's own", status=400)
    key = _key(message, payload, settings["key"], own_key)
    attributes = attributes_of(
        message.attributes, payload, settings["attributes"], key=key, correlation_id=correlation_id
    )
    group = _group(message.group) if settings["fifo"] else None
    sent = Outgoing(key, text, digest(payload), attributes, group)
    return sent if sent.size <= MAX_MESSAGE_BYTES else _smaller(sent, payload, settings)


def prepared(
    messages: Sequence["Message"], settings: Publishing, invocation: "Invocation | None"
) -> Sequence[Outgoing]:
    """All of them, checked. Raises PermanentError."""
    own_key = invocation.idempotency_key if invocation is not None and len(messages) == 1 else None
    correlation_id = None if invocation is None else invocation.correlation_id
    sent = [outgoing(message, settings, own_key=own_key, correlation_id=correlation_id) for message in messages]
    digests: dict[str, str] = {}
    for message in sent:
        if digests.setdefault(message.key, message.digest) != message.digest:
            raise PermanentError("two messages with different bodies have the same idempotency key: one event, one key")
    return sent


def fifo_id(text: str) -> str:
    """As SNS takes it: itself, or what stands for it."""
    return text if _FIFO_ID.fullmatch(text) else hashlib.sha256(text.encode()).hexdigest()


def _smaller(sent: Outgoing, payload: Any, settings: Publishing) -> Outgoing:
    if not settings["claim_check_bucket"]:
        raise _too_large(sent.size, "FanOutTopic(claim_check=...) keeps larger ones in S3")
    checked = checked_in(
        payload,
        bucket=settings["claim_check_bucket"],
        keep=settings["claim_check_keep"],
        key_path=settings["key"],
    )
    text = json_text(checked.body, "the message's body").translate(_NOT_CARRIED)
    small = sent._replace(text=text, checked_in=checked)
    if small.size > MAX_MESSAGE_BYTES:
        raise _too_large(small.size, "what stays beside the claim check is too large: keep less of it")
    return small


def _too_large(size: int, fix: str) -> PermanentError:
    return PermanentError(
        f"a message holds at most {MAX_MESSAGE_BYTES:,} bytes with its attributes (SNS quota), got {size:,}: {fix}",
        status=413,
    )


def _key(message: "Message", payload: Any, path: str, own_key: str | None) -> str:
    if path:
        key = _key_at(payload, path)
        if message.key not in (None, key):
            raise PermanentError(f"the message's key is not what its body holds at {path!r}, which subscribers go by")
    else:
        key = message.key if message.key is not None else own_key
        if key is None:
            raise UnusableMessage(
                "the message has no idempotency key: give Message(key=...), pass the invocation of one message on,"
                " or say FanOutTopic(idempotency_key=...)"
            )
    if not _KEY.fullmatch(key):
        raise PermanentError("a message's idempotency key is text without control characters, and not empty")
    if len(key.encode()) > MAX_KEY_BYTES:
        raise PermanentError(f"a message's idempotency key holds at most {MAX_KEY_BYTES:,} bytes")
    return key


def _key_at(payload: Any, path: str) -> str:
    value = at(payload, path)
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise PermanentError(f"the body has no idempotency key: {path!r} must be a string or an integer", status=400)
    return str(value)


def _group(group: str | None) -> str:
    if group is None or not _FIFO_ID.fullmatch(group):
        raise UnusableMessage(
            "a FIFO topic's message has a group of 1 to 128 letters, digits and punctuation marks: Message(group=...)"
        )
    return group
