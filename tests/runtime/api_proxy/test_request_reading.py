"""From API Gateway's event to the Request that a business function gets."""

from typing import Any

import pytest

from serverless_patterns_runtime import Caller, Request, Response

from ..rest_api_events import event, golden
from .api import Api, route


def heard(sent: dict[str, Any], **settings: Any) -> Request:
    """What the function of the event's route is given."""
    got: list[Request] = []
    name = f"{sent['httpMethod']} {sent['resource']}"
    answered = Api(got.append, routes={name: route(**settings)}).send(sent)
    assert answered.status == 204, answered.json
    (request,) = got
    return request


def test_a_json_request_of_a_cognito_user():
    request = heard(golden("rest_api_cognito"), evidence="cognito")
    assert request.method == "POST"
    assert request.route == "POST /orders/{order_id}/lines"
    assert request.path == "/orders/A-1/lines"
    assert request.params == {"order_id": "A-1"}
    assert request.body == {"product": "Käse", "quantity": 2}
    assert request.caller == Caller(
        "5b1c7a52-4f0e-4a7e-9d1a-0c2b3a4d5e6f",
        "cognito",
        golden("rest_api_cognito")["requestContext"]["authorizer"]["claims"],
    )
    assert request.correlation_id == "web-1"
    assert len(request.query) == len(request.cookies) == 0


def test_repeated_headers_parameters_and_cookies_of_a_lambda_authorizer_s_caller():
    request = heard(golden("rest_api_lambda"), evidence="lambda")
    assert request.headers.all("x-tag") == ("one", "two")
    assert request.headers["AUTHORIZATION"] == "Bearer canary-token-lambda"
    assert request.query.all("status") == ("open", "paid")
    assert request.query["q"] == "canary query"
    assert request.cookies == {"session": "canary-session", "theme": "dark"}
    assert request.caller == Caller("user-7", "lambda", {"scope": "orders:read"})
    assert request.body is None


def test_bytes_from_an_iam_identity():
    request = heard(golden("rest_api_iam"), evidence="iam", content="bytes")
    assert request.body == b"%PDF-1.7\n\x00\xff\xfe"
    assert request.params == {"name": "reports/café.pdf"}
    assert request.path == "/files/reports/caf%C3%A9.pdf"
    assert request.caller == Caller(
        "arn:aws:sts::123456789012:assumed-role/Uploader/uploader",
        "iam",
        {"account": "123456789012", "user": "AROAEXAMPLEEXAMPLEEX:uploader"},
    )


def test_a_public_request_with_nothing_in_it():
    request = heard(golden("rest_api_public"))
    assert request.caller is None
    assert request.params == request.cookies == {}
    assert request.correlation_id == "4c1e5a0e-3f0b-4c55-9a5e-2b8d7f6a1c04"


def test_an_envelope_without_the_lists_of_several_values_is_read_by_the_single_ones():
    """As the console's test button sends it."""
    sent = event(headers={"X-Tag": "a"}, query={"page": "2"})
    del sent["multiValueHeaders"], sent["multiValueQueryStringParameters"]
    request = heard(sent)
    assert request.headers.all("x-tag") == ("a",)
    assert request.query.all("page") == ("2",)


@pytest.mark.parametrize("name", ["headers", "queryStringParameters"])
def test_headers_and_parameters_may_be_missing_or_null(name: str):
    for value in (None, {}):
        sent = event()
        several = f"multiValue{name[0].upper()}{name[1:]}"
        sent |= {name: value, several: value}
        heard(sent)
        del sent[name], sent[several]
        heard(sent)


def test_of_a_cookie_that_came_twice_the_more_specific_one_counts():
    request = heard(event(headers={"Cookie": ["a=1; a=2;b", "a=3; c = 4 ;d=e=f;;"]}))
    assert request.cookies == {"a": "1", "c": "4", "d": "e=f"}


