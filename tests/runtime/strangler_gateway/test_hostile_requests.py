"""What a caller may try: paths, headers and bodies that two readers could take differently are never forwarded."""

import json
from typing import Any

import pytest

from serverless_patterns_runtime.errors import PermanentError
from serverless_patterns_runtime.strangler_gateway.canonical_path import parameters

from . import gateway_model
from .gateway_model import parts
from .raw_server import RawServer
from .router import Router, get, route_settings

PROFILE = "/profile/{id}"

REFUSED_PATHS = [
    "/a/%2Fb",
    "/a%2fb",
    "/a%5Cb",
    "/a\\b",
    "/a/..\\b",
    "/.",
    "/..",
    "/a/./b",
    "/a/../b",
    "/a/..",
    "/a/%2e%2e/b",
    "/a/.%2E/b",
    "/a/%2e/b",
    "/a/..;/b",
    "/a/..;x=1/b",
    "/a/%2e%2e;/b",
    "/a/.;/b",
    "/a/;/b",
    "/;x=1/b",
    "/..%3B/b",
    "//a",
    "/a//b",
    "//evil.example/a",
    "/a/%00",
    "/a%00.png",
    "/a%0d%0aX-Evil:1",
    "/a%0A",
    "/a%7F",
    "/a\x00b",
    "/a\tb",
    "/a\x7fb",
    "/a%",
    "/a%2",
    "/a%zz",
    "/a%u0041",
    "/%c0%af",
    "/%c0%ae%c0%ae/a",
    "/%ff",
    "/%e2%82",
    "/%ed%a0%80",
    "/a%252Fb",
    "/a%252fb",
    "/%252e%252e/a",
    "/a%25%32%46b",
    "/a%2500",
    "a/b",
    "",
    "http://169.254.169.254/latest",
    "@evil.example/a",
    "*",
]

FORWARDED_PATHS = {
    "/": "/",
    "/a": "/a",
    "/a/": "/a/",
    "/a/b.c/~d-e_f": "/a/b.c/~d-e_f",
    "/a%20b": "/a%20b",
    "/a+b": "/a+b",
    "/%41": "/%41",
    "/caf%C3%A9": "/caf%C3%A9",
    "/a;v=1": "/a;v=1",
    "/a;v=1/b": "/a;v=1/b",
    "/a%3Bb": "/a%3Bb",
    "/a%3Fb": "/a%3Fb",
    "/a%23b": "/a%23b",
    "/a,b:c@d!$&'()*": "/a,b:c@d!$&'()*",
    "/a=b": "/a=b",
    "/100%25": "/100%25",
    "/100%25zz": "/100%25zz",
    "/...": "/...",
    "/.well-known/a": "/.well-known/a",
    "/a..b": "/a..b",
    "/[a]|b": "/[a]|b",
    # Of an endpoint that decodes paths.
    "/a b": "/a%20b",
    "/caf\u00e9": "/caf%C3%A9",
    "/a?b": "/a%3Fb",
    "/a#b": "/a%23b",
    '/{a}"<b>^`': "/%7Ba%7D%22%3Cb%3E%5E%60",
}


def sent(path: str, resource: str = "/{proxy+}", **changed: Any) -> dict[str, Any]:
    return gateway_model.event(get("/x"), resource) | {"path": path} | changed


@pytest.mark.parametrize("resource", ["/{proxy+}", PROFILE])
@pytest.mark.parametrize("path", REFUSED_PATHS, ids=repr)
def test_such_a_path_is_400_and_never_forwarded(legacy: RawServer, path: str, resource: str):
    router = Router(legacy)
    router.shares.said = 100
    assert router.give(sent(path, resource)).start == "400"
    assert (legacy.requests, router.functions.events) == ([], [])


@pytest.mark.parametrize("path", FORWARDED_PATHS, ids=repr)
def test_such_a_path_is_forwarded_as_it_is(legacy: RawServer, path: str):
    assert Router(legacy).give(sent(path)).start == "200"
    assert parts(legacy.requests[0]).start == f"GET {FORWARDED_PATHS[path]} HTTP/1.1"


