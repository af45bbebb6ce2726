"""What a business function answers behind an API."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from serverless_patterns_runtime.header_fields import is_name

__all__ = ["Response"]

NO_CONTENT = (204, 205, 304)
"""Answers with these statuses have no body (RFC 9110)."""

# A line break would begin another header; beyond ASCII every hop reads something else.
_VALUE = re.compile(r"[\t\x20-\x7e]*")


def _no_headers() -> Mapping[str, str | Sequence[str]]:
    return {}


@dataclass(frozen=True)
class Response:
    """An answer: `Response(201, {"order_id": 7}, headers={"Location": "/orders/7"})`.

    `status` is 200 to 599. `body` is a JSON value; bytes; or, with a `Content-Type` of your own that is not JSON, text
    that is sent as it is. None: no body. A header may have several values; a cookie is a whole `Set-Cookie` text.
    Raises ValueError for what HTTP cannot carry, such as a line break in a header. The body is looked at when it is
    answered: an error here would say that the work was not done, and its key would be free to do it again.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str | Sequence[str]] = field(default_factory=_no_headers)
    cookies: Sequence[str] = ()

    def __post_init__(self) -> None:
        if type(self.status) is not int or not 200 <= self.status <= 599:
            raise ValueError(f"a response's status is a whole number from 200 to 599, got {_shown(self.status)}")
        if self.status in NO_CONTENT and self.body is not None:
            raise ValueError(f"a response with status {self.status} has no body: leave it out, or answer 200")
        if isinstance(self.cookies, str):
            raise ValueError("a response's cookies are a list of Set-Cookie texts, got one text: write [...]")
        headers = {name: tuple(value) if isinstance(value, list) else value for name, value in self.headers.items()}
        object.__setattr__(self, "headers", headers)
        object.__setattr__(self, "cookies", tuple(self.cookies))
        for name, values in self.header_values():
            _check(name, values)

    def header_values(self) -> list[tuple[str, tuple[str, ...]]]:
        """Each header with its values, the cookies last, as `Set-Cookie`."""
        headers = cast("Mapping[str, str | tuple[str, ...]]", self.headers)
        given = [(name, value if isinstance(value, tuple) else (value,)) for name, value in headers.items()]
        return [*given, ("Set-Cookie", tuple(self.cookies))] if self.cookies else given


def _check(name: str, values: Sequence[str]) -> None:
    # Neither text is quoted: what a caller sent may be in it, and errors are logged.
    if not isinstance(name, str) or not is_name(name):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValueError("a response's header has a name that HTTP cannot carry: use letters, digits and hyphens")
    for value in values:
        if not isinstance(value, str) or not _VALUE.fullmatch(value):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValueError(f"the response's header {name} is not printable ASCII text: encode it first")


def _shown(status: object) -> str:
    return str(status) if isinstance(status, int) else f"a value of type {type(status).__name__}"
