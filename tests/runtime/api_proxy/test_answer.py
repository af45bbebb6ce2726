import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns_runtime import Response
from serverless_patterns_runtime.api_proxy.answer import MAX_BYTES, Answer
from serverless_patterns_runtime.business_function.business_function import UnusableResult

from .api import check_proxy_result

JSON = {"Content-Type": ("application/json",)}

CANARY = "canary-4111-1111"


@pytest.mark.parametrize(
    ("result", "body"),
    [({"a": 1}, '{"a":1}'), ([], "[]"), ("text", '"text"'), (0, "0"), (False, "false"), ({"ä": "€"}, '{"ä":"€"}')],
)
def test_a_json_value_is_a_200_that_says_so(result: Any, body: str):
    assert Answer.of(result) == Answer(200, JSON, body, False)


def test_nothing_is_a_204():
    assert Answer.of(None) == Answer(204, {}, "", False)


def test_a_response_is_what_it_says():
    assert Answer.of(Response(201, {"a": 1}, {"Location": "/a"})) == Answer(
        201, {"Location": ("/a",)} | JSON, '{"a":1}', False
    )
    assert Answer.of(Response(202)) == Answer(202, {}, "", False)


def test_repeated_headers_and_cookies_stay_several():
    answer = Answer.of(Response(headers={"X-Tag": ["a", "b"], "x-tag": "c"}, cookies=["a=1; Secure", "b=2"]))
    assert answer.headers == {"X-Tag": ("a", "b", "c"), "Set-Cookie": ("a=1; Secure", "b=2")}


def test_a_header_without_a_value_is_none():
    assert Answer.of(Response(headers={"X-Tag": []})) == Answer(200, {}, "", False)


def test_cookies_do_not_displace_a_set_cookie_header():
    answer = Answer.of(Response(headers={"set-cookie": "a=1"}, cookies=["b=2"]))
    assert answer.headers == {"set-cookie": ("a=1", "b=2")}


@pytest.mark.parametrize(
    "content_type", ["application/hal+json", "application/json; charset=utf-8", "APPLICATION/JSON"]
)
def test_json_by_another_name_stays_json(content_type: str):
    answer = Answer.of(Response(body="text", headers={"content-type": content_type}))
    assert answer == Answer(200, {"content-type": (content_type,)}, '"text"', False)


def test_text_of_another_type_goes_as_it_is():
    html = {"Content-Type": "text/html; charset=utf-8"}
    assert Answer.of(Response(body="<p>ä</p>", headers=html)).body == "<p>ä</p>"
    with pytest.raises(
        UnusableResult, match="a body of type dict is sent as JSON, and its Content-Type says otherwise"
    ):
        Answer.of(Response(body={"a": 1}, headers=html))


def test_bytes_are_base64_and_say_so():
    content = bytes(range(256))
    answer = Answer.of(Response(body=content, headers={"Content-Type": "image/png"}))
    assert answer.base64
    assert base64.b64decode(answer.body) == content
    assert Answer.of(content).headers == {"Content-Type": ("application/octet-stream",)}
    assert Answer.of(b"").base64


def test_bytes_of_a_text_type_go_as_text_because_the_gateway_decodes_only_what_the_api_calls_binary():
    text = Response(body="<p>ä</p>".encode(), headers={"Content-Type": "text/html"})
    assert Answer.of(text) == Answer(200, {"Content-Type": ("text/html",)}, "<p>ä</p>", False)
    assert Answer.of(Response(body=b"\xff", headers={"Content-Type": "text/html"})).base64


@pytest.mark.parametrize(
    ("number", "text"),
    [("3", "3"), ("3.0", "3"), ("1E+2", "100"), ("-0.05", "-0.05"), ("12.30", "12.3"), ("1E-300", "1e-300")],
)
def test_numbers_as_dynamodb_gives_them_are_json_numbers(number: str, text: str):
    assert Answer.of({"total": Decimal(number)}).body == f'{{"total":{text}}}'


@dataclass
class Order:
    card: str = CANARY


CIRCLE: list[Any] = []
CIRCLE.append(CIRCLE)


def deep() -> Any:
    value: Any = CANARY
    for _ in range(100_000):
        value = [value]
    return value


UNUSABLE: dict[str, tuple[Callable[[], Any], str]] = {
    "object": (Order, "a value of type Order"),
    "set": (lambda: {"a": {CANARY}}, "a value of type set"),
    "bytes inside": (lambda: {"a": CANARY.encode()}, "a value of type bytes"),
    "NaN": (lambda: float("nan"), "Out of range float values are not JSON compliant"),
    "infinity": (lambda: [float("inf")], "Out of range float values are not JSON compliant"),
    "circle": (lambda: CIRCLE, "Circular reference detected"),
    "deep": (deep, "it is nested too deeply"),
    "key": (lambda: {(CANARY,): 1}, "keys must be str"),
    "half a character": (lambda: "\ud800", "half of a surrogate pair"),
    "half a character as text": (lambda: Response(body="\ud800", headers={"Content-Type": "text/plain"}), "half of a"),
    "Decimal of NaN": (lambda: Decimal("NaN"), "a value of type Decimal"),
    "huge Decimal": (lambda: Decimal("1E+100000000"), "a value of type Decimal"),
    "precise Decimal": (lambda: Decimal("1.00000000000000000000001"), "more digits than a JSON number keeps"),
    "huge whole number": (lambda: 10**5000, "Exceeds the limit"),
}


