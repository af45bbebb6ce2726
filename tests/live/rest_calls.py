"""Calls to a REST API exactly as written: no library that tidies paths, merges headers or follows redirects."""

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

Headers = Mapping[str, str] | Iterable[tuple[str, str]]
SECONDS = 30
REGION = "us-east-1"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> tuple[int, str | None]:
        """The status, and the media type that says how to read the body."""
        return self.status, self.headers.get_content_type()


@dataclass(frozen=True)
class Api:
    """A deployed stage."""

    url: str

    def call(self, route: str, body: Any = None, headers: Headers = ()) -> Answer:
        """`api.call("POST /orders?page=1", {"id": 1})`: a body that is not bytes or text is sent as JSON."""
        method, _, path = route.partition(" ")
        pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
        if not (body is None or isinstance(body, str | bytes)):
            body = json.dumps(body)
            pairs += [] if "content-type" in (name.lower() for name, _ in pairs) else [("Content-Type", JSON)]
        return _sent(method, self.url + path, body.encode() if isinstance(body, str) else body, pairs)

    def at_once(self, times: int, route: str, body: Any = None, headers: Headers = ()) -> list[Answer]:
        """The same call so many times, in parallel."""
        with ThreadPoolExecutor(times) as threads:
            return list(threads.map(lambda _: self.call(route, body, headers), range(times)))

    def signed(self, route: str, credentials: Credentials, body: Any = None, headers: Mapping[str, str] = {}) -> Answer:
        """A call signed for IAM."""
        method, _, path = route.partition(" ")
        text = "" if body is None else json.dumps(body)
        kind = {"Content-Type": JSON} if text else {}
        request = AWSRequest(method, self.url + path, data=text, headers={**kind, **headers})
        SigV4Auth(credentials, "execute-api", REGION).add_auth(request)
        return self.call(route, text or None, dict(request.headers.items()))


JSON = "application/json"


def _sent(method: str, url: str, body: bytes | None, headers: list[tuple[str, str]]) -> Answer:
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=SECONDS)
    try:
        # The path as it is: urlsplit leaves it alone, and so does this.
        path = url.removeprefix(f"{parts.scheme}://{parts.netloc}")
        named = any(name.lower() == "host" for name, _ in headers)
        connection.putrequest(method, path, skip_host=named, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        connection.close()
