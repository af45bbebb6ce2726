"""Hostile bodies: refused with the right status, in bounded time, without being quoted or reaching the function."""

import json
import time
from typing import Any

import pytest

from serverless_patterns_runtime.api_proxy.body import MAX_KEYS
from serverless_patterns_runtime.api_proxy.mismatch import Mismatch

from ..rest_api_events import event
from .api import Answered, Api, route

CANARY = "canary-4111-1111"

LIMIT = 1_048_576


def refuse(api: Api, sent: dict[str, Any]) -> Answered:
    called: list[Any] = []
    api.function = called.append
    started = time.process_time()
    answered = api.send(sent)
    assert time.process_time() - started < 2
    assert called == []
    assert CANARY not in json.dumps(answered.result) + api.log_text
    return answered


def refusal(body: Any, *, routes: dict[str, Any] | None = None, **options: Any) -> tuple[int, str]:
    said = refuse(Api(lambda _: None, routes=routes), event("POST /things", body, **options)).problem
    return said["status"], said["detail"]


NOT_JSON = "not valid JSON at character "
DEEPER = "the JSON is nested deeper than 64"
BEYOND = "the JSON holds a number beyond the range of a double"
KEYS = "the body holds more than 10,000 keys"
HALF = "the JSON holds a lone surrogate, which is not text"

MALFORMED = {
    "words": (f"{CANARY} is no JSON", NOT_JSON + "0"),
    "blank": (" ", NOT_JSON + "1"),
    "unfinished": ('{"a": ', NOT_JSON + "6"),
    "two values": ("{}{}", NOT_JSON + "2"),
    "byte order mark": ("\ufeff{}", NOT_JSON + "0"),
    "NaN": ("[NaN]", "the JSON holds NaN, which is not a number"),
    "Infinity": ("-Infinity", "the JSON holds -Infinity, which is not a number"),
    "huge exponent": ("1e999", BEYOND),
    "exponent of 100,000 digits": ("1e" + "9" * 100_000, BEYOND),
    "integer of 100,000 digits": ("9" * 100_000, BEYOND),
    "integer of 400 digits": ('{"n": ' + "9" * 400 + "}", BEYOND),
    "duplicate key": (f'{{"{CANARY}": 1, "{CANARY}": 2}}', "the JSON holds a duplicate key"),
    "array 65 deep": ("[" * 65 + "]" * 65, DEEPER),
    "array 100,000 deep": ("[" * 100_000, DEEPER),
    "object 100,000 deep": ('{"a":' * 100_000, DEEPER),
    "half a character, escaped": ('{"a": "\\ud800"}', HALF),
    "half a character in a key": ('{"\\uDFFF": 1}', HALF),
    "half a character as it is": ('"\ud800"', "the body is not UTF-8"),
    "more than 10,000 keys": (json.dumps({f"k{i}": i for i in range(MAX_KEYS + 1)}), KEYS),
    "more than 10,000 keys in all": (json.dumps([{"a": i, "b": 0} for i in range(MAX_KEYS)]), KEYS),
}


