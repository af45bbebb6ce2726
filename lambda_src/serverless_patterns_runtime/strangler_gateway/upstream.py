"""A server that requests are forwarded to: legacy, or a service of the new side. Fixed before deployment."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from serverless_patterns_runtime.strangler_gateway.addresses import Resolve, allowed, resolved
from serverless_patterns_runtime.strangler_gateway.arrival import Arrival
from serverless_patterns_runtime.strangler_gateway.canonical_path import parameters
from serverless_patterns_runtime.strangler_gateway.connection import Connection, Lost, Place, Unreached
from serverless_patterns_runtime.strangler_gateway.contract import Migration
from serverless_patterns_runtime.strangler_gateway.failure import Failed
from serverless_patterns_runtime.strangler_gateway.headers import one_hop
from serverless_patterns_runtime.strangler_gateway.proxy_answer import MAX_BYTES, ProxyAnswer
from serverless_patterns_runtime.strangler_gateway.wire import Message, Unreadable

__all__ = ["HttpUpstream"]

_WITH_BODY = ("PATCH", "POST", "PUT")


class HttpUpstream:
    def __init__(
        self,
        url: str,
        migration: Migration,
        *,
        template: bool = False,
        added: Mapping[str, str] | None = None,
        resolve: Resolve = resolved,
    ) -> None:
        """`template`: the URL names the route's parameters (`/v2/{id}`), instead of standing before every path.

        `added`: headers, in the place of the caller's. Raises ValueError for an address that no request may go to.
        """
        loopback, private = migration["loopback"], migration["private"]
        self._place = Place.of(url)
        if not self._place.tls and not (loopback and self._place.host in ("127.0.0.1", "::1", "localhost")):
            raise ValueError("an upstream is asked over TLS")
        self._path = urlsplit(url).path.removesuffix("/") if not template else urlsplit(url).path or "/"
        self._template = template
        self._added = [*(added or {}).items()]
        self._replaced = frozenset(name.lower() for name, _ in self._added)
        self._connection = Connection(
            self._place, lambda address: allowed(address, private=private, loopback=loopback), resolve
        )

    def ask(self, arrival: Arrival, deadline: float) -> ProxyAnswer:
        """`deadline`: of the whole exchange, by `time.monotonic`. Raises Failed."""
        request = self._head(arrival) + arrival.body
        try:
            message = self._connection.exchange(request, arrival.method, deadline, MAX_BYTES, again=arrival.safe)
        except TimeoutError:
            raise Failed(504, "the upstream has not answered in time") from None
        except Unreached as error:
            raise Failed(502, "the upstream cannot be reached") from error
        except Lost as error:
            raise Failed(502, "the upstream has broken the connection") from error
        except Unreadable as error:
            raise Failed(502, f"the upstream's answer cannot be passed on: {error}") from None
        return _answer(message, arrival.method)

    def _head(self, arrival: Arrival) -> bytes:
        path = self._path + arrival.path
        if self._template:
            path = self._path
            for name, value in parameters(arrival.resource, arrival.path).items():
                path = path.replace(f"{{{name}}}", value).replace(f"{{{name}+}}", value)
        target = f"{path}?{arrival.query}" if arrival.query else path
        kept = [header for header in arrival.headers if header[0].lower() not in self._replaced]
        headers = [("Host", self._place.authority), *kept, *self._added]
        if arrival.body or arrival.method in _WITH_BODY:
            headers.append(("Content-Length", str(len(arrival.body))))
        lines = [f"{arrival.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "", ""]
        text = "\r\n".join(lines)
        try:
            return text.encode("latin-1")
        except UnicodeEncodeError:  # a gateway that takes the bytes of headers for UTF-8
            return text.encode()


def _answer(message: Message, method: str) -> ProxyAnswer:
    dropped = one_hop(message.headers)
    if method != "HEAD":
        dropped |= {"content-length"}
    headers = [(name, value) for name, value in message.headers if name.lower() not in dropped]
    return ProxyAnswer(message.status, headers, message.body)
