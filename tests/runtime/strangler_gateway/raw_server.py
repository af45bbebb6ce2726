"""A server on this machine whose every byte is seen and said: requests as they came, answers as a test wrote them."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Says = Callable[["Connected", bytes], None]
"""What a server does with a whole request: it writes to the connection, or closes it."""


@dataclass
class Connected:
    socket: socket.socket
    open: bool = True

    def say(self, data: bytes) -> None:
        self.socket.sendall(data)

    def close(self) -> None:
        self.open = False


def answers(data: bytes, *, close: bool = False) -> Says:
    def say(connection: Connected, _: bytes) -> None:
        connection.say(data)
        if close:
            connection.close()

    return say


def hangs_up(connection: Connected, _: bytes) -> None:
    connection.close()


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass
class RawServer:
    port: int
    says: Says = field(default_factory=lambda: answers(OK))
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    silent: threading.Event = field(default_factory=threading.Event)
    """Set: nobody waits for it any more."""
    open_sockets: list[socket.socket] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def is_silent(self, _: Connected, __: bytes) -> None:
        """Until the test is over."""
        self.silent.wait()

    def forget(self) -> None:
        self.silent.set()
        self.silent = threading.Event()
        self.drop_connections()
        self.says, self.connections = answers(OK), 0
        self.requests.clear()

    def drop_connections(self) -> None:
        """As a server does with those that were idle for too long."""
        while self.open_sockets:
            with suppress(OSError):
                self.open_sockets.pop().shutdown(socket.SHUT_RDWR)

    def serve(self, accepted: socket.socket) -> None:
        connection = Connected(accepted)
        with accepted, suppress(OSError):
            self.open_sockets.append(accepted)
            received = b""
            while connection.open:
                whole = _whole(received)
                if whole:
                    request, received = received[:whole], received[whole:]
                    self.requests.append(request)
                    self.says(connection, request)
                    continue
                piece = accepted.recv(1 << 20)
                if not piece:
                    return
                received += piece


def _whole(received: bytes) -> int:
    """How long the first request is; 0: not all of it has come."""
    head, found, body = received.partition(b"\r\n\r\n")
    if not found:
        return 0
    lengths = [line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    length = int(lengths[0]) if lengths else 0
    return len(head) + 4 + length if len(body) >= length else 0


@contextmanager
def raw_server(tls: ssl.SSLContext | None = None) -> Iterator[RawServer]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = RawServer(listening.getsockname()[1])

    def accept() -> None:
        while True:
            try:
                accepted, _ = listening.accept()
            except OSError:
                return
            server.connections += 1
            threading.Thread(target=serve, args=(accepted,), daemon=True).start()

    def serve(accepted: socket.socket) -> None:
        with suppress(OSError):  # no handshake
            server.serve(tls.wrap_socket(accepted, server_side=True) if tls else accepted)

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.silent.set()
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()
        server.drop_connections()
