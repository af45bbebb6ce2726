"""What a caller sends is what an upstream reads, and what it answers is what the caller is sent: of any request."""

import json
from collections.abc import Iterator
from urllib.parse import quote, unquote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from . import gateway_model
from .gateway_model import parts
from .raw_server import RawServer, answers, raw_server
from .router import Router

TOKEN = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789!#$%&'*+-.^`|~", min_size=1, max_size=12)
"""Without an underscore, by which some servers take one header for another."""
LATIN = st.characters(min_codepoint=0x20, max_codepoint=0xFF, blacklist_characters="\x7f")
VALUE = st.text(LATIN, max_size=30).map(lambda text: text.strip(" \t"))
OURS = {"host", "content-length", "expect", "forwarded", "x-original-url", "x-rewrite-url", "upgrade", "connection"}
OURS |= {"te", "trailer", "transfer-encoding", "keep-alive", "proxy-connection", "idempotency-key"}


def plain(header: tuple[str, str]) -> bool:
    name = header[0].lower()
    return name not in OURS and not name.startswith(("x-forwarded-", "sec-websocket-", "proxy-"))


HEADERS = st.lists(st.tuples(TOKEN, VALUE).filter(plain), max_size=6)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffd"), max_size=8)
QUERY = st.lists(st.tuples(TEXT, TEXT), max_size=5)
SEGMENT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/\\;%"), min_size=1, max_size=8
).filter(lambda text: text not in (".", ".."))
PATH = st.lists(SEGMENT, max_size=4).map(lambda segments: "/" + "/".join(quote(one, safe="") for one in segments))
METHOD = st.sampled_from([b"DELETE", b"GET", b"OPTIONS", b"PATCH", b"POST", b"PUT"])
BODY = st.one_of(st.just(b""), st.binary(max_size=300), st.binary(min_size=70_000, max_size=70_010))


@pytest.fixture(scope="module")
def echo() -> Iterator[tuple[RawServer, Router]]:
    with raw_server() as server:
        yield server, Router(server)


def raw(method: bytes, target: str, headers: list[tuple[str, str]], body: bytes) -> bytes:
    lines = [method + b" " + target.encode() + b" HTTP/1.1", b"Host: shop.example"]
    lines += [name.encode() + b": " + value.encode("latin-1") for name, value in headers]
    lines += [b"Content-Length: %d" % len(body)] if body else []
    return b"\r\n".join([*lines, b"", b""]) + body


@settings(max_examples=150)
@given(METHOD, PATH, QUERY, HEADERS, BODY)
def test_a_request_arrives(
    echo: tuple[RawServer, Router],
    method: bytes,
    path: str,
    query: list[tuple[str, str]],
    headers: list[tuple[str, str]],
    body: bytes,
) -> None:
    server, router = echo
    server.requests.clear()
    text = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query)
    assert router.send(raw(method, f"{path}?{text}" if text else path, headers, body)).start == "200"
    (request,) = map(parts, server.requests)
    said, target, _ = request.start.split(" ")
    assert (said.encode(), target.partition("?")[0], request.body) == (method, path, body)
    assert by_name(decoded(target)) == by_name(query)
    ours = {"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Proto"}
    ours |= {"Host", "Content-Length"}
    kept = [(name, value) for name, value in request.headers if name not in ours]
    assert by_name(kept) == by_name(headers)