def test_a_route_is_found_by_what_the_gateway_chose_and_not_by_the_path():
    """A path that another route would match changes nothing: the gateway has authorised this one."""
    routes = {"GET /things/{thing}": route(evidence="lambda"), "GET /things/health": route()}
    api = Api(lambda request: request.route, routes=routes)
    sent = event("GET /things/{thing}", path="/things/health", params={"thing": "health"}, evidence="lambda")
    assert api.send(sent).json == "GET /things/{thing}"
    del sent["requestContext"]["authorizer"]
    assert api.send(sent).status == 401


def test_a_route_for_any_method_takes_those_that_no_other_route_has():
    routes = {"ANY /things": route(), "POST /things": route()}
    api = Api(lambda request: [request.method, request.route], routes=routes)
    assert api.send(event("POST /things")).json == ["POST", "POST /things"]
    assert api.send(event("DELETE /things")).json == ["DELETE", "ANY /things"]


@pytest.mark.parametrize("name", ["GET /others", "DELETE /things", "GET /things/", "GET /Things", "POST /THINGS"])
def test_a_route_that_the_function_does_not_know_is_a_404(name: str):
    called: list[Any] = []
    answered = Api(called.append).send(event(name))
    assert answered.problem == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "there is no such route",
    }
    assert called == []


def test_a_response_gets_back_whole():
    content = bytes(range(256))
    given = Response(
        201, content, headers={"Content-Type": "image/png", "X-Tag": ["a", "b"]}, cookies=["a=1; HttpOnly", "b=2"]
    )
    answered = Api(lambda _: given, binary_media_types=("image/png",)).post(headers={"Accept": "image/png"})
    assert answered.status == 201
    assert answered.body == content
    assert answered.headers["x-tag"] == ["a", "b"]
    assert answered.headers["set-cookie"] == ["a=1; HttpOnly", "b=2"]


def test_an_answer_is_not_kept_by_caches_unless_it_says_so():
    assert Api(lambda _: {}).post().header("Cache-Control") == "no-store"
    kept = Response(body={}, headers={"cache-control": "max-age=60"})
    assert Api(lambda _: kept).post().header("Cache-Control") == "max-age=60"
    assert Api(lambda _: {}).send(event("GET /others")).header("Cache-Control") == "no-store"


SAFE = ["web-1", "a", "A" * 64, "4c1e5a0e-3f0b-4c55-9a5e-2b8d7f6a1c05", "a.b_c-d"]
UNSAFE = ["", " ", "a b", "A" * 65, "a\nb", "a\r\nSet-Cookie: x", "web-1\n", "ä", "a/b", "{}", "\0", "${jndi:x}"]


@pytest.mark.parametrize("said", SAFE)
def test_a_caller_s_correlation_id_comes_back_and_goes_on(said: str):
    api = Api(lambda request, invocation: [request.correlation_id, invocation.correlation_id])
    answered = api.post(headers={"x-correlation-id": said})
    assert answered.json == [said, said]
    assert answered.header("X-Correlation-Id") == said
    assert {line["correlation_id"] for line in api.log} == {said}


@pytest.mark.parametrize("said", [*UNSAFE, ["web-1", "web-2"]])
def test_an_unsafe_correlation_id_is_replaced_by_the_gateway_s_own(said: Any):
    api = Api(lambda request: request.correlation_id)
    answered = api.post(headers={"X-Correlation-Id": said}, request_id="request-9")
    assert answered.json == answered.header("X-Correlation-Id") == "request-9"
    assert {line["correlation_id"] for line in api.log} == {"request-9"}


def test_an_answer_cannot_say_another_correlation_id():
    answered = Api(lambda _: Response(headers={"x-correlation-id": "other"})).post(request_id="request-9")
    assert answered.header("X-Correlation-Id") == "request-9"


def test_a_function_without_claims_knows_its_request_by_the_gateway_s_id():
    api = Api(lambda _, invocation: [invocation.idempotency_key, invocation.attempt, invocation.remaining()])
    first, again, other = (api.post(request_id=request_id).json for request_id in ("1", "1", "2"))
    assert first == again
    assert first[0] != other[0]
    assert first[1:] == [1, 25.0]
