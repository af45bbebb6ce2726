"""Legacy asked directly, and through gateway and router: what legacy reads, and the caller is sent, is the same.

What may differ is in the table of `docs/patterns/strangler_gateway.md`, and nothing else: each row is one line of
`REQUEST` or `ANSWER` here.
"""

import http.client
import socket
from pathlib import Path

import pytest

from .gateway_model import DOMAIN, SOURCE_IP, Parts, parts
from .raw_server import RawServer, answers
from .router import Router

REQUEST = {
    "Host": "the upstream's",
    "Connection": "of one hop, with all that it names",
    "X-Forwarded-For": "the caller's address, as the gateway knows it",
    "X-Forwarded-Host": "the gateway's domain",
    "X-Forwarded-Port": "443",
    "X-Forwarded-Prefix": "the stage, or the domain's base path",
    "X-Forwarded-Proto": "https",
}
ANSWER = {
    "Connection": "of one hop",
    "Keep-Alive": "of one hop",
    "Transfer-Encoding": "of one hop: the answer is whole when it goes on",
    "Content-Length": "counted anew by the gateway",
}


def test_each_difference_is_in_the_published_table() -> None:
    page = (Path(__file__).parents[3] / "docs/patterns/strangler_gateway.md").read_text()
    table = page[page.index("## What API Gateway changes") : page.index("## What is promised")]
    of_requests, of_answers = table.split("| of the answer |")
    short = {"X-Forwarded-Port": "-Port", "X-Forwarded-Proto": "-Proto"}
    assert [name for name in REQUEST if f"`{short.get(name, name)}`" not in of_requests] == []
    assert [name for name in ANSWER if f"`{name}`" not in of_answers] == []


def directly(server: RawServer, raw: bytes) -> tuple[Parts, Parts]:
    """The request as it arrived, and the answer as the standard library's client reads it."""
    server.requests.clear()
    with socket.create_connection(("127.0.0.1", server.port), 5) as connected:
        connected.sendall(raw)
        answer = http.client.HTTPResponse(connected, method=raw.split(b" ")[0].decode())
        answer.begin()
        body = answer.read()
    return parts(server.requests[0]), Parts(str(answer.status), answer.getheaders(), body)


def through(server: RawServer, raw: bytes) -> tuple[Parts, Parts]:
    server.requests.clear()
    answer = Router(server).send(raw)
    return parts(server.requests[0]), answer


def without(message: Parts, allowed: dict[str, str]) -> list[tuple[str, str]]:
    names = {name.lower() for name in allowed}
    return [(name, value) for name, value in message.headers if name.lower() not in names]


REQUESTS = {
    "a page": b"GET /catalogue?page=2&tag=a&tag=b HTTP/1.1\r\nHost: shop\r\nAccept: text/html\r\nAccept: */*\r\n\r\n",
    "a login": b"POST /login HTTP/1.1\r\nHost: shop\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Cookie: session=1; theme=dark\r\nContent-Length: 9\r\n\r\nuser=a%20",
    "bytes": b"PUT /file HTTP/1.1\r\nHost: shop\r\nContent-Type: image/png\r\nContent-Length: 4\r\n\r\n\x89\x00\xff\n",
    "gzip": b"POST /zip HTTP/1.1\r\nHost: shop\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00",
    "latin-1": b"GET / HTTP/1.1\r\nHost: shop\r\nX-Name: caf\xe9\r\nX-Name: \xff\r\nx-name: b\r\n\r\n",
    "an escaped path": b"GET /a%20b/caf%C3%A9/c;v=1+2 HTTP/1.1\r\nHost: shop\r\n\r\n",
    "a bare path": b'GET / HTTP/1.1\r\nHost: shop\r\nAuthorization: Basic eDp5\r\nIf-None-Match: "x"\r\n\r\n',
    "a condition": b'DELETE /cart/7 HTTP/1.1\r\nHost: shop\r\nIf-Match: "7"\r\nOrigin: https://shop\r\n\r\n',
    "an empty body": b"POST /cart HTTP/1.1\r\nHost: shop\r\nContent-Length: 0\r\n\r\n",
    "a range": b"GET /big HTTP/1.1\r\nHost: shop\r\nRange: bytes=0-1\r\nAccept-Encoding: gzip, br\r\n\r\n",
    "empty values": b"GET /search?q=&q=a HTTP/1.1\r\nHost: shop\r\nX-Empty:\r\n\r\n",
    "of one hop": b"GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n",
    "options": b"OPTIONS /cart HTTP/1.1\r\nHost: shop\r\nAccess-Control-Request-Method: PUT\r\n\r\n",
}


