"""The `redrive` attribute, read with suspicion: everyone who may send to the queue can write one."""

import base64
import binascii
from typing import Any

from serverless_patterns_runtime.errors import MalformedPayload
from serverless_patterns_runtime.load_leveled_queue import contract
from serverless_patterns_runtime.payload import parse

__all__ = ["read_redrive"]


def read_redrive(text: str) -> contract.Redrive | None:
    """What a redrive wrote; None when no redrive can have written it: then it is as if the attribute were not there."""
    try:
        said = parse(text)
    except MalformedPayload:
        return None
    match said:
        case {"idempotency_key": str(key), "correlation_id": str(correlation_id)} if key and _is_text(key):
            displaced: Any = said.get("displaced", {})
        case _:
            return None
    if not isinstance(displaced, dict) or not all(map(_is_attribute, displaced.items())):  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType]
        return None
    return contract.Redrive(idempotency_key=key, correlation_id=correlation_id, displaced=displaced)  # pyright: ignore[reportUnknownArgumentType]


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_attribute(named: tuple[str, Any]) -> bool:
    match named:
        case (contract.DEAD_LETTER_ATTRIBUTE | contract.REDRIVE_ATTRIBUTE, _):
            return False
        case (_, {"DataType": str(kind), "BinaryValue": str(content), **others}) if not others:
            return kind.startswith("Binary") and _is_base64(content)
        case (_, {"DataType": str(kind), "StringValue": str(content), **others}) if not others:
            return not kind.startswith("Binary") and _is_text(content)
        case _:
            return False


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True