@pytest.mark.parametrize("path", ["/profile/5;v=1", "/profile;v=1/5", "/profile/5%3Bv", "/profile/%3b"])
def test_on_a_route_that_migrates_a_segment_has_no_parameters(legacy: RawServer, path: str):
    assert Router(legacy).give(sent(path, PROFILE)).start == "400"
    assert legacy.requests == []


SPELLINGS = ["/%70rofile/5", "/profile/%35x", "/profil%65/5/", "/profile;v=1/5", "/profile/5;v=1"]


@pytest.mark.parametrize("path", SPELLINGS)
def test_another_spelling_of_a_route_that_migrates_does_not_get_around_it(legacy: RawServer, path: str):
    assert Router(legacy).give(sent(path)).start == "400"
    assert legacy.requests == []


def test_another_spelling_of_a_route_that_is_done_does_not_get_around_it_either(legacy: RawServer):
    router = Router(legacy, routes={}, elsewhere=["GET /catalogue", "POST /orders/{id}"])
    assert [router.give(sent(path)).start for path in ("/c%61talogue", "/%6frders/5", "/orders")] == [
        "400",
        "400",
        "200",
    ]
    assert len(legacy.requests) == 1


@pytest.mark.parametrize(
    "path", ["/profiles/5", "/profile", "/profile/5/6", "/x/profile/5", "/Profile/5", "/profile/5/", "/p%6F/5"]
)
def test_other_paths_are_no_spelling_of_it(legacy: RawServer, path: str):
    assert Router(legacy).give(sent(path)).start == "200"


def test_a_greedy_route_has_every_spelling_below_it(legacy: RawServer):
    router = Router(legacy, routes={"ANY /shop/{all+}": route_settings()})
    assert router.give(sent("/sh%6Fp/a/b/c")).start == "400"
    assert router.give(sent("/shop")).start == "200"


def test_a_variable_is_not_another_spelling_of_the_route_beside_it(legacy: RawServer):
    """Each may have scopes of its own: the gateway has asked for those of the first."""
    routes = {"GET /users/{id}": route_settings(), "GET /users/me": route_settings()}
    router = Router(legacy, routes=routes)
    assert router.give(sent("/users/%6De", "/users/{id}")).start == "400"
    assert legacy.requests == []
    for path, resource in (("/users/m%C3%A9", "/users/{id}"), ("/users/me", "/users/me"), ("/users/7", "/users/{id}")):
        assert router.give(sent(path, resource)).start == "200"


PARAMETERS = {
    ("/profile/{id}", "/profile/a%20b"): {"id": "a%20b"},
    ("/profile/{id}", "/profile/5/"): {"id": "5"},
    ("/a/{x}/b/{y}", "/a/1/b/2"): {"x": "1", "y": "2"},
    ("/shop/{all+}", "/shop/a/b%2Cc/"): {"all": "a/b%2Cc/"},
    ("/shop/{id}/{all+}", "/shop/7/a"): {"id": "7", "all": "a"},
    ("/shop", "/shop"): {},
}


@pytest.mark.parametrize(("resource", "path"), PARAMETERS)
def test_parameters_are_handed_on_as_they_were_sent(resource: str, path: str):
    assert parameters(resource, path) == PARAMETERS[resource, path]


@pytest.mark.parametrize("path", ["/profile", "/profile/5/6", "/"])
def test_a_path_that_is_not_of_its_resource_has_none(path: str):
    with pytest.raises(PermanentError):
        parameters("/profile/{id}", path)


# Headers.

