"""A record of an SQS event, read: what it asks for, under which key, and what must survive a dead letter."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from serverless_patterns_runtime.claims.claim import Claim
from serverless_patterns_runtime.errors import MalformedPayload
from serverless_patterns_runtime.load_leveled_queue import contract
from serverless_patterns_runtime.load_leveled_queue.redrive import read_redrive
from serverless_patterns_runtime.payload import digest, parse

if TYPE_CHECKING:
    from serverless_patterns_runtime.load_leveled_queue.taking_part import Part

__all__ = ["Message", "Request"]

MAX_KEY_BYTES = 1_024
"""A partition key holds 2,048 bytes; the namespace needs room too."""

_CORRELATION_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

_KEY = "[^\x00-\x1f\x7f-\x9f\ud800-\udfff]+"  # not compiled here: most senders give none


class Request(NamedTuple):
    """What a well-formed message asks for."""

    payload: Any
    claim: Claim
    part: "Part | None" = None
    """In the fan-in that the consumer is a branch of."""


@dataclass(frozen=True)
class Message:
    record: Mapping[str, Any]

    @property
    def id(self) -> str:
        return self.record["messageId"]

    @property
    def receipt_handle(self) -> str:
        return self.record["receiptHandle"]

    @property
    def body(self) -> str:
        return self.record["body"]

    @property
    def attributes(self) -> Mapping[str, Any]:
        """Message attributes in the event's shape."""
        return self.record.get("messageAttributes") or {}

    @property
    def group(self) -> str | None:
        """FIFO only."""
        return self._system("MessageGroupId")

    @property
    def receive_count(self) -> int:
        return int(self.record["attributes"]["ApproximateReceiveCount"])

    @property
    def sent_at(self) -> float:
        """Epoch seconds."""
        return int(self.record["attributes"]["SentTimestamp"]) / 1000

    @property
    def delivery(self) -> str:
        """One stay in the queue: the same over its receives, another after a redrive."""
        return f"{self.id}:{self.record['attributes']['SentTimestamp']}"

    @property
    def trace_header(self) -> str | None:
        return self._system("AWSTraceHeader")

    @cached_property
    def redrive(self) -> contract.Redrive | None:
        """What the redrive that sent this message wants kept."""
        text = self._text(contract.REDRIVE_ATTRIBUTE)
        return None if text is None else read_redrive(text)

    @cached_property
    def correlation_id(self) -> str:
        """From the attribute if it is safe to log, else the message id."""
        said = self.redrive["correlation_id"] if self.redrive else self._text(contract.CORRELATION_ID_ATTRIBUTE)
        return said if said is not None and _CORRELATION_ID.fullmatch(said) else self.id

    def request(self, *, key_path: str, namespace: str) -> Request:
        """Raises MalformedPayload when the body is not what it has to be."""
        payload = parse(self.body)
        payload_digest = digest(payload)  # first: it refuses what is not text, and the key is a part of the payload
        key = _key(payload, key_path) if key_path else self.own_key
        if len(key.encode()) > MAX_KEY_BYTES:
            raise MalformedPayload(f"the idempotency key is longer than {MAX_KEY_BYTES} bytes")
        return Request(payload, Claim(namespace, key, payload_digest))

    @property
    def own_key(self) -> str:
        """The key where the body holds none: what a redrive kept, else what the sender says, else the message's id.

        Raises MalformedPayload when the sender says something else than a key.
        """
        if self.redrive:
            return self.redrive["idempotency_key"]
        name = contract.IDEMPOTENCY_KEY_ATTRIBUTE
        if name not in self.attributes:
            return self.id
        key = self._text(name) or ""
        if not re.fullmatch(_KEY, key):
            raise MalformedPayload(f"the message attribute {name!r} must be text without control characters")
        # An API puts its caller before the key, and a caller's name may be long.
        return key if len(key.encode()) <= MAX_KEY_BYTES else f"sha256 {hashlib.sha256(key.encode()).hexdigest()}"

    def _text(self, attribute: str) -> str | None:
        return self.attributes.get(attribute, {}).get("stringValue")

    def _system(self, name: str) -> str | None:
        return self.record["attributes"].get(name)


def _key(payload: Any, path: str) -> str:
    value = payload
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise MalformedPayload(f"the body has no idempotency key: {path!r} must be a string or an integer")
    return str(value)
