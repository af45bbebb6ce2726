"""The text of an issuer's key set: over TLS, from exactly the address that was said, in bounded time and size."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Generator
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import SplitResult, urlsplit

from serverless_patterns_runtime import payload
from serverless_patterns_runtime.errors import MalformedPayload

__all__ = ["Unreadable", "key_source"]

_LONGEST_BYTES = 262_144
_SECONDS = 3.5  # for all that it takes: a function that a caller waits for has five
_CHUNK = 16_384
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Unreadable(Exception):
    """Quotes addresses, which are no secret, and never what came from them."""


def key_source(issuer: str, address: str | None, *, plain_loopback: bool) -> Callable[[], str]:
    """What gets the text of the key set from an address; without one the issuer is asked for it each time.

    It raises Unreadable.
    """

    def published() -> str:
        asking = Asking(plain_loopback)
        return asking.get(address or asking.address_of_keys(issuer))

    return published


class Asking:
    """One go: all its requests together are bounded in time."""

    def __init__(self, plain_loopback: bool) -> None:
        self._plain_loopback = plain_loopback
        self._deadline = time.monotonic() + _SECONDS

    def address_of_keys(self, issuer: str) -> str:
        """As the issuer says (OpenID Connect Discovery 1.0, section 4). Raises Unreadable."""
        address = f"{issuer.removesuffix('/')}/.well-known/openid-configuration"
        try:
            document: Any = payload.parse(self.get(address))
            said, keys = document["issuer"], document["jwks_uri"]
        except (MalformedPayload, KeyError, TypeError):
            raise Unreadable(f"{address} does not say where the keys are") from None
        if said != issuer or not isinstance(keys, str):
            raise Unreadable(f"{address} is not of the issuer {issuer}")
        return keys

    def get(self, address: str) -> str:
        """Raises Unreadable."""
        parts = _checked(address, self._plain_loopback)
        try:
            with self._connected(parts) as connection:
                target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
                connection.request("GET", target, headers={"Accept": "application/json"})
                answer = connection.getresponse()
                if answer.status != 200:
                    raise Unreadable(f"{address} answered {answer.status}")
                body = self._body(answer, address)
                self._left()  # a connection that was shut reads like one that has ended
                return body.decode()
        except (OSError, HTTPException, ValueError) as error:
            kind = TimeoutError if time.monotonic() >= self._deadline else type(error)
            raise Unreadable(f"{address} could not be read: {kind.__name__}") from None

    @contextlib.contextmanager
    def _connected(self, parts: SplitResult) -> Generator[HTTPConnection]:
        """Shut at the deadline, whatever it is at: each of a thousand pieces may come in time for itself."""
        host, https = parts.hostname or "", parts.scheme == "https"
        connection = (HTTPSConnection if https else HTTPConnection)(host, parts.port, timeout=self._left())
        plain = self._reached(host, connection.port)
        with plain.dup() as shut:  # what TLS makes of the first one takes its descriptor away
            alarm = threading.Timer(self._left(), lambda: _shut(shut))
            alarm.daemon = True
            alarm.start()
            try:
                connection.sock = plain
                if https:
                    connection.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=host)
                yield connection
            finally:
                alarm.cancel()
                alarm.join()
                connection.close()

    def _reached(self, host: str, port: int) -> socket.socket:
        """All addresses of a name together are bounded in time; that the name is found is up to the system."""
        failure: OSError = OSError("no address")
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            reached = socket.socket(family, kind, protocol)
            try:
                reached.settimeout(self._left())
                reached.connect(address)
            except OSError as error:
                reached.close()
                failure = error
            else:
                return reached
        raise failure

    def _body(self, answer: HTTPResponse, address: str) -> bytes:
        body = b""
        while chunk := answer.read1(_CHUNK):
            body += chunk
            if len(body) > _LONGEST_BYTES:
                raise Unreadable(f"{address} answered more than {_LONGEST_BYTES:,} bytes")
        return body

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other side was quicker
        connection.shutdown(socket.SHUT_RDWR)


def _checked(address: str, plain_loopback: bool) -> SplitResult:
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018  raises for what is none
    except ValueError:
        raise Unreadable("an address of keys is no URL") from None
    if not parts.hostname or parts.username is not None or parts.password is not None:
        raise Unreadable("an address of keys has no host, or a password")
    if parts.scheme != "https" and not (plain_loopback and parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise Unreadable(f"{parts.hostname} would be asked for keys without TLS")
    return parts
