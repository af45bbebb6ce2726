"""A mapping as a variable's text: every byte counts, since Lambda gives all variables of a function 4 KB together."""

import base64
import json
import zlib
from collections.abc import Mapping
from typing import Any

__all__ = ["packed", "unpacked"]


def packed(value: Mapping[str, Any]) -> str:
    """The same text for the same mapping, whatever its order."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return base64.b85encode(zlib.compress(text.encode(), 9)).decode()


def unpacked(text: str) -> dict[str, Any]:
    return json.loads(zlib.decompress(base64.b85decode(text)))