BAD_HEADERS: dict[str, tuple[dict[str, list[str]], str]] = {
    "a line in a value": ({"X": ["a\r\nX-Evil: 1"]}, "400"),
    "a line feed in a value": ({"X": ["a\nX-Evil: 1"]}, "400"),
    "a carriage return in a value": ({"X": ["a\rX-Evil: 1"]}, "400"),
    "a NUL in a value": ({"X": ["a\x00"]}, "400"),
    "a DEL in a value": ({"X": ["a\x7f"]}, "400"),
    "half a surrogate pair": ({"X": [chr(0xDC80)]}, "400"),
    "a line in a name": ({"X\r\nX-Evil": ["1"]}, "400"),
    "a space in a name": ({"Content-Length ": ["5"]}, "400"),
    "a colon in a name": ({"X:": ["5"]}, "400"),
    "no name": ({"": ["5"]}, "400"),
    "a name that is not ASCII": ({"X-\u00e9": ["5"]}, "400"),
    "a length and a coding": ({"Content-Length": ["2"], "Transfer-Encoding": ["chunked"]}, "400"),
    "a length and a coding, in small": ({"content-length": ["2"], "transfer-encoding": ["identity"]}, "400"),
    "two lengths": ({"Content-Length": ["2", "2"]}, "400"),
    "two lengths by two names": ({"Content-Length": ["2"], "content-length": ["3"]}, "400"),
    "two lengths in one": ({"Content-Length": ["2, 2"]}, "400"),
    "a length with a sign": ({"Content-Length": ["+2"]}, "400"),
    "an upgrade": ({"Connection": ["Upgrade"], "Upgrade": ["websocket"]}, "501"),
    "an upgrade to HTTP/2": ({"Upgrade": ["h2c"]}, "501"),
    "a WebSocket's key": ({"Sec-WebSocket-Key": ["dGhlIHNhbXBsZSBub25jZQ=="]}, "501"),
}


@pytest.mark.parametrize("name", BAD_HEADERS)
def test_such_a_header_is_refused_and_never_forwarded(legacy: RawServer, name: str):
    headers, status = BAD_HEADERS[name]
    answer = Router(legacy).give(sent("/a", multiValueHeaders=headers))
    assert (answer.start, legacy.requests) == (status, [])
    assert b"Evil" not in answer.body


@pytest.mark.parametrize("method", ["CONNECT", "TRACE", "get", "GET /evil HTTP/1.1\r\nX:", "", "PROPFIND"])
def test_such_a_method_is_refused(legacy: RawServer, method: str):
    assert Router(legacy).give(sent("/a", httpMethod=method)).start == "501"
    assert legacy.requests == []


FORGED = [
    b"X-Forwarded-For: 6.6.6.6",
    b"x-forwarded-host: evil.example",
    b"X-FORWARDED-PROTO: http",
    b"X-Forwarded-Port: 1",
    b"X-Forwarded-Prefix: /evil",
    b"X-Forwarded-Server: evil",
    b"X_Forwarded_For: 6.6.6.6",
    b"X-Forwarded_Host: evil.example",
    b"Forwarded: for=6.6.6.6;host=evil.example",
    b"X-Original-URL: /admin",
    b"X-Rewrite-URL: /admin",
    b"Content_Length: 5",
    b"Expect: 100-continue",
]

ONE_HOP = [
    b"Connection: keep-alive, X-Named , x-other",
    b"X-Named: 1",
    b"X-OTHER: 1",
    b"Keep-Alive: timeout=5",
    b"Proxy-Connection: keep-alive",
    b"Proxy-Authorization: Basic x",
    b"Proxy-Authenticate: Basic",
    b"TE: trailers",
    b"Trailer: X",
    b"Transfer-Encoding: identity",
]


@pytest.mark.parametrize("header", [*FORGED, *ONE_HOP[3:]], ids=repr)
def test_a_header_that_is_of_one_hop_or_not_the_caller_s_to_say_ends_here(legacy: RawServer, header: bytes):
    Router(legacy).send(get("/a", header))
    assert all(value not in legacy.requests[0] for value in (header, b"evil", b"6.6.6.6"))


def test_what_connection_names_ends_here(legacy: RawServer):
    Router(legacy).send(get("/a", *ONE_HOP[:3], b"X-Kept: 1"))
    names = [name for name, _ in parts(legacy.requests[0]).headers]
    assert "X-Kept" in names
    assert not {"Connection", "X-Named", "X-OTHER"} & {*names}


def test_connection_cannot_name_away_what_we_say(legacy: RawServer):
    Router(legacy).send(get("/a", b"Connection: host, x-forwarded-for, content-length", method=b"POST", body=b"hello"))
    request = parts(legacy.requests[0])
    assert request.all("Host") == [f"127.0.0.1:{legacy.port}"]
    assert request.all("X-Forwarded-For") == [gateway_model.SOURCE_IP]
    assert request.all("Content-Length") == ["5"]


