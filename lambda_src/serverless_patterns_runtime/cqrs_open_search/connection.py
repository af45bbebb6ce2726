"""Requests to one domain, signed as the function's role, by the SDK's own signer and HTTP client: Lambda has them."""

import json
from collections.abc import Callable
from decimal import Decimal
from socket import IPPROTO_TCP, TCP_NODELAY
from typing import Any, NamedTuple

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ConnectionClosedError, HTTPClientError
from botocore.httpsession import URLLib3Session

from serverless_patterns_runtime.clients import CONNECTIONS
from serverless_patterns_runtime.cqrs_views.sink import SinkUnavailable

__all__ = ["Answer", "OpenSearchConnection", "unavailable"]

CONNECT_SECONDS = 3
ANSWER_SECONDS = 20

_SAID = {
    401: "the domain does not know who asks",
    403: "the function's role may not do it: with fine-grained access control, the domain has to be told of it",
    404: "the generation has no index: it was dropped, or never made",
    429: "the domain is busy",
}


class Answer(NamedTuple):
    status: int
    body: Any
    """Of JSON, with numbers that are not whole as Decimal."""

    @property
    def error(self) -> str:
        """The kind of error, without its reason, which quotes values."""
        return self._told("type")

    @property
    def reason(self) -> str:
        """Of a request that holds no values of rows."""
        return self._told("reason")

    def _told(self, what: str) -> str:
        found = self.body.get("error") if isinstance(self.body, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
        return str(found.get(what, "")) if isinstance(found, dict) else ""  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]


class OpenSearchConnection:
    """Keeps its HTTP connections between invocations. Threads may share it."""

    def __init__(self, endpoint: str, sign_as: Callable[[], tuple[Any, str]]) -> None:
        """`sign_as`: credentials of AWS, and the region."""
        self._endpoint, self._sign_as = endpoint, sign_as
        waits: Any = (CONNECT_SECONDS, ANSWER_SECONDS)
        no_delay: Any = [(IPPROTO_TCP, TCP_NODELAY, 1)]  # else a body waits 40 ms for its headers' acknowledgement
        self._http = URLLib3Session(timeout=waits, max_pool_connections=CONNECTIONS, socket_options=no_delay)

    def ask(self, method: str, path: str, body: str = "", *also: int) -> Answer:
        """`also`: statuses that are answers, beside 200 and 201. Raises SinkUnavailable for all others.

        What is asked may be asked twice: a kept connection may have been closed at the other end.
        """
        try:
            try:
                answer = self._send(method, path, body)
            except ConnectionClosedError:
                answer = self._send(method, path, body)
        except (BotoCoreError, HTTPClientError) as error:
            raise SinkUnavailable(type(error).__name__) from error
        if answer.status not in (200, 201, *also):
            raise unavailable(answer.status, answer.error)
        return answer

    def _send(self, method: str, path: str, body: str) -> Answer:
        credentials, region = self._sign_as()
        kind = "application/x-ndjson" if "/_bulk" in path else "application/json"
        request = AWSRequest(method, self._endpoint + path, {"Content-Type": kind}, body.encode())
        SigV4Auth(credentials, "es", region).add_auth(request)
        answer: Any = self._http.send(request.prepare())
        try:
            return Answer(answer.status_code, json.loads(answer.content, parse_float=Decimal))
        except ValueError:  # whatever stands before the domain said it
            return Answer(answer.status_code if answer.status_code >= 300 else 502, None)


def unavailable(status: int, error: str) -> SinkUnavailable:
    """With what the status usually means."""
    said = f": {_SAID[status]}" if status in _SAID else ""
    return SinkUnavailable(f"OpenSearch answers {status} {error}".rstrip() + said)
