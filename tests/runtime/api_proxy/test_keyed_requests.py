"""Idempotency-Key, from the request's header to the answer's: what `once` promises reaches the caller."""

import math
from typing import Any

import pytest

from serverless_patterns_runtime import Effects, Invocation, PermanentError, Put, Request, Response
from serverless_patterns_runtime.api_proxy.settings import ClaimsSettings

from ..rest_api_events import event
from .api import Api, route
from .modelled_dynamodb import ModelledDynamoDB

CLAIMS = ClaimsSettings("claims", "Api", 1000)


def pay(request: Request) -> Effects:
    return Effects([Put("PAYMENTS", {"id": request.body["id"]})], result=Response(201, {"paid": request.body["id"]}))


def charge(_: Request, invocation: Invocation) -> Response:
    return Response(201, {"key": invocation.idempotency_key, "attempt": invocation.attempt}, cookies=["a=1"])


def api(function: Any, mode: str = "required", evidence: str = "none") -> Api:
    effects = function is pay
    routes = {"POST /things": route(idempotency=mode, evidence=evidence)}
    made = Api(function, routes=routes, returns_effects=effects, tables={"PAYMENTS": "payments"}, claims=CLAIMS)
    made.edge = made.edge._replace(dynamodb=ModelledDynamoDB(made.clock, "payments"))
    return made


def calls(made: Api) -> list[str]:
    operations, made.edge.dynamodb.operations = made.edge.dynamodb.operations, []
    return operations


@pytest.mark.parametrize("function", [pay, charge])
def test_a_repeated_request_has_the_first_one_s_answer_and_says_so(function: Any):
    made = api(function, evidence="lambda")
    first = made.post({"id": "1"}, key="k", request_id="r-1", evidence="lambda")
    again = made.post({"id": "1"}, key="k", request_id="r-2", evidence="lambda")
    assert first.status == again.status == 201
    assert first.body == again.body
    assert first.headers.get("set-cookie") == again.headers.get("set-cookie")
    assert (first.header("Idempotent-Replayed"), again.header("Idempotent-Replayed")) == (None, "true")
    assert (first.header("X-Correlation-Id"), again.header("X-Correlation-Id")) == ("r-1", "r-2")
    assert [line["outcome"] for line in made.log] == ["Succeeded", "Replayed"]
    assert made.metrics.counts == {"Succeeded": 1, "Replayed": 1}


def test_on_a_public_route_nobody_is_given_the_cookies_of_the_first_one():
    made = api(lambda _: Response(200, {"a": 1}, headers={"set-COOKIE": "a=1", "X-Tag": "t"}, cookies=["b=2"]))
    first, again = (made.post({}, key="k") for _ in range(2))
    assert first.headers["set-cookie"] == ["a=1", "b=2"]
    assert (again.header("Idempotent-Replayed"), again.json, again.header("X-Tag")) == ("true", {"a": 1}, "t")
    assert "set-cookie" not in again.headers


def test_effects_cost_one_request_to_dynamodb_and_a_replay_one():
    made = api(pay)
    made.post({"id": "1"}, key="k")
    assert calls(made) == ["TransactWriteItems"]
    made.post({"id": "1"}, key="k")
    assert calls(made) == ["TransactWriteItems"]


def test_a_lease_costs_two_and_a_replay_one():
    made = api(charge)
    made.post({}, key="k")
    assert calls(made) == ["UpdateItem", "UpdateItem"]
    made.post({}, key="k")
    assert calls(made) == ["UpdateItem"]


@pytest.mark.parametrize("function", [pay, charge])
def test_the_same_key_with_another_body_is_a_422(function: Any):
    made = api(function)
    made.post({"id": "1"}, key="k")
    said = made.post({"id": "2"}, key="k").problem
    assert (said["status"], said["title"]) == (422, "Unprocessable Entity")
    assert said["detail"] == "the idempotency key was used before, with another payload"


