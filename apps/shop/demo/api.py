"""The shop's API as its callers meet it: plain HTTP, every answer kept with the time that it took."""

import http.client
import json
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from demo.traffic import Message

TIMEOUT_SECONDS = 35  # above the longest that the gateway waits for a function


@dataclass(frozen=True)
class Call:
    """One request to be, and what has to come of it."""

    route: str
    """`POST /orders`: under which the report counts it."""
    expected: tuple[int, ...]
    """The statuses that are right."""
    why: str = ""
    """What is wrong with it, for a call that has to be refused."""
    path: str = ""
    """As it is sent; default: the route's."""
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    caller: str = ""
    """Whose good token it bears; empty: nobody's."""
    message: Message | None = None
    """The order in it, when it is one that has to be accepted."""

    @property
    def method(self) -> str:
        return self.route.partition(" ")[0]

    @property
    def target(self) -> str:
        return self.path or self.route.partition(" ")[2]

    @property
    def key(self) -> str:
        return self.headers.get("Idempotency-Key", "")

    @property
    def correlation_id(self) -> str:
        return self.headers.get("X-Correlation-Id", "")


@dataclass(frozen=True)
class Answer:
    call: Call
    status: int
    headers: Mapping[str, str]
    """By name in lower case."""
    body: bytes
    at: float
    """When it came, in epoch seconds."""
    seconds: float
    """How long it took."""

    @property
    def json(self) -> Any:
        """Fractions as the decimals that they were written as; None when the body is no JSON."""
        try:
            return json.loads(self.body, parse_float=Decimal)
        except ValueError:
            return None

    def said(self, name: str) -> Any:
        """A field of the object that was answered; None where there is none."""
        return self.json.get(name) if isinstance(self.json, dict) else None

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_replay(self) -> bool:
        return self.headers.get("idempotent-replayed") == "true"


@dataclass(frozen=True)
class Api:
    url: str
    """Of the stage, without a slash at the end."""

    def call(self, call: Call) -> Answer:
        """A connection of its own each time: every caller is another machine."""
        parts = urlsplit(self.url)
        connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = connect(parts.netloc, timeout=TIMEOUT_SECONDS)
        begun = time.perf_counter()
        try:
            connection.request(call.method, parts.path + call.target, call.body or None, dict(call.headers))
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        seconds = time.perf_counter() - begun
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(call, response.status, headers, body, time.time(), seconds)

    def call_all(self, calls: Iterable[Call], at_once: int) -> list[Answer]:
        """So many at a time, in this order."""
        with ThreadPoolExecutor(at_once) as callers:
            return list(callers.map(self.call, calls))