@pytest.mark.parametrize(("body", "detail"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_json_is_a_400_that_says_why_in_bounded_time(body: str, detail: str):
    assert refusal(body) == (400, detail)


@pytest.mark.parametrize(("body", "detail"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_json_in_base64_is_the_same_400(body: str, detail: str):
    """A gateway that calls every media type binary sends JSON in base64."""
    content = body.encode(errors="surrogatepass")
    assert refusal(content) == (400, detail)


def test_as_much_as_is_allowed_is_allowed():
    bodies = ["[" * 64 + "]" * 64, json.dumps({f"k{i}": i for i in range(MAX_KEYS)}), "[1e308]"]
    for body in [*bodies, json.dumps(":" * MAX_KEYS * 2), '"\\ud83d\\ude00"']:
        assert Api(lambda _: None).post(body).status == 204


@pytest.mark.parametrize("content", [b"\xff", b'"\xc0\xae"', b'"\xed\xa0\x80"', b'"\xc3"', b"\xff\xfe{\0}\0"])
def test_bytes_that_are_not_utf_8_are_a_400(content: bytes):
    assert refusal(content) == (400, "the body is not UTF-8")


JUNK = ["====", "a", "YQ", "YQ=", "Y Q==", "YQ==\n", "YQ==YQ==", "Y-_=", "käse", "\ud800"]


@pytest.mark.parametrize("junk", JUNK)
@pytest.mark.parametrize("content", ["json", "bytes"])
def test_base64_that_is_none_is_a_400(junk: str, content: str):
    sent = event(body=b"x") | {"body": junk}
    answered = refuse(Api(lambda _: None, routes={"POST /things": route(content=content)}), sent)
    assert answered.status == 400


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "APPLICATION/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/json ; profile=x",
        "application/merge-patch+json",
    ],
)
def test_json_by_its_names_is_read(content_type: str):
    assert Api(lambda request: request.body).post([1], content_type=content_type).json == [1]


UNSUPPORTED = [
    None, "", "text/plain", "text/json", "application/x-www-form-urlencoded", "multipart/form-data", "application/",
    "application/jsonx", "json", "+json", "text/x+json", "application/json; charset=utf-16", "+json; charset=",
    "application/json; charset=latin-1", "application/xml, application/json",
]  # fmt: skip


@pytest.mark.parametrize("content_type", UNSUPPORTED)
def test_another_content_type_or_none_is_a_415(content_type: str | None):
    detail = "the body has to be JSON in UTF-8: send Content-Type: application/json"
    assert refusal({"a": CANARY}, content_type=content_type) == (415, detail)
    assert refusal(b"{}", content_type=content_type) == (415, detail)


def test_two_content_types_are_a_415():
    twice = {"Content-Type": ["application/json", "text/plain"]}
    assert refusal("{}", headers=twice)[0] == 415
    assert refusal("{}", headers={"content-type": "text/plain"})[0] == 415


def test_the_content_type_of_no_body_does_not_matter():
    assert Api(lambda request: request.body).post(headers={"Content-Type": "text/plain"}).status == 204


@pytest.mark.parametrize("above", [0, 1])
def test_what_is_too_large_is_a_413_by_the_byte(above: int):
    texts = {
        "ascii": '"' + "x" * (LIMIT - 2 + above) + '"',
        "umlauts": '"' + "ä" * (LIMIT // 2 - 1) + "x" * above + '"',
    }
    for text in texts.values():
        for body in (text, text.encode()):
            if above:
                assert refusal(body) == (413, "the body is larger than 1,048,576 bytes")
            else:
                assert Api(lambda _: None).post(body).status == 204


def test_what_is_too_large_is_not_even_looked_at():
    for body in ("[" * (LIMIT + 1), b"\xff" * (LIMIT + 1), "\ud800" * (LIMIT + 1)):
        assert refusal(body, content_type="text/plain")[0] == 413
    junk = event(body=b"x") | {"body": "=" * LIMIT * 2}
    assert refuse(Api(lambda _: None), junk).status == 413


def test_the_limit_is_the_api_s():
    api = Api(lambda _: None, max_body_bytes=5)
    assert api.post('"abc"').status == 204
    assert api.post('"abcd"').problem["detail"] == "the body is larger than 5 bytes"


def test_a_route_for_bytes_takes_what_comes_as_bytes():
    routes = {"POST /things": route(content="bytes")}
    api = Api(lambda request: list(request.body or ()), routes=routes)
    for content_type in ("application/json", "image/png", None):
        assert api.post(b"\xff{", content_type=content_type).json == [255, 123]
    assert api.post().json == []
    assert api.post("\ud800").problem["detail"] == "the body is not UTF-8"
    assert Api(lambda _: None, routes=routes, max_body_bytes=3).post(b"four").status == 413


@pytest.mark.parametrize("body", ["text", "\ufffdPNG"])
@pytest.mark.parametrize("content_type", ["image/gif", "application/json", None])
def test_what_the_gateway_took_for_text_is_a_415_on_a_route_for_bytes(body: str, content_type: str | None):
    types = ("image/png", "application/octet-stream")
    api = Api(lambda _: None, routes={"POST /things": route(content="bytes")}, binary_media_types=types)
    answered = refuse(api, event(body=body, content_type=content_type))
    detail = "the body has to be of a binary type: send Content-Type: image/png or application/octet-stream"
    assert (answered.status, answered.problem["detail"]) == (415, detail)


def validate(value: Any) -> None:
    if not isinstance(value, dict) or "quantity" not in value:
        raise Mismatch("required")
    if not isinstance(value["quantity"], int):
        raise Mismatch("type", "lines", 0, "quantity")


SCHEMA = {"POST /things": route(body="schema_1")}


def with_schema() -> Api:
    return Api(lambda request: request.body, routes=SCHEMA, validators={"schema_1": validate})


def test_a_body_that_breaks_its_schema_is_a_400_that_points_at_the_field_and_not_at_the_value():
    assert refuse(with_schema(), event(body={"quantity": CANARY})).problem == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "the body does not match its schema",
        "errors": [{"pointer": "/lines/0/quantity", "rule": "type"}],
    }
    assert refuse(with_schema(), event(body=[CANARY])).problem["errors"] == [{"pointer": "", "rule": "required"}]


def test_a_body_that_matches_its_schema_gets_through():
    assert with_schema().post({"quantity": 2}).json == {"quantity": 2}


def test_where_the_schema_wants_a_body_none_is_a_400():
    for body in (None, ""):
        assert refuse(with_schema(), event() | {"body": body}).problem["detail"] == "the request needs a body"


def test_a_base64_flag_that_is_no_flag_is_not_believed():
    sent = event(body='"YQ=="') | {"isBase64Encoded": "true"}
    assert Api(lambda request: request.body).send(sent).json == "YQ=="