def test_while_the_first_is_at_work_the_second_is_a_409_that_says_when_to_come_back():
    made = api(charge)
    seen: list[Any] = []

    def slow(_: Request, __: Invocation) -> dict[str, Any]:
        if not seen:
            seen.append(None)
            seen[0] = made.post({}, key="k", request_id="r-2")
        return {}

    made.function = slow
    assert made.post({}, key="k").status == 200
    (second,) = seen
    assert second.status == 409
    assert 1 <= int(second.header("Retry-After")) <= math.ceil(made.timeout) + 60


def test_two_callers_with_one_key_are_two_requests():
    made = api(charge, evidence="lambda")
    answers: list[Any] = []
    for name in ("user-7", "user-8"):
        sent = event(body={}, key="k", evidence="lambda")
        sent["requestContext"]["authorizer"]["principalId"] = name
        answers.append(made.send(sent))
    assert [answered.header("Idempotent-Replayed") for answered in answers] == [None, None]
    assert answers[0].json["key"] != answers[1].json["key"]


BAD_KEYS: list[Any] = ["", " ", "a b", "x" * 256, "ä", "a\nb", "a\0", "\x7f", ["a", "b"], ["a", "a"]]


@pytest.mark.parametrize("mode", ["required", "optional"])
@pytest.mark.parametrize("key", BAD_KEYS, ids=repr)
def test_a_key_that_cannot_be_one_is_a_400_and_nothing_is_called(mode: str, key: Any):
    called: list[Any] = []
    made = api(called.append, mode)
    answered = made.post({}, headers={"Idempotency-Key": key})
    assert (answered.status, "Idempotency-Key" in answered.problem["detail"]) == (400, True)
    assert called == calls(made) == []


def test_a_missing_key_is_a_400_where_the_route_needs_one():
    made = api(charge)
    assert "Idempotency-Key" in made.post({}).problem["detail"]
    assert calls(made) == []


@pytest.mark.parametrize("mode", ["optional", "off"])
def test_without_a_key_a_route_that_needs_none_makes_no_claim(mode: str):
    made = api(charge, mode)
    assert made.post({}).status == 201
    assert calls(made) == []


def test_where_keys_are_off_one_that_is_sent_means_nothing():
    made = api(charge, "off")
    for _ in range(2):
        assert made.post({}, key="k").header("Idempotent-Replayed") is None
    assert calls(made) == []


@pytest.mark.parametrize("function", [pay, charge])
def test_what_is_refused_before_the_function_claims_nothing(function: Any):
    made = api(function)
    for sent in (event(body="{", key="k"), event(body="{}", key="k", content_type="text/plain")):
        assert made.send(sent).status in (400, 415)
    assert calls(made) == []


def test_a_failure_is_not_kept():
    made = api(charge)

    def fail(_: Request, __: Invocation) -> None:
        raise PermanentError("not yet", status=409)

    made.function, works = fail, made.function
    assert made.post({}, key="k").status == 409
    made.function = works
    answered = made.post({}, key="k")
    assert (answered.status, answered.header("Idempotent-Replayed")) == (201, None)


def test_who_replays_from_another_page_is_answered_for_that_page():
    """What depends on the request is not kept with the answer."""
    cors = {"origins": ["https://a.example.com", "https://b.example.com"], "credentials": False, "expose_headers": []}
    made = api(pay)
    made.edge = made.edge._replace(settings=made.edge.settings._replace(cross_origin=cors))
    for origin in cors["origins"]:
        answered = made.post({"id": "1"}, key="k", headers={"Origin": origin})
        assert answered.header("Access-Control-Allow-Origin") == origin


ANY_METHOD = {"GET": "off", "HEAD": "off", "PUT": "optional", "POST": "required", "PATCH": "required"}


def test_on_a_route_for_any_method_a_key_means_what_it_means_for_the_method_that_is_called():
    made = api(charge)
    settings = made.edge.settings._replace(routes={"ANY /things": route(idempotency=ANY_METHOD)})
    made.edge = made.edge._replace(settings=settings)
    for method, mode in ANY_METHOD.items():
        assert (made.send(event(f"{method} /things", {})).status == 400) == (mode == "required"), method
        replays = [made.send(event(f"{method} /things", {}, key="k")).header("Idempotent-Replayed") for _ in range(2)]
        assert replays == [None, None if mode == "off" else "true"], method