@pytest.mark.parametrize("name", REQUESTS)
def test_legacy_reads_the_same_request(legacy: RawServer, name: str):
    (direct, _), (routed, _) = directly(legacy, REQUESTS[name]), through(legacy, REQUESTS[name])
    assert (routed.start, routed.body) == (direct.start, direct.body)
    assert grouped(without(routed, REQUEST)) == grouped(without(direct, REQUEST))
    added = {name: routed.all(name) for name in REQUEST if name.startswith("X-")}
    assert [value for values in added.values() for value in values] == [SOURCE_IP, DOMAIN, "443", "/live", "https"]


def grouped(headers: list[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """As events have them: by name, whose values keep their order. A length may stand elsewhere."""
    several: dict[str, list[str]] = {}
    for name, value in headers:
        several.setdefault(name, []).append(value)
    return sorted(several.items())


QUERIES = {
    "q=a+b": "q=a%20b",
    "q=a%20b": "q=a%20b",
    "q=a%2Bb": "q=a%2Bb",
    "q": "q=",
    "a=1&b=2&a=3": "a=1&a=3&b=2",
    "q=%41": "q=A",
    "q=a/b?c:d@e": "q=a%2Fb%3Fc%3Ad%40e",
    "q=caf%c3%a9": "q=caf%C3%A9",
}
"""What the table says of query strings: encoded anew, a space as %20; names stand where they first stood."""


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_string_is_encoded_anew(legacy: RawServer, query: str):
    request, _ = through(legacy, f"GET /search?{query} HTTP/1.1\r\nHost: shop\r\n\r\n".encode())
    assert request.start == f"GET /search?{QUERIES[query]} HTTP/1.1"


ANSWERS = {
    "a page": b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 5\r\n\r\n<\xc3\xa9/>",
    "a page in latin-1": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n\r\n<\xe9/>",
    "gzip": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Type: text/html\r\n"
    b"Content-Length: 4\r\n\r\n\x1f\x8b\x08\x00",
    "cookies": b"HTTP/1.1 302 Found\r\nLocation: https://shop/cart?a=1\r\nSet-Cookie: a=1; Path=/\r\n"
    b"Set-Cookie: b=2\r\nSet-Cookie: a=3; Expires=Wed, 21 Oct 2026 07:28:00 GMT\r\nContent-Length: 0\r\n\r\n",
    "pieces": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/css\r\n\r\n3\r\na{}\r\n0\r\n\r\n",
    "kept": b"HTTP/1.1 404 Not Found\r\nKeep-Alive: timeout=5\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nno",
    "no content": b'HTTP/1.1 204 No Content\r\nETag: W/"1"\r\n\r\n',
    "not modified": b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\nCache-Control: max-age=5\r\n\r\n',
    "a download": b'HTTP/1.1 200 OK\r\nContent-Disposition: attachment; filename="a b"\r\n'
    b"Content-Length: 3\r\n\r\n\x00\xff\n",
    "latin-1": b"HTTP/1.1 200 OK\r\nX-Name: caf\xe9\r\nContent-Length: 0\r\n\r\n",
    "an own status": b"HTTP/1.1 418 Teapot\r\nContent-Length: 0\r\nWarning: 1\r\nWarning: 2\r\n\r\n",
    "a failure": b"HTTP/1.1 503 Busy\r\nRetry-After: 9\r\nContent-Length: 4\r\n\r\nbusy",
    "a partial one": b"HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-1/9\r\nContent-Length: 2\r\n\r\nab",
}


@pytest.mark.parametrize("name", ANSWERS)
def test_the_caller_is_sent_the_same_answer(legacy: RawServer, name: str):
    legacy.says = answers(ANSWERS[name])
    (_, direct), (_, routed) = directly(legacy, REQUESTS["a page"]), through(legacy, REQUESTS["a page"])
    assert (routed.start, routed.body) == (direct.start, direct.body)
    assert grouped(without(routed, ANSWER)) == grouped(without(direct, ANSWER))
    assert [value for name, value in routed.headers if name in ("Connection", "Keep-Alive", "Transfer-Encoding")] == []
