"""The `redrive` attribute, read with suspicion: everyone who may send to the queue can write one."""

import base64
import binascii
import re
from typing import Any

from serverless_patterns_runtime.errors import MalformedPayload
from serverless_patterns_runtime.load_leveled_queue import contract
from serverless_patterns_runtime.payload import parse

__all__ = ["read_redrive"]

# What SendMessage accepts: an attribute that it refuses would keep a message out of the dead-letter queue.
# Not compiled here: few messages were redriven, and every cold start would pay.
_NAME = r"(?!(?i:aws|amazon)\.)(?=.{1,256}$)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*"
_KIND = r"(?=.{1,256}$)(String|Number|Binary)(\.[A-Za-z0-9_.-]+)?"
_TEXT = "[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]+"


def read_redrive(text: str) -> contract.Redrive | None:
    """What a redrive wrote; None when no redrive can have written it: then it is as if the attribute were not there."""
    try:
        said = parse(text)
    except MalformedPayload:
        return None
    match said:
        case {"idempotency_key": str(key), "correlation_id": str(correlation_id)} if _is_unicode(key):
            displaced: Any = said.get("displaced", {})
        case _:
            return None
    if not isinstance(displaced, dict) or not all(map(_is_attribute, displaced.items())):  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
        return None
    return contract.Redrive(idempotency_key=key, correlation_id=correlation_id, displaced=displaced)  # pyright: ignore[reportUnknownArgumentType]


def _is_unicode(key: str) -> bool:
    """And not empty. JSON escapes can say half of a surrogate pair."""
    return re.fullmatch("[^\ud800-\udfff]+", key) is not None


def _is_attribute(named: tuple[str, Any]) -> bool:
    name, attribute = named
    if name in (contract.DEAD_LETTER_ATTRIBUTE, contract.REDRIVE_ATTRIBUTE) or not re.fullmatch(_NAME, name):
        return False
    match attribute:
        case {"DataType": str(kind), "BinaryValue": str(content), **others} if not others:
            return re.fullmatch(_KIND, kind) is not None and kind.startswith("Binary") and _is_base64(content)
        case {"DataType": str(kind), "StringValue": str(content), **others} if not others:
            return (
                re.fullmatch(_KIND, kind) is not None
                and not kind.startswith("Binary")
                and re.fullmatch(_TEXT, content) is not None
            )
        case _:
            return False


def _is_base64(text: str) -> bool:
    try:
        return base64.b64decode(text, validate=True) != b""
    except (binascii.Error, ValueError):
        return False