@pytest.mark.parametrize(("make", "message"), UNUSABLE.values(), ids=UNUSABLE)
def test_what_json_cannot_say_is_refused_without_being_quoted(make: Callable[[], Any], message: str):
    with pytest.raises(UnusableResult) as raised:
        Answer.of(make())
    assert message in str(raised.value)
    assert CANARY not in str(raised.value)


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (
            {"when": datetime(2026, 11, 21, tzinfo=UTC)},
            "a value of type datetime, at /when: answer text, as isoformat() gives it",
        ),
        ({"lines": [1, {"tags": {CANARY}}]}, "a value of type set, at /lines/1/tags: answer a list"),
        ({"raw": b"x"}, "a value of type bytes, at /raw: answer text, or the bytes alone as the body of a Response"),
        ({CANARY: {"id": UUID(int=7)}}, "a value of type UUID, at /*/id: answer text, as str() gives it"),
        (
            {"id" * 21: Order()},
            "a value of type Order, at /*: answer text, numbers, lists and dicts with text for keys",
        ),
        ({"share": float("nan")}, ", at /share: answer text, numbers, lists"),
        ([{(CANARY,): 1}], "not tuple, at /0: answer text, numbers, lists and dicts with text for keys"),
    ],
)
def test_what_json_cannot_say_is_named_by_its_place_with_the_fix(result: Any, told: str):
    with pytest.raises(UnusableResult) as raised:
        Answer.of(result)
    assert told in str(raised.value)
    assert CANARY not in str(raised.value)


def test_an_answer_that_lambda_cannot_carry_is_refused():
    fits = "x" * (MAX_BYTES - 200)
    assert Answer.of(fits).body == f'"{fits}"'
    for body in ("x" * (MAX_BYTES + 1), '"' * (MAX_BYTES // 3), b"\xff" * (MAX_BYTES * 3 // 4 + 100)):
        with pytest.raises(
            UnusableResult, match=r"^an answer holds at most 6,225,920 bytes as JSON \(Lambda's limit\)"
        ):
            Answer.of(body)
    with pytest.raises(UnusableResult, match="headers hold at most"):
        Answer.of(Response(headers={"X-Big": "x" * MAX_BYTES}))


def test_what_is_added_replaces_a_header_of_the_same_name_in_any_case():
    result = Answer.of(Response(headers={"x-correlation-id": ["a", "b"], "X-Tag": "c"})).proxy_result(
        [("X-Correlation-Id", "d")]
    )
    assert result["multiValueHeaders"] == {"X-Correlation-Id": ["d"], "X-Tag": ["c"]}


def test_a_proxy_result_shares_nothing_with_the_answer():
    answer = Answer.of(Response(headers={"X-Tag": "a"}))
    answer.proxy_result()["multiValueHeaders"]["X-Tag"].append("b")
    assert answer.headers == {"X-Tag": ("a",)}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
TEXTS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
NAMES = st.sampled_from(["X-Tag", "x-tag", "Vary", "Content-Type", "content-type", "Set-Cookie", "ETag"])


@given(
    st.integers(200, 599).filter(lambda status: status not in (204, 205, 304)),
    VALUES | st.binary(),
    st.dictionaries(NAMES, TEXTS | st.lists(TEXTS, min_size=1)),
    st.lists(TEXTS),
)
def test_every_response_is_an_answer_that_is_kept_exactly(status: int, body: Any, headers: Any, cookies: list[str]):
    response = Response(status, body, headers, cookies)
    try:
        answer = Answer.of(response)
    except UnusableResult as error:
        assert "Content-Type" in str(error) or "surrogate" in str(error)  # noqa: PT017
        return
    assert Answer.from_json(answer.to_json()) == answer
    check_proxy_result(json.loads(json.dumps(answer.proxy_result([("X-Correlation-Id", "c")]))))
    if isinstance(body, bytes) and answer.base64:
        assert base64.b64decode(answer.body) == body


def test_no_first_answer_says_that_it_is_a_replay():
    answer = Answer.of(Response(200, {}, headers={"idempotent-replayed": "true", "X-Own": "1"}))
    assert answer.headers == {"X-Own": ("1",), "Content-Type": ("application/json",)}


def test_headers_that_the_gateway_would_not_let_through_are_no_answer():
    """Found before Effects are committed, and not after."""
    assert Answer.of(Response(200, headers={"X-Own": "x" * 9_000})).status == 200
    for response in (Response(200, headers={"X-Own": "x" * 9_300}), Response(200, cookies=["a=" + "x" * 3_000] * 4)):
        with pytest.raises(UnusableResult, match="headers hold at most 9,216 bytes"):
            Answer.of(response)