def test_what_only_the_first_reader_knows_is_said_anew(legacy: RawServer):
    Router(legacy, legacy_headers={"X-Secret": "s3"}).send(get("/a", b"x-secret: mine"))
    request = parts(legacy.requests[0])
    assert {name: request.all(name) for name, _ in request.headers if name.startswith("X-")} == {
        "X-Forwarded-For": [gateway_model.SOURCE_IP],
        "X-Forwarded-Host": [gateway_model.DOMAIN],
        "X-Forwarded-Port": ["443"],
        "X-Forwarded-Prefix": ["/live"],
        "X-Forwarded-Proto": ["https"],
        "X-Secret": ["s3"],
    }


def test_below_a_domain_s_base_path_legacy_sees_its_own_paths(legacy: RawServer):
    router, domain = Router(legacy, base_path="/shop"), {"domainName": "shop.example"}
    own = sent("/shop/cart")
    own["requestContext"] |= domain
    router.give(own)
    router.give(sent("/shop/cart"))
    neighbour = sent("/shopping")
    neighbour["requestContext"] |= domain
    router.give(neighbour)
    requests = [parts(request) for request in legacy.requests]
    assert [request.start.split(" ")[1] for request in requests] == ["/cart", "/shop/cart", "/shopping"]
    assert [request.all("X-Forwarded-Prefix") for request in requests] == [["/shop"], ["/live"], []]


def test_a_domain_without_a_base_path_has_no_prefix(legacy: RawServer):
    own = sent("/cart")
    own["requestContext"] |= {"domainName": "shop.example"}
    Router(legacy).give(own)
    assert parts(legacy.requests[0]).all("X-Forwarded-Prefix") == []


# Query strings and bodies.


@pytest.mark.parametrize("query", [{"q": ["\ufffd"]}, {"\ufffd": ["1"]}, {"q": [chr(0xD800)]}])
def test_a_query_string_that_is_not_utf_8_is_refused(legacy: RawServer, query: dict[str, list[str]]):
    assert Router(legacy).give(sent("/a", multiValueQueryStringParameters=query)).start == "400"
    assert legacy.requests == []


def test_a_query_string_cannot_end_the_line(legacy: RawServer):
    query = {"a b&c=d#": ["1 HTTP/1.1\r\nX-Evil: 1\r\n\r\n"]}
    Router(legacy).give(sent("/a", multiValueQueryStringParameters=query))
    target = "/a?a%20b%26c%3Dd%23=1%20HTTP%2F1.1%0D%0AX-Evil%3A%201%0D%0A%0D%0A"
    assert parts(legacy.requests[0]).start == f"GET {target} HTTP/1.1"


@pytest.mark.parametrize("size", [100, 101])
@pytest.mark.parametrize("base64", [True, False])
def test_a_body_over_the_limit_is_413(legacy: RawServer, size: int, base64: bool):
    body = gateway_model.event(get("/a", method=b"POST", body=b"x" * size), "/{proxy+}")
    if not base64:
        body |= {"body": "x" * size, "isBase64Encoded": False}
    answer = Router(legacy, max_body_bytes=100).give(body)
    assert (answer.start, len(legacy.requests)) == (("413", 0) if size > 100 else ("200", 1))
    if size > 100:
        assert "100 bytes" in json.loads(answer.body)["detail"]


@pytest.mark.parametrize("body", ["%", "YQ", "YQ=", "\u00e9"])
def test_a_body_that_is_no_base64_is_400(legacy: RawServer, body: str):
    assert Router(legacy).give(sent("/a", body=body, isBase64Encoded=True)).start == "400"
    assert legacy.requests == []


def test_nothing_of_a_refused_request_is_quoted(legacy: RawServer):
    for refused in (sent("/canary\\"), sent("/a", multiValueHeaders={"X": ["canary\n"]})):
        assert b"canary" not in Router(legacy).give(refused).body
