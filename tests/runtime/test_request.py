import dataclasses

import pytest

from serverless_patterns_runtime import Caller, Request
from serverless_patterns_runtime.business_function.business_function import UnusableResult
from serverless_patterns_runtime.request import Values

CANARY = "canary-4111-1111"


def test_a_name_that_came_twice_is_its_last_value_and_all_are_all():
    values = Values({"tag": ["a", "b"], "one": ["1"]})
    assert values["tag"] == "b"
    assert values.all("tag") == ("a", "b")
    assert values.all("one") == ("1",)
    assert dict(values) == {"tag": "b", "one": "1"}


def test_a_name_that_did_not_come_is_missing_and_all_of_it_is_nothing():
    values = Values({"empty": []})
    assert values.all("absent") == ()
    assert values.get("absent") is None
    assert "empty" not in values
    assert len(values) == 0
    with pytest.raises(KeyError):
        values["absent"]


@pytest.mark.parametrize("name", ["X-Tag", "x-tag", "X-TAG"])
def test_a_header_is_found_in_any_case(name: str):
    headers = Values({"X-Tag": ["a"], "x-tAG": ["b"]}, ignore_case=True)
    assert headers[name] == "b"
    assert headers.all(name) == ("a", "b")
    assert name in headers
    assert list(headers) == ["x-tag"]


def test_a_query_parameter_s_case_counts():
    assert "Page" not in Values({"page": ["1"]})


def test_a_parameter_that_is_a_list_by_its_schema_is_one_however_often_it_came():
    assert Values({"tag": ["a"]}, lists=["tag"])["tag"] == ["a"]
    assert Values({"tag": ["a", "b"]}, lists=["tag"])["tag"] == ["a", "b"]
    assert Values({"tag": ["a", "b"]}, lists=["tag"]).all("tag") == ("a", "b")


def test_values_are_equal_by_all_of_their_values():
    assert Values({"a": ["1", "2"]}) == Values({"a": ["1", "2"]})
    assert Values({"a": ["1", "2"]}) != Values({"a": ["2"]})
    assert Values({"a": ["1"]}, lists=["a"]) != Values({"a": ["1"]})
    assert Values({"a": ["1", "2"]}) == {"a": "2"}


def test_a_fake_request_is_what_a_route_s_function_gets():
    request = Request.fake(
        "POST /orders/{order_id}/lines/{rest+}",
        params={"order_id": "A-1", "rest": "x/y"},
        query={"page": 2, "tag": ["a", "b"], "twice": ("1", "2")},
        headers={"X-Tag": ("a", "b"), "Accept": "text/html"},
        cookies={"session": "s"},
        body={"quantity": 2},
    )
    assert request.method == "POST"
    assert request.route == "POST /orders/{order_id}/lines/{rest+}"
    assert request.path == "/orders/A-1/lines/x/y"
    assert request.params["order_id"] == "A-1"
    assert request.query["page"] == 2
    assert request.query["tag"] == ["a", "b"]
    assert request.query["twice"] == "2"
    assert request.headers["x-tag"] == "b"
    assert request.headers["accept"] == "text/html"
    assert request.cookies == {"session": "s"}
    assert request.body == {"quantity": 2}
    assert request.caller == Caller("caller-1")


def test_a_fake_request_needs_no_words():
    request = Request.fake()
    assert (request.method, request.route, request.path, request.body) == ("GET", "GET /", "/", None)
    assert Request.fake(caller=None).caller is None
    assert Request.fake() == Request.fake()
    assert Request.fake() != Request.fake(query={"a": 1})


def test_a_request_of_a_route_for_any_method_has_its_own_method():
    request = Request.fake("ANY /legacy/{proxy+}", method="PATCH", params={"proxy": "a"})
    assert (request.method, request.route, request.path) == ("PATCH", "ANY /legacy/{proxy+}", "/legacy/a")


def test_nothing_that_a_caller_sent_is_in_the_repr_of_a_request():
    request = Request.fake(
        "GET /things/{thing}",
        params={"thing": CANARY},
        path=f"/things/{CANARY}",
        query={"q": CANARY},
        headers={"Authorization": CANARY},
        cookies={"session": CANARY},
        body={"card": CANARY},
        caller=Caller(CANARY),
    )
    assert CANARY not in repr(request)
    assert CANARY not in repr(request.headers) + repr(request.query)
    assert "GET /things/{thing}" in repr(request)
    assert repr(Caller("user-7", claims={"email": CANARY})) == "Caller(id='user-7', kind='lambda')"


def test_a_request_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Request.fake().body = 1  # type: ignore[misc]


@pytest.mark.parametrize("caller_id", ["", " ", None, 7, b"user"])
def test_a_caller_without_a_name_is_refused(caller_id: object):
    with pytest.raises(ValueError, match="a caller's id is a text, and not empty"):
        Caller(caller_id)  # type: ignore[arg-type]


def test_a_fake_caller_s_claims_are_the_text_that_a_function_gets():
    claims = {"roles": ["a"], "level": 3, "admin": True, "scope": "orders", "none": None}
    caller = Request.fake(caller=Caller("ann", claims=claims)).caller
    assert caller is not None
    assert caller.claims == {"roles": '["a"]', "level": "3", "admin": "true", "scope": "orders"}
    with pytest.raises(UnusableResult, match="a claim cannot be called principalId"):
        Request.fake(caller=Caller("ann", claims={"principalId": "bob"}))


def test_a_fake_cognito_caller_has_the_text_that_the_gateway_makes():
    caller = Caller("ann", "cognito", {"cognito:groups": "admins"})
    assert Request.fake(caller=caller).caller == caller
    with pytest.raises(ValueError, match="reach a function as text"):
        Request.fake(caller=Caller("ann", "cognito", {"cognito:groups": ["admins"]}))
