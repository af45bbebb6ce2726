"""Path parameters: decoded once, and plain text afterwards, or refused.

Two readers of one path (the gateway, this function, what it calls with it) must see the same segments. So a parameter
never holds what some reader takes apart: separators, dot segments, control characters, or a second layer of encoding.
"""

import re
from collections.abc import Mapping
from urllib.parse import unquote

from serverless_patterns_runtime.errors import MalformedPayload

__all__ = ["path_parameters", "read_as"]

# U+FFFD is what a lenient reader makes of bytes that are not UTF-8.
_AMBIGUOUS = re.compile(r"[\x00-\x1f\x7f\\;\ufffd]|%[0-9A-Fa-f]{2}")


def path_parameters(resource: str, given: Mapping[str, str] | None) -> Mapping[str, str]:
    """Raises MalformedPayload, which names the parameter and not its value."""
    return {name: _decoded(name, text, greedy=f"{{{name}+}}" in resource) for name, text in (given or {}).items()}


def read_as(wide: str, resource: str, given: Mapping[str, str] | None) -> dict[str, str]:
    """Parameters of a wide resource, `/orders/{proxy+}`, where a closer one, `/orders/report`, took the request."""
    known = given or {}
    values = [known[part[1:-1].removesuffix("+")] if part.startswith("{") else part for part in resource[1:].split("/")]
    found: dict[str, str] = {}
    for position, part in enumerate(wide[1:].split("/")):
        if part.startswith("{"):
            end = None if part.endswith("+}") else position + 1
            found[part[1:-1].removesuffix("+")] = "/".join(values[position:end])
    return found


def _decoded(name: str, text: str, *, greedy: bool) -> str:
    if text.isalnum() and text.isascii():
        return text  # nearly always
    try:
        decoded = unquote(text, errors="strict")
        decoded.encode()
    except UnicodeError:
        raise MalformedPayload(f"the path parameter {name} is not UTF-8") from None
    segments = decoded.removesuffix("/").split("/") if greedy else [decoded]
    if _AMBIGUOUS.search(decoded) or any(segment in ("", ".", "..") for segment in segments):
        raise MalformedPayload(f"the path parameter {name} is not plain text")
    if not greedy and "/" in decoded:
        raise MalformedPayload(f"the path parameter {name} is more than one segment")
    return decoded
