"""Whatever the event, and whatever an upstream says: one whole request is forwarded at most, and one answer given."""

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ..api_proxy.test_any_event import JSON, change, paths
from . import gateway_model
from .raw_server import RawServer, answers, raw_server
from .router import Router, get

EVENT = gateway_model.event(
    get("/profile/5?a=1&b=2", b"Cookie: a=b", b"X-Tag: 1", b"X-Tag: 2", method=b"POST", body=b"hello"), "/profile/{id}"
)
PATHS = [path for path in paths(EVENT) if path]
ODD = st.sampled_from(
    ["\r\n\r\nGET /evil HTTP/1.1\r\nHost: evil\r\n\r\n", "\n", "\r", "\x00", "\u2028", "\u0000\u010a", "\udcff", "a b"]
)
TEXT = st.one_of(ODD, st.text(max_size=10), st.tuples(st.text(max_size=5), ODD, st.text(max_size=5)).map("".join))
VALUE = st.one_of(TEXT, TEXT.map(lambda text: [text]), TEXT.map(lambda text: {text: [text]}), JSON)

WHOLE = re.compile(
    rb"[A-Z]+ /[!-~]* HTTP/1\.1\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+: [^\x00-\x08\x0a-\x1f\x7f]*\r\n)+\r\n", re.DOTALL
)


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[RawServer, Router]]:
    with raw_server() as server:
        yield server, Router(server)


@given(st.lists(st.tuples(st.sampled_from(PATHS), VALUE, st.booleans()), min_size=1, max_size=3))
@settings(max_examples=400)
def test_one_whole_request_is_forwarded_at_most(
    world: tuple[RawServer, Router], changes: list[tuple[tuple[Any, ...], Any, bool]]
):
    server, router = world
    server.requests.clear()
    sent = copy.deepcopy(EVENT)
    for path, value, remove in changes:
        change(sent, path, value, remove=remove)
    answer = router.give(sent)
    assert re.fullmatch("[2345][0-9]{2}", answer.start)
    assert len(server.requests) == (1 if answer.start == "200" else 0)
    for request in server.requests:
        head, _, body = request.partition(b"\r\n\r\n")
        assert WHOLE.fullmatch(head + b"\r\n\r\n"), request
        lengths = re.findall(rb"(?im)^content-length: ([0-9]+)\r?$", head)
        assert [int(length) for length in lengths] == ([len(body)] if lengths else [])
        assert len(re.findall(rb"(?im)^(?:host|x-forwarded-for): ", head)) == 2
        assert not re.search(rb"(?im)^(?:transfer-encoding|connection|upgrade)\s*:", head)


PIECE = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 103 Early\r\n\r\n",
        b"HTTP/1.1 204 No\r\n",
        b"HTTP/1.0 200 OK\r\n",
        b"Content-Length: 5\r\n",
        b"Content-Length: 0\r\n",
        b"Content-Length: 99999999999999999999\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Connection: close\r\n",
        b"Set-Cookie: a\r\n",
        b" folded\r\n",
        b"\r\n",
        b"\n",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b"hello",
        b"\x00",
    ]
)


@given(st.lists(st.one_of(PIECE, st.binary(max_size=8)), max_size=12).map(b"".join))
@settings(max_examples=400)
def test_whatever_an_upstream_says_there_is_one_answer(world: tuple[RawServer, Router], said: bytes):
    server, router = world
    server.says = answers(said, close=True)
    try:
        answer = router.send(get("/page"))
        again = router.send(get("/page"))
    finally:
        server.says = answers(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert re.fullmatch("[2345][0-9]{2}", answer.start)
    assert (answer.start, answer.headers[:1], answer.body) == (again.start, again.headers[:1], again.body)
