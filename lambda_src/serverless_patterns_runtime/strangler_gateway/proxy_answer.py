"""An answer of either side, or the router's own."""

import json
import re
import sys
from base64 import b64decode, b64encode
from typing import Any, NamedTuple, Self

from serverless_patterns_runtime.errors import PermanentError

__all__ = ["MAX_BYTES", "ProxyAnswer"]

MAX_BYTES = 6 * 1024 * 1024 - 64 * 1024
"""Of an answer as JSON: what Lambda carries (quota), less room for the headers around it."""

MAX_HEADER_BYTES = 10_000
"""Of an answer's headers: what API Gateway lets through is 10,240."""

# Lambda's own encoder escapes what is not ASCII up to Python 3.11, and not from 3.12 on: 12 bytes a character at most.
_ESCAPES = sys.version_info < (3, 12)

_TEXT = re.compile(r"(?i)text/|application/([a-z0-9.-]+\+)?(json|xml|javascript|x-www-form-urlencoded)\b")


class ProxyAnswer(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    """In order; names may come twice."""
    body: bytes
    encoded: str | None = None
    """The body in base64, where it came so."""

    @classmethod
    def of_function(cls, payload: bytes) -> Self:
        """What a function behind an API answers. Raises ValueError for what API Gateway would take for none."""
        try:
            result: Any = json.loads(payload)
            several: dict[str, list[str]] = dict(result.get("multiValueHeaders") or {})
            single: dict[str, Any] = result.get("headers") or {}
            named = {name.lower() for name in several}
            several |= {name: [value] for name, value in single.items() if name.lower() not in named}
            headers = [(name, _text(value)) for name, values in several.items() for value in values]
            status, body = int(result["statusCode"]), _text(result.get("body") or "")
            if result.get("isBase64Encoded"):
                return cls(_status(status), headers, b64decode(body, validate=True), body)
            return cls(_status(status), headers, body.encode())
        except (AttributeError, KeyError, TypeError, RecursionError) as error:
            raise ValueError("not the result of a function behind an API") from error

    def first(self, name: str) -> str:
        """Empty without one."""
        return next((value for known, value in self.headers if known.lower() == name), "")

    def proxy_result(self) -> dict[str, Any]:
        """As API Gateway takes it. Raises PermanentError (502) for what Lambda or the gateway cannot carry."""
        names: dict[str, str] = {}
        headers: dict[str, list[str]] = {}
        for name, value in self.headers:
            headers.setdefault(names.setdefault(name.lower(), name), []).append(value)
        if sum(len(name) + len(value) + 4 for name, value in self.headers) > MAX_HEADER_BYTES:
            raise PermanentError(f"an answer's headers hold at most {MAX_HEADER_BYTES:,} bytes", status=502)
        text = self._as_text()
        body = text if text is not None else self.encoded or b64encode(self.body).decode()
        if (
            len(body) * (12 if text else 1) > MAX_BYTES
            and len(json.dumps(body, ensure_ascii=_ESCAPES).encode()) > MAX_BYTES
        ):
            raise PermanentError(f"an answer holds at most {MAX_BYTES:,} bytes as Lambda's JSON", status=502)
        return {
            "statusCode": self.status,
            "multiValueHeaders": headers,
            "body": body,
            "isBase64Encoded": text is None,
        }

    def _as_text(self) -> str | None:
        """Base64 makes it a third larger: only what is no text needs it."""
        if not self.body:
            return ""
        if self.encoded is not None or not _TEXT.match(self.first("content-type")):
            return None
        try:
            return self.body.decode()
        except UnicodeDecodeError:
            return None


def _text(value: Any) -> str:
    """API Gateway takes numbers and booleans too."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return json.dumps(value)
    raise TypeError


def _status(status: int) -> int:
    if not 200 <= status <= 599:
        raise ValueError("no status")
    return status
