"""Headers on their way: what is of one hop ends here, what callers must not say of themselves is said anew."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.header_fields import is_name, listed

__all__ = ["checked", "end_to_end", "one_hop", "said_by_us"]

Headers = list[tuple[str, str]]

_UNPRINTABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")
"""Halves of surrogate pairs too, which no bytes stand for."""

_OF_PROXIES = ("proxy-authenticate", "proxy-authorization", "proxy-connection")
_ONE_HOP = frozenset(["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", *_OF_PROXIES])
"""RFC 9110, 7.6.1, and what older clients say; and all that `Connection` names."""

_REBUILT = frozenset(["host", "content-length", "expect", "forwarded", "x-original-url", "x-rewrite-url"])
"""And all of `X-Forwarded-*`. The last two make some servers take another path for the one that was authorised."""


def checked(given: Mapping[str, Iterable[str]]) -> Headers:
    """Raises PermanentError: 400 for what could end a header or a request, 501 for a change of protocol."""
    headers = [(name, value) for name, values in given.items() for value in values]
    lengths: list[str] = []
    for name, value in headers:
        if not is_name(name):
            raise PermanentError("a header's name is none", status=400)
        if _UNPRINTABLE.search(value):
            raise PermanentError(f"the header {name} has a control character", status=400)
        lowered = name.lower()
        if lowered == "upgrade" or lowered.startswith("sec-websocket-"):
            raise PermanentError("this API speaks HTTP alone, no WebSocket", status=501)
        if lowered in ("content-length", "transfer-encoding"):
            lengths.append(value if lowered == "content-length" else "")
    if len(lengths) > 1 or (lengths and not re.fullmatch("[0-9]*", lengths[0])):
        raise PermanentError("a request has one length", status=400)
    return headers


def end_to_end(headers: Headers) -> Headers:
    """Without those of one hop, and without those that `said_by_us` and the connection say."""
    dropped = one_hop(headers)
    # Servers that put headers into variables take `X_Forwarded_For` for `X-Forwarded-For`.
    spelled = ((name.lower().replace("_", "-"), name, value) for name, value in headers)
    return [
        (name, value)
        for known, name, value in spelled
        if known not in dropped and known not in _REBUILT and not known.startswith("x-forwarded-")
    ]


def one_hop(headers: Headers) -> frozenset[str]:
    """Names, in lower case, of those that end here."""
    return _ONE_HOP.union(listed(headers, "connection"))


def said_by_us(context: Mapping[str, Any], prefix: str) -> Headers:
    """What of the request only its first reader knows; no caller can write in the gateway's `context`.

    Raises ValueError for what no gateway writes: legacy may lean on the address.
    """
    address: str = context["identity"]["sourceIp"]
    if not address:
        raise ValueError("requestContext.identity.sourceIp is no address")
    said = {
        "X-Forwarded-For": address,
        "X-Forwarded-Host": context.get("domainName"),
        "X-Forwarded-Port": "443",
        "X-Forwarded-Prefix": prefix,
        "X-Forwarded-Proto": "https",
    }
    return checked({name: [value] for name, value in said.items() if value})
