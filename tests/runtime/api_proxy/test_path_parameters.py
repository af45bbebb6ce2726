"""A path parameter is one plain text, or the request is refused: nobody after us may take it for something else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns_runtime.api_proxy.mismatch import Mismatch
from serverless_patterns_runtime.api_proxy.path_parameters import path_parameters, read_as
from serverless_patterns_runtime.errors import MalformedPayload

from ..rest_api_events import event
from .api import Api, route

CANARY = "canary-4111-1111"

ONE = "/things/{thing}"
REST = "/things/{thing+}"

PLAIN = {
    "A-1": "A-1",
    "a%20b": "a b",
    "caf%C3%A9": "café",
    "café": "café",
    "100%25": "100%",
    "100%": "100%",
    "a+b": "a+b",
    "a%2Bb": "a+b",
    "a.b": "a.b",
    "...": "...",
    ".a": ".a",
    "user@example.com": "user@example.com",
    "%F0%9F%98%80": "😀",
    "a:b,c=d&e'f\"g": "a:b,c=d&e'f\"g",
}

# However often it was encoded, and whichever layer of it the gateway has taken off.
AMBIGUOUS = [
    "..", ".", "%2e%2e", "%2E.", ".%2e", "%252e%252e", "a\\b", "a%5cb", "..%5c", "%00", "a%00b", "a\0b", "%0d%0aX: y",
    "a\nb", "a%09b", "%7f", ";", "a;admin=1", "a%3Bb", "%252f", "a%252Fb", "%255c", "%2500", "\ufffd", "a%EF%BF%BD",
]  # fmt: skip

NOT_UTF_8 = ["%ff", "%c0%ae", "%c0%ae%c0%ae", "%e0%80%ae", "%ed%a0%80", "a%c3", "\ud800"]

SEPARATED = ["a/b", "/a", "a/", "a%2fb", "%2F", "a%2F..%2Fb", "a//b"]


@pytest.mark.parametrize("resource", [ONE, REST])
@pytest.mark.parametrize(("text", "value"), PLAIN.items())
def test_plain_text_is_decoded_once(resource: str, text: str, value: str):
    assert path_parameters(resource, {"thing": text}) == {"thing": value}


@pytest.mark.parametrize("resource", [ONE, REST])
@pytest.mark.parametrize("text", AMBIGUOUS)
def test_what_readers_take_apart_is_refused(resource: str, text: str):
    with pytest.raises(MalformedPayload, match=r"^the path parameter thing is not plain text$"):
        path_parameters(resource, {"thing": text})


@pytest.mark.parametrize("resource", [ONE, REST])
@pytest.mark.parametrize("text", NOT_UTF_8)
def test_what_is_not_utf_8_is_refused(resource: str, text: str):
    with pytest.raises(MalformedPayload, match=r"^the path parameter thing is not UTF-8$"):
        path_parameters(resource, {"thing": text})


@pytest.mark.parametrize("text", SEPARATED)
def test_one_segment_stays_one(text: str):
    with pytest.raises(MalformedPayload, match="the path parameter thing is"):
        path_parameters(ONE, {"thing": text})


def test_the_rest_of_a_path_has_segments_and_none_of_them_leads_elsewhere():
    assert path_parameters(REST, {"thing": "a/b/c.d"}) == {"thing": "a/b/c.d"}
    assert path_parameters(REST, {"thing": "a%2Fb"}) == {"thing": "a/b"}
    assert path_parameters(REST, {"thing": "a/"}) == {"thing": "a/"}
    for text in ("a/../b", "a/..", "../a", "a/./b", "a//b", "//a", "/a", "/", "a//", "a/%2e%2e/b", "a%2F..%2Fb", ""):
        with pytest.raises(MalformedPayload, match="the path parameter thing is not plain text"):
            path_parameters(REST, {"thing": text})


def test_an_empty_one_is_refused():
    with pytest.raises(MalformedPayload, match="the path parameter thing is not plain text"):
        path_parameters(ONE, {"thing": ""})


def test_a_path_without_parameters_has_none():
    for nothing in (None, {}):
        assert path_parameters("/things", nothing) == {}


@pytest.mark.parametrize("text", [*AMBIGUOUS, *NOT_UTF_8, *SEPARATED])
def test_the_request_is_a_400_that_does_not_quote_it_and_the_function_is_not_called(text: str):
    called: list[Any] = []
    api = Api(called.append, routes={"GET /things/{thing}/{other}": route()})
    answered = api.send(event("GET /things/{thing}/{other}", params={"thing": text, "other": CANARY}))
    assert answered.status == 400
    assert CANARY not in json.dumps(answered.result) + api.log_text
    assert called == []


@given(st.text(), st.sampled_from([ONE, REST]))
def test_whatever_it_is_what_gets_through_is_plain(text: str, resource: str):
    try:
        (value,) = path_parameters(resource, {"thing": text}).values()
    except MalformedPayload as error:
        assert len(text) < 10 or text not in error.message  # noqa: PT017
        return
    assert value.encode()
    assert not set(value) & set("\\;\0\n\r\ufffd")
    assert all(segment not in ("", ".", "..") for segment in value.removesuffix("/").split("/"))
    assert resource == REST or "/" not in value


def test_what_the_schema_of_the_path_refuses_is_a_400_that_points_at_the_parameter_and_calls_nothing():
    def validate(params: dict[str, str]) -> None:
        if len(params["thing"]) > 3:
            raise Mismatch("maxLength", "thing")

    called: list[Any] = []
    routes = {f"GET {ONE}": route(params="schema_1")}
    api = Api(called.append, routes=routes, validators={"schema_1": validate})
    assert api.send(event(f"GET {ONE}", params={"thing": "a%20b"})).status == 204
    refused = api.send(event(f"GET {ONE}", params={"thing": "canary"}))
    assert refused.problem["errors"] == [{"pointer": "/thing", "rule": "maxLength"}]
    assert (refused.status, refused.problem["detail"]) == (400, "the path does not match its schema")
    assert len(called) == 1
    assert "canary" not in api.log_text + refused.body.decode()


WIDE = "ANY /shops/{shop}/{proxy+}"


@pytest.mark.parametrize(
    ("taken", "params", "read"),
    [
        ("POST /shops/{shop}/report", {"shop": "a%20b"}, {"shop": "a b", "proxy": "report"}),
        ("ANY /shops/{shop}/report/{proxy+}", {"shop": "1", "proxy": "x/y"}, {"shop": "1", "proxy": "report/x/y"}),
        ("ANY /shops/main/{id}/{proxy+}", {"id": "5", "proxy": "x"}, {"shop": "main", "proxy": "5/x"}),
    ],
)
def test_a_route_is_itself_where_a_closer_one_hides_it(taken: str, params: dict[str, str], read: dict[str, str]):
    """As it would be without that one: the same parameters, the same route, the same claims."""
    routes = {WIDE: route(body="Validated"), taken: route(stands_for=WIDE)}
    api = Api(lambda request: {"route": request.route, "params": dict(request.params)}, routes=routes,
        validators={"Validated": lambda _: None})  # fmt: skip
    method, _, resource = taken.partition(" ")
    answer = api.send(event(f"{method.replace('ANY', 'PUT')} {resource}", {}, params=params))
    assert answer.json == {"route": WIDE, "params": read}


def test_what_hides_a_route_reads_no_path_in_two_ways():
    routes = {WIDE: route(), "ANY /shops/main/{proxy+}": route(stands_for=WIDE)}
    api = Api(lambda request: dict(request.params), routes=routes)
    for hostile in AMBIGUOUS:
        answer = api.send(event("PUT /shops/main/{proxy+}", {}, params={"proxy": hostile}))
        assert answer.status == 400, hostile


@given(st.lists(st.sampled_from(["a", "b", "{x}", "{y}"]), min_size=1, max_size=4, unique=True), st.data())
def test_parameters_are_those_of_the_wide_resource_s_own_reading(parts: list[str], data: st.DataObject):
    """Whatever parts of it a closer one has by name."""
    values = [part if part in "ab" else data.draw(st.sampled_from("pq")) for part in parts]
    closer = [part if data.draw(st.booleans()) else value for part, value in zip(parts, values, strict=True)]
    given = {part[1:-1]: value for part, value in zip(closer, values, strict=True) if part.startswith("{")}
    wanted = {part[1:-1]: value for part, value in zip(parts, values, strict=True) if part.startswith("{")}
    assert read_as(f"/{'/'.join(parts)}", f"/{'/'.join(closer)}", given) == wanted
