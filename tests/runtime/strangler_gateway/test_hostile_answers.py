"""What an upstream may say on its connection: read as it is meant, or refused; never read as something else."""

import json
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from serverless_patterns_runtime.strangler_gateway import connection as connections

from .gateway_model import Parts
from .raw_server import Connected, RawServer, answers, hangs_up
from .router import Router, get


def asked(legacy: RawServer, answer: bytes, *, close: bool = True, method: bytes = b"GET") -> Parts:
    legacy.says = answers(answer, close=close)
    return Router(legacy, legacy_timeout_seconds=20.0).send(get("/page", method=method))


GOOD = {
    "with a length": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "200", b"hello"),
    "without a reason": (b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello", "200", b"hello"),
    "a length said twice alike": (b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello", "200", b"hello"),
    "until the end": (b"HTTP/1.1 200 OK\r\n\r\nhello", "200", b"hello"),
    "old": (b"HTTP/1.0 200 OK\r\n\r\nhello", "200", b"hello"),
    "in pieces": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nTrailer: x\r\n\r\n",
        "200",
        b"hello",
    ),
    "after early hints": (
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "200",
        b"hello",
    ),
    "204 with a length": (b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", "204", b""),
    "304 with a length": (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: x\r\n\r\n", "304", b""),
    "a status of its own": (b"HTTP/1.1 599 Mine\r\nContent-Length: 0\r\n\r\n", "599", b""),
    "line feeds alone": (b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", "200", b"hello"),
}


@pytest.mark.parametrize("name", GOOD)
def test_an_answer_is_read_as_it_is_meant(legacy: RawServer, name: str):
    raw, status, body = GOOD[name]
    assert asked(legacy, raw)[::2] == (status, body)


def test_an_answer_to_head_has_its_length_and_no_body(legacy: RawServer):
    answer = asked(legacy, b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", method=b"HEAD")
    assert (answer.start, answer.all("Content-Length"), answer.body) == ("200", ["500"], b"")


BAD = {
    "nothing": b"",
    "half a line": b"HTTP/1.1 200",
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "another HTTP": b"HTTP/2.0 200 OK\r\n\r\n",
    "a status of two digits": b"HTTP/1.1 20 OK\r\n\r\n",
    "a status of four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "a change of protocol": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
    "hints without end": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50,
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "two lengths in one": b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello!",
    "a length and pieces": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a length with a sign": b"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
    "a negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhello",
    "a length in hex": b"HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\nhello",
    "an empty length": b"HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nhello",
    "a length beyond what came": b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello",
    "a length beyond all limits": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
    "another coding": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "pieces of an old server": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a piece with a sign": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\na\r\n0\r\n\r\n",
    "a piece with an underscore": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0_1\r\na\r\n0\r\n\r\n",
    "a piece in 0x": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n",
    "a piece longer than it says": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
    "pieces without an end": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
    "a header without a colon": b"HTTP/1.1 200 OK\r\nContent-Length 5\r\n\r\nhello",
    "a header without a name": b"HTTP/1.1 200 OK\r\n: 5\r\n\r\nhello",
    "a name with a space": b"HTTP/1.1 200 OK\r\nContent Length: 5\r\n\r\nhello",
    "a first line that is folded": b"HTTP/1.1 200 OK\r\n folded: 5\r\n\r\nhello",
    "a carriage return in a value": b"HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n",
    "a NUL in a value": b"HTTP/1.1 200 OK\r\nX: a\x00b\r\nContent-Length: 0\r\n\r\n",
    "a line without end": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000,
    "headers without end": b"HTTP/1.1 200 OK\r\n" + b"Keep-Alive: yyyyyyyy\r\n" * 10_000 + b"Content-Length: 0\r\n\r\n",
    "events that are streamed": b"HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream; charset=utf-8\r\n\r\ndata: 1\n\n",
    "headers beyond the gateway's limit": b"HTTP/1.1 200 OK\r\nX: %s\r\nContent-Length: 0\r\n\r\n" % (b"x" * 12_000),
}


@pytest.mark.parametrize("name", BAD)
def test_what_can_be_read_in_two_ways_or_not_at_all_is_502(legacy: RawServer, name: str):
    answer = asked(legacy, BAD[name])
    assert answer.start == "502", answer
    assert answer.all("Content-Type") == ["application/problem+json"]
    assert json.loads(answer.body)["correlation_id"]


ENDLESS = {
    "events that are streamed": BAD["events that are streamed"],
    "a change of protocol": BAD["a change of protocol"],
    "pieces": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"fffff\r\n%s\r\n" % (b"x" * 0xFFFFF) * 7,
    "a body": b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 7_000_000,
}


@pytest.mark.parametrize("name", ENDLESS)
def test_what_never_ends_is_refused_at_once_and_not_after_all_the_time(legacy: RawServer, name: str):
    began = time.monotonic()
    assert asked(legacy, ENDLESS[name], close=False).start == "502"
    assert time.monotonic() - began < 15


# Connections.


def test_a_connection_is_kept_from_one_request_to_the_next(legacy: RawServer):
    router = Router(legacy)
    for method in (b"GET", b"POST", b"HEAD", b"GET"):
        legacy.says = answers(b"HTTP/1.1 204 No Content\r\n\r\n")
        assert router.send(get("/page", method=method)).start == "204"
    assert legacy.connections == 1


NOT_KEPT = {
    "that closes": b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 2\r\n\r\nok",
    "that is old": b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
    "with more behind it": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
}


@pytest.mark.parametrize("name", NOT_KEPT)
def test_after_an_answer_like_this_the_connection_is_not_used_again(legacy: RawServer, name: str):
    router = Router(legacy)
    legacy.says = answers(NOT_KEPT[name])
    assert [router.send(get("/page")).body for _ in range(2)] == [b"ok", b"ok"]
    assert legacy.connections == 2


def test_after_a_body_that_was_not_read_to_its_end_the_connection_is_not_used_again(legacy: RawServer):
    router = Router(legacy)
    legacy.says = answers(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n" + b"x" * 9_999_999)
    assert router.send(get("/page")).start == "502"
    legacy.says = answers(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert router.send(get("/page")).body == b"ok"
    assert legacy.connections == 2


def test_what_a_server_says_unasked_is_the_answer_to_nothing(legacy: RawServer):
    def late(connection: Connected, _: bytes) -> None:
        connection.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        assert asked_once.wait(10)
        connection.say(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")

    asked_once = threading.Event()
    router = Router(legacy)
    legacy.says = late
    assert router.send(get("/page")).body == b"ok"
    asked_once.set()
    kept = router.edge.legacy._connection._socket  # type: ignore[attr-defined]
    assert select.select([kept], [], [], 10)[0]
    assert router.send(get("/page")).body == b"ok"
    assert legacy.connections == 2


def test_a_connection_that_the_server_has_closed_is_not_used(legacy: RawServer):
    router = Router(legacy)
    router.send(get("/page"))
    legacy.drop_connections()
    assert router.send(get("/page", method=b"POST")).body == b"ok"


@contextmanager
def unseen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The end of a kept connection shows only when it is used: the packet was still on its way."""
    with monkeypatch.context() as patch:
        patch.setattr(connections, "_readable", lambda _: False)
        yield


@pytest.mark.parametrize(("method", "status", "arrived"), [(b"GET", "200", 2), (b"POST", "502", 2)])
def test_one_that_dies_in_use_is_tried_again_for_what_may_be_sent_twice(
    legacy: RawServer, monkeypatch: pytest.MonkeyPatch, method: bytes, status: str, arrived: int
):
    router = Router(legacy)
    router.send(get("/page"))
    legacy.says = dies_once()
    with unseen(monkeypatch):
        assert router.send(get("/page", method=method)).start == status
    assert len(legacy.requests) == arrived + (method == b"GET")


def dies_once() -> Callable[[Connected, bytes], None]:
    died: list[bool] = []

    def say(connection: Connected, request: bytes) -> None:
        if died:
            answers(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")(connection, request)
        else:
            died.append(True)
            hangs_up(connection, request)

    return say


def test_one_that_dies_in_the_middle_of_an_answer_is_not_tried_again(legacy: RawServer):
    router = Router(legacy)
    router.send(get("/page"))
    legacy.says = answers(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf", close=True)
    assert router.send(get("/page")).start == "502"
    assert len(legacy.requests) == 2


def test_what_must_not_be_sent_twice_goes_over_no_connection_that_was_idle_for_long(
    legacy: RawServer, monkeypatch: pytest.MonkeyPatch
):
    router = Router(legacy)
    router.send(get("/page"))
    now = time.monotonic()
    monkeypatch.setattr(connections.time, "monotonic", lambda: now + 10.0)
    router.send(get("/page"), timeout=60)
    assert legacy.connections == 1
    monkeypatch.setattr(connections.time, "monotonic", lambda: now + 20.0)
    router.send(get("/page", method=b"POST"), timeout=60)
    assert legacy.connections == 2


def test_a_busy_connection_ends_some_day_so_that_its_name_is_looked_up_again(
    legacy: RawServer, monkeypatch: pytest.MonkeyPatch
):
    router, began = Router(legacy), time.monotonic()
    for seconds in range(0, 340, 20):
        monkeypatch.setattr(connections.time, "monotonic", lambda now=began + seconds: now)
        router.send(get("/page"), timeout=60)
    assert legacy.connections == 2


def test_a_server_that_answers_before_it_has_read_all_is_heard(legacy: RawServer):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        legacy = RawServer(listening.getsockname()[1])

        def refuse() -> None:
            accepted, _ = listening.accept()
            with accepted:
                accepted.recv(1000)
                accepted.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
                accepted.shutdown(socket.SHUT_WR)
                while accepted.recv(1 << 20):
                    pass

        thread = threading.Thread(target=refuse, daemon=True)
        thread.start()
        answer = Router(legacy).send(get("/page", method=b"PUT", body=b"x" * 3_000_000))
        thread.join()
    assert (answer.start, answer.body) == ("413", b"no")


class Refusing:
    """A socket whose other end has answered, and reads no more."""

    closed = False

    def settimeout(self, value: float | None) -> None: ...

    def send(self, data: memoryview) -> int:  # noqa: ARG002
        raise BrokenPipeError

    def recv(self, size: int) -> bytes:  # noqa: ARG002
        return b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno"

    def close(self) -> None:
        self.closed = True


def test_what_it_says_then_is_the_answer_and_the_connection_is_not_kept(monkeypatch: pytest.MonkeyPatch):
    refusing = Refusing()
    monkeypatch.setattr(connections.Connection, "_connected", lambda *_: refusing)
    connection = connections.Connection(connections.Place("legacy.example", 80, False), lambda _: True)
    message = connection.exchange(b"x", "PUT", time.monotonic() + 5, 100, again=False)
    assert (message.status, message.body, message.reusable) == (413, b"no", True)
    assert refusing.closed


# Time.


def drip(server: RawServer, whole: bytes) -> Callable[[Connected, bytes], None]:
    """A byte at a time, each quick enough for itself."""

    def say(connection: Connected, _: bytes) -> None:
        for byte in whole:
            connection.say(bytes([byte]))
            if server.silent.wait(0.05):
                return

    return say


SLOW = {
    "in its head": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1000,
    "in its body": b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000,
    "in its pieces": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 200,
    "in its hints": b"HTTP/1.1 100 Continue\r\n\r\n" * 9,
}


@pytest.mark.parametrize("name", SLOW)
def test_the_deadline_is_of_the_whole_exchange(legacy: RawServer, name: str):
    legacy.says = drip(legacy, SLOW[name])
    began = time.monotonic()
    assert Router(legacy, legacy_timeout_seconds=0.5).send(get("/page")).start == "504"
    assert time.monotonic() - began < 15


def test_a_server_that_does_not_read_is_left_at_the_deadline():
    with socket.create_server(("127.0.0.1", 0), backlog=1) as listening:
        legacy = RawServer(listening.getsockname()[1])
        began = time.monotonic()
        router = Router(legacy, legacy_timeout_seconds=0.5, max_body_bytes=50_000_000)
        assert router.send(get("/page", method=b"PUT", body=b"x" * 40_000_000)).start == "504"
        assert time.monotonic() - began < 3
