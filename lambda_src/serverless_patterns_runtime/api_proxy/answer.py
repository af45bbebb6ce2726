"""An answer as it leaves, and as it is stored to be given again."""

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Self

from serverless_patterns_runtime.api_proxy import contract
from serverless_patterns_runtime.api_proxy.media_type import is_json, is_text
from serverless_patterns_runtime.business_function.business_function import UnusableResult
from serverless_patterns_runtime.business_function.json_text import checked_text, encode, json_text
from serverless_patterns_runtime.response import Response

__all__ = ["Answer"]

MAX_BYTES = 6 * 1024 * 1024 - 64 * 1024
"""Of an answer as JSON: what Lambda carries (quota), less room for the headers that are added on the way out."""

MAX_HEADER_BYTES = 9 * 1024
"""Of an answer's headers: what API Gateway lets through (10,240 bytes), less those that are added on the way out."""

# Lambda's own encoder escapes what is not ASCII up to Python 3.11, and not from 3.12 on.
_ESCAPES = sys.version_info < (3, 12)
_MOST_BYTES_A_CHARACTER = 12


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, tuple[str, ...]]
    """By name, no name twice, whatever its case. Cookies are `Set-Cookie`."""
    body: str
    base64: bool
    """Whether `body` is base64 of bytes."""

    @classmethod
    def of(cls, result: Any) -> Self:
        """What a business function's result says: a JSON value is 200, None 204, a `Response` itself.

        Raises UnusableResult, which quotes nothing of it, for what JSON cannot say and what Lambda cannot carry.
        """
        if result is None:
            return cls(204, {}, "", False)
        given, status, headers = result, 200, dict[str, tuple[str, ...]]()
        if isinstance(result, Response):
            given, status, headers = result.body, result.status, _headers(result)
        said = next((values[-1] for name, values in headers.items() if name.lower() == "content-type"), None)
        body, default_type, base64 = _body(given, said)
        if said is None and default_type is not None:
            headers["Content-Type"] = (default_type,)
        answer = cls(status, headers, body, base64)
        _check_headers(headers)
        _check_size(answer)
        return answer

    def to_json(self) -> str:
        return encode(self._asdict())

    @classmethod
    def from_json(cls, written: str) -> Self:
        """What `to_json` wrote."""
        stored = json.loads(written)
        headers = {name: tuple(values) for name, values in stored.pop("headers").items()}
        return cls(headers=headers, **stored)

    def proxy_result(self, added: Iterable[tuple[str, str]] = ()) -> dict[str, Any]:
        """As API Gateway takes it. An added header replaces the answer's own of that name, whatever its case."""
        names = {name.lower(): name for name in self.headers}
        headers = {name: list(values) for name, values in self.headers.items()}
        for name, value in added:
            headers.pop(names.get(name.lower(), name), None)
            headers[name] = [value]
        return {
            "statusCode": self.status,
            "multiValueHeaders": headers,
            "body": self.body,
            "isBase64Encoded": self.base64,
        }


def _headers(response: Response) -> dict[str, tuple[str, ...]]:
    headers: dict[str, tuple[str, ...]] = {}
    names: dict[str, str] = {}
    for name, values in response.header_values():
        known = names.setdefault(name.lower(), name)
        headers[known] = (*headers.get(known, ()), *values)
    headers.pop(names.get(contract.REPLAYED_HEADER.lower(), ""), None)  # only a replay says that it is one
    return {name: values for name, values in headers.items() if values}


def _body(body: Any, said: str | None) -> tuple[str, str | None, bool]:
    """The text, its media type if the response does not say one, and whether it is base64."""
    if body is None:
        return "", None, False
    if isinstance(body, bytes):
        return _bytes(body, said)
    if said is None or is_json(said):
        return json_text(body), "application/json", False
    if isinstance(body, str):
        return checked_text(body), None, False
    kind = type(body).__name__
    raise UnusableResult(
        f"a body of type {kind} is sent as JSON, and its Content-Type says otherwise: give text or bytes"
    )


def _bytes(body: bytes, said: str | None) -> tuple[str, str | None, bool]:
    """Text as text: the gateway decodes base64 only for media types that the API calls binary."""
    if said is not None and is_text(said):
        try:
            return body.decode(), None, False
        except UnicodeDecodeError:
            pass
    from base64 import b64encode  # not at the top: most functions never answer bytes, all start cold

    return b64encode(body).decode(), "application/octet-stream", True


def _check_headers(headers: Mapping[str, tuple[str, ...]]) -> None:
    size = sum(len(name) + len(value) + 4 for name, values in headers.items() for value in values)
    if size > MAX_HEADER_BYTES:
        raise UnusableResult(f"an answer's headers hold at most {MAX_HEADER_BYTES:,} bytes, got {size:,}")


def _check_size(answer: Answer) -> None:
    characters = len(answer.body) + sum(len(value) for values in answer.headers.values() for value in values)
    if characters * _MOST_BYTES_A_CHARACTER < MAX_BYTES:
        return
    size = len(json.dumps(answer, ensure_ascii=_ESCAPES).encode())
    if size > MAX_BYTES:
        raise UnusableResult(f"an answer holds at most {MAX_BYTES:,} bytes as JSON (Lambda's limit), got {size:,}")
