"""One kept connection to one server: a sandbox serves one request at a time."""

import select
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import NamedTuple
from urllib.parse import urlsplit

from serverless_patterns_runtime.strangler_gateway.addresses import Resolve, resolved
from serverless_patterns_runtime.strangler_gateway.wire import Message, Stream, read

__all__ = ["Connection", "Lost", "Place", "Unreached"]

CONNECT_SECONDS = 5.0
"""To one address."""

IDLE_SECONDS = 30.0
IDLE_SECONDS_ONCE = 1.5
"""How long a connection may have been idle that is used again; the second for what must not be sent twice. Many servers
close theirs after two to five seconds, and a sandbox that was frozen has not heard of it."""

AGE_SECONDS = 300.0
"""After which a name is looked up again: its owner may have moved it."""

Admit = Callable[[str], bool]


class Unreached(Exception):
    """Nothing was sent. Its cause says why."""


class Lost(Exception):
    """The connection broke after something was sent: whether it had an effect is not known. Its cause says why."""


class Place(NamedTuple):
    host: str
    port: int
    tls: bool

    @classmethod
    def of(cls, url: str) -> "Place":
        """Raises ValueError for what is no address of a server."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
            raise ValueError("a server's address begins with https://, and has no user")
        tls = parts.scheme == "https"
        return cls(parts.hostname, parts.port or (443 if tls else 80), tls)

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"


class Connection:
    def __init__(self, place: Place, admit: Admit, resolve: Resolve = resolved) -> None:
        """`admit`: whether an address may be connected to."""
        self._place, self._admit, self._resolve = place, admit, resolve
        if place.tls:
            _tls()  # at init, which Lambda runs with more CPU: whom to trust is a file of a hundred certificates
        self._socket: socket.socket | None = None
        self._used_at = self._opened_at = 0.0

    def exchange(self, request: bytes, method: str, deadline: float, most_bytes: int, *, again: bool) -> Message:
        """`again`: whether the request may be sent twice, should a kept connection turn out to be dead.

        Raises Unreached, Lost, Unreadable, and TimeoutError at the deadline (`time.monotonic`).
        """
        kept = self._kept(IDLE_SECONDS if again else IDLE_SECONDS_ONCE)
        if kept is not None:
            stream = Stream(kept, deadline)
            try:
                return self._exchange(kept, stream, request, method, most_bytes)
            except Lost:
                if not again or stream.began:
                    raise
        made = self._connected(deadline)
        self._opened_at = time.monotonic()
        return self._exchange(made, Stream(made, deadline), request, method, most_bytes)

    def close(self) -> None:
        kept, self._socket = self._socket, None
        if kept is not None:
            kept.close()

    def _exchange(
        self, connected: socket.socket, stream: Stream, request: bytes, method: str, most_bytes: int
    ) -> Message:
        """The connection is kept only after an answer that ends where it says."""
        message, sent = None, False
        try:
            # A server may answer, and close, before it has read all: what it says decides.
            with suppress(BrokenPipeError, ConnectionResetError):
                stream.send(request)
                sent = True
            message = read(stream, method, most_bytes)
            return message
        except TimeoutError:
            raise
        except OSError as error:
            raise Lost from error
        finally:
            if sent and message is not None and message.reusable:
                self._socket, self._used_at = connected, time.monotonic()
            else:
                connected.close()

    def _kept(self, idle_seconds: float) -> socket.socket | None:
        """What can be read before anything was asked is the end, or an answer to nothing."""
        kept, self._socket = self._socket, None
        if kept is None:
            return None
        now = time.monotonic()
        fresh = now - self._used_at <= idle_seconds and now - self._opened_at <= AGE_SECONDS
        if fresh and not _readable(kept):
            return kept
        kept.close()
        return None

    def _connected(self, deadline: float) -> socket.socket:
        place = self._place
        try:
            addresses = self._resolve(place.host, place.port, _left(deadline))
            admitted = [address for address in addresses if self._admit(address)]
            if not admitted:
                raise Unreached("its name leads to an address that is not allowed")
            return self._reached(admitted, deadline)
        except TimeoutError as error:
            if time.monotonic() >= deadline:
                raise
            raise Unreached from error
        except OSError as error:
            raise Unreached from error

    def _reached(self, addresses: list[str], deadline: float) -> socket.socket:
        failure: OSError = OSError("no address")
        for address in addresses:
            seconds = min(_left(deadline), CONNECT_SECONDS)
            try:
                reached = socket.create_connection((address, self._place.port), seconds)
            except OSError as error:
                failure = error
                continue
            reached.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if not self._place.tls:
                return reached
            try:
                reached.settimeout(_left(deadline))
                return _tls().wrap_socket(reached, server_hostname=self._place.host)
            except BaseException:
                reached.close()
                raise
        raise failure


@cache
def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _readable(connected: socket.socket) -> bool:
    if isinstance(connected, ssl.SSLSocket) and connected.pending():
        return True
    poll = select.poll()
    poll.register(connected, select.POLLIN | select.POLLERR | select.POLLHUP)
    return bool(poll.poll(0))


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
