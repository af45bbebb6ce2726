"""HTTP/1.1 answers off a connection, read strictly: what two readers could take differently is refused (RFC 9112).

The standard library's reader takes lengths that contradict each other, signs and underscores in lengths, and early
hints for the answer.
"""

import re
import time
from typing import NamedTuple, Protocol

from serverless_patterns_runtime.header_fields import is_name, listed

__all__ = ["Message", "Socket", "Stream", "Unreadable", "read"]

MOST_HEAD_BYTES = 65_536
MOST_INTERIM = 10
_PIECE = 65_536

_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\x00\r]*)?")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,12})[ \t]*(?:;[^\x00\r]*)?")


class Unreadable(Exception):
    """What came is no answer, or more than one."""


class Socket(Protocol):
    def settimeout(self, value: float | None, /) -> None: ...
    def recv(self, size: int, /) -> bytes: ...
    def send(self, data: memoryview, /) -> int: ...


class Message(NamedTuple):
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    reusable: bool
    """Whether the connection is where the next answer begins."""


class Stream:
    """Both directions, until a deadline that holds for all: each of a thousand pieces may be quick in itself."""

    def __init__(self, socket: Socket, deadline: float) -> None:
        self._socket = socket
        self._deadline = deadline
        self._buffer, self._at = b"", 0
        self.began = False
        """Whether anything came."""

    def send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            self._wait()
            view = view[self._socket.send(view[:_PIECE]) :]

    def line(self, most: int) -> bytes:
        """Without its end."""
        while (end := self._buffer.find(b"\n", self._at)) < 0:
            if len(self._buffer) - self._at > most:
                raise Unreadable("a line has no end")
            self._buffer, self._at = self._rest() + self._some(), 0
        line, self._at = self._buffer[self._at : end], end + 1
        return line.removesuffix(b"\r")

    def exactly(self, count: int) -> bytes:
        if len(self._buffer) - self._at >= count:
            self._at += count
            return self._buffer[self._at - count : self._at]
        pieces = [self._rest()]
        missing = count - len(pieces[0])
        while missing > 0:
            piece = self._some()
            pieces.append(piece[:missing])
            self._buffer, self._at = piece, min(missing, len(piece))
            missing -= len(piece)
        return b"".join(pieces)

    def until_end(self, most: int) -> bytes:
        pieces = [self._rest()]
        count = len(pieces[0])
        self._buffer, self._at = b"", 0
        while piece := self._next():
            count += len(piece)
            if count > most:
                raise too_large(most)
            pieces.append(piece)
        return b"".join(pieces)

    @property
    def empty(self) -> bool:
        return self._at == len(self._buffer)

    def _rest(self) -> bytes:
        return self._buffer[self._at :]

    def _some(self) -> bytes:
        piece = self._next()
        if not piece:
            raise ConnectionResetError("the answer ends too early")
        return piece

    def _next(self) -> bytes:
        self._wait()
        piece = self._socket.recv(_PIECE)
        self.began = self.began or bool(piece)
        return piece

    def _wait(self) -> None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)


def read(stream: Stream, method: str, most_bytes: int) -> Message:
    """The final answer to a request. Raises Unreadable, and OSError when it does not come whole."""
    for _ in range(MOST_INTERIM):
        status = _STATUS.fullmatch(stream.line(MOST_HEAD_BYTES))
        if status is None:
            raise Unreadable("it does not begin as an answer does")
        code, headers = int(status[2]), _headers(stream)
        if code >= 200:
            return _whole(stream, method, most_bytes, code, headers, old=status[1] == b"0")
        if code == 101:
            raise Unreadable("it changes the protocol")
    raise Unreadable("it announces itself without end")


def _whole(
    stream: Stream, method: str, most: int, status: int, headers: list[tuple[str, str]], *, old: bool
) -> Message:
    tokens = listed(headers, "connection")
    lengths, codings = listed(headers, "content-length"), listed(headers, "transfer-encoding")
    if codings and (codings != ["chunked"] or lengths or old):
        raise Unreadable("its length can be read in two ways")
    if len(set(lengths)) > 1 or not all(re.fullmatch("[0-9]{1,18}", length) for length in lengths):
        raise Unreadable("its length is none")
    kept = not old and "close" not in tokens
    if method != "HEAD" and _is_stream(headers):
        raise Unreadable("it streams events")  # and may never end
    if method == "HEAD" or status in (204, 304):
        body = b""
    elif codings:
        body = _chunked(stream, most)
    elif lengths:
        if int(lengths[0]) > most:
            raise too_large(most)
        body = stream.exactly(int(lengths[0]))
    else:
        body, kept = stream.until_end(most), False
    return Message(status, headers, body, kept and stream.empty)


def _headers(stream: Stream) -> list[tuple[str, str]]:
    headers: list[tuple[str, str]] = []
    left = MOST_HEAD_BYTES
    while line := stream.line(left):
        left -= len(line) + 2
        if left < 0:
            raise Unreadable("its headers have no end")
        text = line.decode("latin-1")
        if "\r" in text or "\x00" in text:
            raise Unreadable("a header has a control character")
        if line[:1] in (b" ", b"\t"):  # folded, which is no longer allowed: unfolded before it goes on
            if not headers:
                raise Unreadable("its headers begin in the middle")
            headers[-1] = (headers[-1][0], f"{headers[-1][1]} {text.strip(_BLANKS)}".strip(_BLANKS))
            continue
        name, colon, value = text.partition(":")
        name = name.rstrip(_BLANKS)
        if not colon or not is_name(name):
            raise Unreadable("a header has no name")
        headers.append((name, value.strip(_BLANKS)))
    return headers


_BLANKS = " \t"


def _is_stream(headers: list[tuple[str, str]]) -> bool:
    return any(
        name.lower() == "content-type" and value.lower().startswith("text/event-stream") for name, value in headers
    )


def _chunked(stream: Stream, most: int) -> bytes:
    pieces: list[bytes] = []
    count = 0
    while True:
        size = _CHUNK.fullmatch(stream.line(1024))
        if size is None:
            raise Unreadable("a piece has no length")
        length = int(size[1], 16)
        if not length:
            _headers(stream)  # trailers, which nobody can be given any more
            return b"".join(pieces)
        count += length
        if count > most:
            raise too_large(most)
        pieces.append(stream.exactly(length))
        if stream.line(2):
            raise Unreadable("a piece is longer than it says")


def too_large(most: int) -> Unreadable:
    return Unreadable(f"it holds more than {most:,} bytes")