def by_name(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    """The gateway keeps the order of the values of each name, and of names that of their first values."""
    several: dict[str, list[str]] = {}
    for name, value in pairs:
        several.setdefault(name, []).append(value)
    return several


def decoded(target: str) -> list[tuple[str, str]]:
    text = target.partition("?")[2]
    pairs = [pair.partition("=") for pair in text.split("&")] if text else []
    return [(unquote_plus(name), unquote_plus(value)) for name, _, value in pairs]


FRAMING = st.sampled_from(["length", "chunks", "end"])
STATUS = st.integers(200, 599).filter(lambda status: status not in (204, 304))
ANSWER_HEADERS = st.lists(
    st.tuples(st.one_of(TOKEN, st.sampled_from(["Set-Cookie", "set-cookie", "Content-Encoding", "Vary"])), VALUE)
    .filter(plain)
    .filter(lambda header: header[0].lower() != "content-type"),
    max_size=6,
)
TYPE = st.sampled_from(
    ["text/html; charset=iso-8859-1", "application/json", "image/png", "", "application/problem+json"]
)


@settings(max_examples=150)
@given(STATUS, ANSWER_HEADERS, TYPE, BODY, FRAMING, st.integers(1, 50))
def test_an_answer_arrives(
    echo: tuple[RawServer, Router],
    status: int,
    headers: list[tuple[str, str]],
    media_type: str,
    body: bytes,
    framing: str,
    piece: int,
) -> None:
    server, router = echo
    said = [*headers, *([("Content-Type", media_type)] if media_type else [])]
    server.says = answers(framed(status, said, body, framing, max(piece, len(body) // 20)), close=framing == "end")
    answer = router.send(raw(b"GET", "/", [], b""))
    assert (answer.start, answer.body) == (str(status), body)
    assert by_name([(name.lower(), value) for name, value in answer.headers]) == by_name(
        [(name.lower(), value) for name, value in said]
    )


def framed(status: int, headers: list[tuple[str, str]], body: bytes, framing: str, piece: int) -> bytes:
    lines = [b"HTTP/1.1 %d Some" % status]
    lines += [name.encode() + b": " + value.encode("latin-1") for name, value in headers]
    if framing == "length":
        lines.append(b"Content-Length: %d" % len(body))
    if framing == "chunks":
        lines.append(b"Transfer-Encoding: chunked")
        pieces = [body[at : at + piece] for at in range(0, len(body), piece)]
        body = b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in [*pieces, b""])
    return b"\r\n".join([*lines, b"", b""]) + body


@pytest.mark.parametrize(("size", "status"), [(4_500_000, "200"), (5_000_000, "502")])
def test_a_large_binary_answer_arrives_whole_or_is_refused_with_lambda_s_limit(
    legacy: RawServer, size: int, status: str
):
    body = bytes(range(256)) * (size // 256)
    legacy.says = answers(framed(200, [("Content-Type", "application/pdf")], body, "length", 1))
    answer = Router(legacy).send(raw(b"GET", "/", [], b""))
    assert answer.start == status
    if status == "200":
        assert answer.body == body
    else:
        assert "6,225,920 bytes" in json.loads(answer.body)["detail"]


def test_five_megabytes_of_text_arrive_whole(legacy: RawServer):
    body = b"a line of text that has 40 characters...\n" * 125_000
    assert len(body) > 5_000_000
    legacy.says = answers(framed(200, [("Content-Type", "text/plain")], body, "chunks", 100_000))
    assert Router(legacy).send(raw(b"GET", "/", [], b"")).body == body


def test_a_large_binary_request_arrives_whole(legacy: RawServer):
    body = bytes(range(256)) * 17_000
    assert Router(legacy).send(raw(b"PUT", "/", [], body)).start == "200"
    assert parts(legacy.requests[0]).body == body


@pytest.mark.parametrize(("method", "length"), [(b"GET", []), (b"DELETE", []), (b"POST", ["0"]), (b"PUT", ["0"])])
def test_a_request_without_a_body_says_so_where_one_is_expected(legacy: RawServer, method: bytes, length: list[str]):
    Router(legacy).send(raw(method, "/", [], b""))
    assert parts(legacy.requests[0]).all("Content-Length") == length


def test_of_a_gateway_that_reads_headers_as_utf_8_their_bytes_are_kept(legacy: RawServer):
    sent = gateway_model.event(raw(b"GET", "/", [], b""), "/{proxy+}")
    sent["multiValueHeaders"]["X-Name"] = ["\u0142\u00f3d\u017a"]
    Router(legacy).give(sent)
    assert "X-Name: \u0142\u00f3d\u017a".encode() in legacy.requests[0]
