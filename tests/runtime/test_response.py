from typing import Any

import pytest

from serverless_patterns_runtime import Response

CANARY = "canary-4111-1111"


def test_a_response_is_200_without_a_body_unless_it_says_more():
    assert Response() == Response(200, None, {}, [])
    assert Response(201, {"a": 1}, headers={"X-Tag": ["a", "b"]}, cookies=["a=b"]) == Response(
        201, {"a": 1}, {"X-Tag": ("a", "b")}, ("a=b",)
    )


def test_a_response_keeps_no_hold_on_what_it_was_given():
    headers, cookies = {"X-Tag": ["a"]}, ["a=b"]
    response = Response(headers=headers, cookies=cookies)
    headers["X-Tag"].append("b")
    headers["X-More"] = ["c"]
    cookies.append("c=d")
    assert response == Response(headers={"X-Tag": ["a"]}, cookies=["a=b"])


@pytest.mark.parametrize("status", [199, 100, 0, -1, 600, 1000, True, 200.0, "200", None])
def test_a_status_that_is_no_final_answer_is_refused(status: Any):
    with pytest.raises(ValueError, match=r"^a response's status is a whole number from 200 to 599, got "):
        Response(status)


@pytest.mark.parametrize("status", [204, 205, 304])
def test_a_body_where_http_has_none_is_refused(status: int):
    assert Response(status).body is None
    with pytest.raises(ValueError, match=f"^a response with status {status} has no body"):
        Response(status, {})


SPLITTING = ["a\r\nSet-Cookie: x=y", "a\nb", "a\rb", "a\0b", "a\x0bb", "a\x7fb", "a\x85b", "a\u2028b", "Käse", 7, None]


@pytest.mark.parametrize("value", SPLITTING)
def test_a_header_that_http_cannot_carry_is_refused(value: Any):
    for given in (value, ["fine", value]):
        with pytest.raises(ValueError, match="the response's header X-Tag is not printable ASCII text"):
            Response(headers={"X-Tag": given})
    with pytest.raises(ValueError, match="the response's header Set-Cookie is not printable ASCII text"):
        Response(cookies=[value])


@pytest.mark.parametrize("name", ["", "X Tag", "X-Tag:", "X-Tag\r\nSet-Cookie", "Käse", "X-\0", 7])
def test_a_header_s_name_that_http_cannot_carry_is_refused(name: Any):
    with pytest.raises(ValueError, match="a response's header has a name that HTTP cannot carry"):
        Response(headers={name: "a"})


def test_a_refusal_quotes_nothing_that_a_caller_may_have_sent():
    for make in (
        lambda: Response(headers={"X-Tag": f"{CANARY}\n"}),
        lambda: Response(headers={f"{CANARY}\n": "a"}),
        lambda: Response(cookies=[f"{CANARY}\n"]),
        lambda: Response(CANARY),  # type: ignore[arg-type]
    ):
        with pytest.raises(ValueError, match="response") as raised:
            make()
        assert CANARY not in str(raised.value)


def test_one_text_is_no_list_of_cookies():
    with pytest.raises(ValueError, match=r"cookies are a list of Set-Cookie texts, got one text: write \[...\]"):
        Response(cookies="a=b")
