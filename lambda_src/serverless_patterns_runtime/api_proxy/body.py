"""The body: bounded before it is read, of the type that the route takes, strict JSON, and what its schema says."""

import binascii
from collections.abc import Sequence
from typing import Any

from serverless_patterns_runtime.api_proxy import contract
from serverless_patterns_runtime.api_proxy.envelope import Envelope
from serverless_patterns_runtime.api_proxy.media_type import charset, is_json
from serverless_patterns_runtime.api_proxy.validation import Validator, check
from serverless_patterns_runtime.errors import MalformedPayload, PermanentError
from serverless_patterns_runtime.payload import digest, parse

__all__ = ["TooLarge", "UnsupportedMediaType", "body"]

MAX_KEYS = 10_000
"""In all objects of a body together."""


class TooLarge(PermanentError):
    """The body is larger than the API takes."""

    def __init__(self, limit: int) -> None:  # pyright: ignore[reportInconsistentConstructor]
        super().__init__(f"the body is larger than {limit:,} bytes", status=413)


class UnsupportedMediaType(PermanentError):
    """The body is not said to be what the route takes."""

    def __init__(self, wanted: str) -> None:  # pyright: ignore[reportInconsistentConstructor]
        super().__init__(f"the body has to be {wanted}", status=415)


def body(
    envelope: Envelope,
    route: contract.RouteSettings,
    limit: int,
    validator: Validator | None,
    binary_media_types: Sequence[str],
) -> Any:
    """JSON or bytes, as the route has it; None: no body. `limit` is in bytes.

    Raises TooLarge, UnsupportedMediaType and MalformedPayload, none of which quotes the body.
    """
    raw: str = envelope.event.get("body") or ""
    encoded = envelope.event.get("isBase64Encoded") is True
    _check_length(raw, limit, encoded=encoded)
    if not raw:
        if validator is not None:
            raise MalformedPayload("the request needs a body")
        return None
    if route["content"] == "bytes":
        if not encoded:  # the gateway took it for text, and has replaced whatever is no UTF-8
            raise UnsupportedMediaType(f"of a binary type: send Content-Type: {' or '.join(binary_media_types)}")
        return _bytes(raw, encoded=True)
    _check_type(envelope)
    text = _text(_bytes(raw, encoded=True)) if encoded else raw
    value = parse(text)
    _check_value(text, value)
    if validator is not None:
        check("body", value, validator)
    return value


def _check_length(raw: str, limit: int, *, encoded: bool) -> None:
    """Before anything is decoded or parsed: what is too large must cost nothing."""
    if encoded:
        length = len(raw) * 3 // 4 - raw.count("=", -2)
    else:
        length = len(raw) if raw.isascii() or len(raw) > limit else len(_bytes(raw, encoded=False))
    if length > limit:
        raise TooLarge(limit)


def _check_type(envelope: Envelope) -> None:
    said = envelope.headers.all("Content-Type")
    if len(said) != 1 or not is_json(said[0]) or charset(said[0]) not in ("utf-8", "utf8"):
        raise UnsupportedMediaType("JSON in UTF-8: send Content-Type: application/json")


def _bytes(raw: str, *, encoded: bool) -> bytes:
    try:
        return binascii.a2b_base64(raw, strict_mode=True) if encoded else raw.encode()
    except UnicodeError:
        raise MalformedPayload("the body is not UTF-8") from None
    except ValueError:
        raise MalformedPayload("the body is not base64") from None


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise MalformedPayload("the body is not UTF-8") from None


def _check_value(text: str, value: Any) -> None:
    if "\\u" in text:
        digest(value)  # refuses half of a surrogate pair, which an escape can say
    if text.count(":") > MAX_KEYS and _keys(value) > MAX_KEYS:
        raise MalformedPayload(f"the body holds more than {MAX_KEYS:,} keys")


def _keys(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(_keys, value.values()))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return sum(map(_keys, value)) if isinstance(value, list) else 0  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
