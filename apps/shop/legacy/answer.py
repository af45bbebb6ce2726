"""What the site was asked, and what it answers. No sockets in here."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

Headers = Sequence[tuple[str, str]]
"""In the order in which they come; a name may come several times."""


@dataclass(frozen=True)
class Asked:
    method: str
    target: str
    """As it was sent, percent-encoded, with the query."""
    headers: Headers
    body: bytes = b""

    @property
    def path(self) -> str:
        """Decoded."""
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> Mapping[str, list[str]]:
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)

    def header(self, name: str) -> str:
        """The first value; empty where there is none."""
        return next((value for given, value in self.headers if given.lower() == name.lower()), "")

    @property
    def cookies(self) -> Mapping[str, str]:
        """None of a line that is no cookies."""
        jar = SimpleCookie()
        for name, value in self.headers:
            if name.lower() == "cookie":
                try:
                    jar.load(value)
                except CookieError:
                    continue
        return {name: morsel.value for name, morsel in jar.items()}

    @property
    def origin(self) -> str:
        """Where the visitor believes the site to be, up to the slash before every path: links begin with it."""
        host = self.header("X-Forwarded-Host") or self.header("Host")
        scheme, prefix = self.header("X-Forwarded-Proto") or "http", self.header("X-Forwarded-Prefix").strip("/")
        return f"{scheme}://{host}/{prefix}" if prefix else f"{scheme}://{host}"

    def form(self) -> Mapping[str, str]:
        """Of what an HTML form has sent."""
        return {name: values[-1] for name, values in parse_qs(self.body.decode()).items()}


class Answer(NamedTuple):
    status: int
    headers: Headers = ()
    body: bytes = b""
    pieces: Iterable[bytes] | None = None
    """Sent one by one as they come, instead of the body."""


@dataclass
class Refused(Exception):
    """Ends a request with this answer."""

    answer: Answer = field(repr=False)


def page(html: str, status: int = 200, *headers: tuple[str, str]) -> Answer:
    return Answer(status, [("Content-Type", "text/html; charset=utf-8"), *headers], html.encode())


def data(value: Any, status: int = 200, *headers: tuple[str, str]) -> Answer:
    text = json.dumps(value, ensure_ascii=False)
    return Answer(status, [("Content-Type", "application/json"), *headers], text.encode())


def redirect(where: str, status: int = 302, *headers: tuple[str, str]) -> Answer:
    return Answer(status, [("Location", where), *headers])
