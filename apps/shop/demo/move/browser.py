"""A browser, as far as the site can tell: keeps cookies, sends what it has, follows nothing by itself."""

import http.client
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 35  # above the longest that the gateway waits


class Page(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for given, value in self.headers if given.lower() == name.lower()]


class Browser:
    """One visitor's: for one thread at a time."""

    def __init__(self, url: str) -> None:
        """`url` is the site's, without a slash at the end."""
        self.cookies: dict[str, str] = {}
        self._parts = urlsplit(url)

    def ask(self, method: str, target: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Page:
        """Raises OSError or HTTPException when there is no answer."""
        jar = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        connect = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        connection = connect(self._parts.netloc, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(method, self._parts.path + target, body or None, {**jar, **(headers or {})})
            answer = connection.getresponse()
            page = Page(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()
        for line in page.all("Set-Cookie"):
            self._keep(line)
        return page

    def _keep(self, line: str) -> None:
        pair, *attributes = [part.strip() for part in line.split(";")]
        name, _, value = pair.partition("=")
        if "max-age=0" in [attribute.lower() for attribute in attributes]:
            self.cookies.pop(name, None)
        else:
            self.cookies[name] = value
