"""`ApiProxy` as deployed: each kind of target and of authorizer, bounds, CORS, and what opens nothing."""

import json

import pytest
from botocore.credentials import Credentials

from tests.live.api_stack import ADMIN, LIMIT, SHOP, STRANGER
from tests.live.live_api import LiveApi
from tests.live.rest_calls import Answer

PROBLEM = "application/problem+json"
ALLOWED = "Access-Control-Allow-Origin"
KEY = {"Idempotency_Key": "k-1"}
GOOD = {"id": "never", "quantity": 1}


# Targets


def test_a_function_gets_the_request_and_its_whole_answer_arrives(front_door: LiveApi) -> None:
    answer = front_door.call("GET /things/Zo%C3%AB?page=2", X_Correlation_Id="trace-7")
    assert answer.status == 200
    assert answer.json["params"] == {"id": "Zoë"}
    assert answer.json["query"] == {"page": "2"}
    assert answer.json["caller"] == {"id": "ann", "kind": "lambda"}
    assert answer.json["claims"]["tier"] == "gold"
    assert answer.json["row"] is None, "the role may read the ledger"
    assert answer.headers.get_all("X-Tags") == ["a", "b"]
    assert answer.headers.get_all("Set-Cookie") == ["a=1; HttpOnly", "b=2"]
    assert answer.headers["X-Correlation-Id"] == "trace-7"
    assert answer.headers["Cache-Control"] == "no-store"


def test_somebody_elses_function_gets_the_raw_event(front_door: LiveApi) -> None:
    assert front_door.call("GET /raw/7").body == b"7"


def test_a_backend_is_asked_in_the_callers_words(front_door: LiveApi) -> None:
    assert front_door.call("GET /legacy/a/b?c=1").json == ["GET", "/old/a/b?c=1", ""]
    assert front_door.call("POST /legacy/a", {"x": 1}).json == ["POST", "/old/a", '{"x": 1}']


def test_a_fixed_answer_is_given_as_it_was_written(front_door: LiveApi) -> None:
    assert front_door.call("GET /health", caller=None).json == {"status": "ok", "price": "$5 #1"}
    assert front_door.call("GET /teapot", caller=None).status == 418


def test_bytes_go_in_and_come_out_unchanged(front_door: LiveApi) -> None:
    picture = bytes(range(256))
    answer = front_door.call("PUT /picture", picture, Content_Type="image/png", Accept="image/png")
    assert (answer.status, answer.headers["Content-Type"], answer.body) == (200, "image/png", picture)


def test_bytes_that_would_arrive_broken_are_refused_on_both_ways(front_door: LiveApi) -> None:
    answer = front_door.call("PUT /picture", b"\xff\xfe", Content_Type="image/gif", Accept="image/png")
    assert answer.problem == (415, PROBLEM)
    for accept in ("*/*", "image/avif,image/webp,*/*;q=0.8"):
        answer = front_door.call("PUT /picture", b"\xff\xfe", Content_Type="image/png", Accept=accept)
        assert answer.problem == (406, PROBLEM)
        assert b"send Accept with image/png" in answer.body


# Who may


@pytest.mark.parametrize(
    ("credential", "status"), [("Bearer banned", 403), ("Basic ann", 401), ("Bearer ", 401), ("Bearer broken", 500)]
)
def test_who_the_lambda_authorizer_does_not_know_stays_outside(front_door: LiveApi, credential, status) -> None:
    answer = front_door.call("GET /things/1", caller=None, Authorization=credential)
    assert answer.problem == (status, PROBLEM)
    assert answer.headers["WWW-Authenticate"] == ("Bearer" if status == 401 else None)
    assert b"database" not in answer.body


def test_without_a_credential_nobody_is_asked(front_door: LiveApi) -> None:
    answer = front_door.call("GET /things/1", caller=None)
    assert answer.problem == (401, PROBLEM)
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_iam_lets_in_who_was_granted_the_route(front_door: LiveApi) -> None:
    api, user = front_door.api, front_door.credentials(front_door.stack.user)
    answer = api.signed("GET /iam/1", user)
    assert answer.status == 200, answer
    assert answer.json["caller"]["kind"] == "iam"
    assert answer.json["caller"]["id"].endswith(f":user/{front_door.named(front_door.stack.user)}")
    stranger = front_door.credentials(front_door.stack.stranger)
    assert api.signed("GET /iam/1", stranger).status == 403, "signed, but not granted"
    assert api.signed("GET /iam/1", Credentials(user.access_key, "wrong")).problem == (403, PROBLEM)
    assert api.call("GET /iam/1").problem == (403, PROBLEM), "not signed"
    assert front_door.call("GET /iam/1").problem == (403, PROBLEM), "another authorizer's token"


def test_a_user_pool_lets_in_its_own_users(front_door: LiveApi) -> None:
    token = front_door.sign_in()
    answer = front_door.call("GET /cognito/1", caller=None, Authorization=token)
    assert (answer.status, answer.json["caller"]["kind"]) == (200, "cognito")
    assert answer.json["claims"]["sub"] == answer.json["caller"]["id"]
    header, payload, signature = token.split(".")
    forged = ".".join((header, payload, signature[::-1]))
    assert front_door.call("GET /cognito/1", caller=None, Authorization=forged).problem == (401, PROBLEM)
    assert front_door.call("GET /cognito/1", caller=None).problem == (401, PROBLEM)


def test_an_authorizer_of_the_cdk_decides_too(front_door: LiveApi) -> None:
    answer = front_door.call("GET /token/1", caller=None, Authorization="let me in")
    assert (answer.status, answer.json["caller"]) == (200, {"id": "token-holder", "kind": "lambda"})
    assert front_door.call("GET /token/1", caller=None, Authorization="please").problem == (403, PROBLEM)
    assert front_door.call("GET /token/1", caller=None).problem == (401, PROBLEM)


GUARDED = {
    "things/1": "GET",
    "raw/1": "GET",
    "legacy/x": "GET",
    "picture": "PUT",
    "payments": "POST",
    "orders": "POST",
    "calls/1": "PUT",
    "iam/1": "GET",
    "cognito/1": "GET",
    "token/1": "GET",
}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "get", "post")
MUTATIONS = (
    "/{}",
    "/{}/",
    "//{}",
    "/{}//",
    "/./{}",
    "/{}/.",
    "/{};x",
    "/{};x=1/",
    "/{}%2F",
    "/%2F{}",
    "/%2e/{}",
    "/{}/%2e%2e",
    "/{}%00",
    "/{}%20",
    "/{}.",
    "/{}?x=1",
    "/{}%3Fx=1",
    "/{}#x",
    "/health/../{}",
    "/health/%2e%2e/{}",
    "/health/..%2F{}",
    "/health%2F..%2F{}",
    "/health;/{}",
    "/HEALTH/../{}",
    "/search/..;/{}",
)


@pytest.mark.parametrize("guarded", GUARDED)
def test_no_way_of_writing_a_path_opens_it_without_a_credential(front_door: LiveApi, guarded) -> None:
    writings = (guarded, guarded.upper(), guarded.replace("/", "%2F"), guarded.replace("/", "//"))
    calls = [f"{GUARDED[guarded]} {mutation.format(path)}" for path in writings for mutation in MUTATIONS]
    calls += [f"{method} /{guarded}" for method in METHODS]
    assert [call for call in calls if unguarded(front_door, call).status < 300] == []


def unguarded(front_door: LiveApi, call: str) -> Answer:
    sends = call.split()[0] not in ("GET", "HEAD", "get")
    headers = {"Content-Type": "application/json", "Idempotency-Key": "k-1"}
    return front_door.api.call(call, json.dumps(GOOD) if sends else None, headers)


@pytest.mark.parametrize("path", ["/things/1", "//things/1", "/things/1/", "/raw/1?x=1", "/legacy//x"])
def test_with_a_credential_the_same_paths_lead_to_their_routes(front_door: LiveApi, path) -> None:
    assert front_door.call(f"GET {path}").status < 300


# Bounds


def test_a_burst_gets_through_as_far_as_the_throttle_lets_it(front_door: LiveApi) -> None:
    answers = front_door.api.at_once(20, "GET /limited")
    assert {answer.status for answer in answers} == {200, 429}
    assert LIMIT <= sum(answer.status == 200 for answer in answers) <= LIMIT + 2, "a token a second comes back"
    refused = next(answer for answer in answers if answer.status == 429)
    assert refused.problem == (429, PROBLEM)
    assert int(refused.headers["Retry-After"]) >= 1


DEEP = "[" * 70 + "]" * 70
BODIES = {
    "not JSON": ("{broken", 400),
    "another type": ('{"id": 7, "quantity": 1}', 400),
    "a field is missing": ('{"id": "a"}', 400),
    "out of range": ('{"id": "a", "quantity": 0}', 400),
    "no body": ("", 400),
    "the same name twice": ('{"id": "a", "id": "b", "quantity": 1}', 400),
    "not a number of JSON": ('{"id": "a", "quantity": 1, "x": NaN}', 400),
    "too deep": (f'{{"id": "a", "quantity": 1, "x": {DEEP}}}', 400),
    "a huge number": (f'{{"id": "a", "quantity": 1, "x": {"9" * 5000}}}', 400),
    "not UTF-8": (b'{"id": "\xff", "quantity": 1}', 400),
    "too large": ('{"id": "a", "quantity": 1, "x": "' + "y" * 10_000 + '"}', 413),
}


@pytest.mark.parametrize("why", BODIES)
def test_a_bad_body_is_refused_before_anything_happens(front_door: LiveApi, why) -> None:
    body, status = BODIES[why]
    answer = front_door.call("POST /payments", body, Content_Type="application/json", **KEY)
    assert answer.problem == (status, PROBLEM), answer
    assert front_door.row("a") == {}


def test_the_gateway_s_own_400_reads_as_a_function_s_does(front_door: LiveApi) -> None:
    answer = front_door.call("POST /payments", {"id": "canary-4111"}, **KEY)
    said = answer.json
    assert (said["status"], said["title"], said["type"]) == (400, "Bad Request", "about:blank")
    assert said["detail"] == "the body is no JSON, or not what the schema of the route says"
    assert b"canary-4111" not in answer.body


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/json; charset=utf-16", None])
def test_a_body_of_another_type_is_refused(front_door: LiveApi, kind) -> None:
    headers = {"Content_Type": kind} if kind else {}
    answer = front_door.call("POST /payments", json.dumps(GOOD), **KEY, **headers)
    assert answer.problem == (415, PROBLEM)
    assert front_door.row("never") == {}
    to_a_queue = front_door.call("POST /orders", json.dumps(GOOD), **KEY, **headers)
    assert to_a_queue.problem == (415, PROBLEM)


def test_a_query_is_checked_and_read_as_its_schema_says(front_door: LiveApi) -> None:
    answer = front_door.call("GET /search?page=2&tag=a&tag=b", caller=None)
    assert answer.json["query"] == {"page": 2, "tag": ["a", "b"]}
    for query in ("", "?page=0", "?page=x", "?page=1.5", "?page=1&page=2"):
        assert front_door.call(f"GET /search{query}", caller=None).problem == (400, PROBLEM), query


def test_an_error_says_nothing_but_an_id_by_which_the_log_is_found(front_door: LiveApi) -> None:
    body = {**GOOD, "id": "s3cr3t", "breaks": True}
    answer = front_door.call("POST /payments", body, Idempotency_Key="breaks", X_Correlation_Id="trace-8")
    assert answer.problem == (500, PROBLEM)
    assert b"s3cr3t" not in answer.body
    assert answer.json["correlation_id"] == "trace-8"
    logged = front_door.logged(front_door.stack.api.function_for("POST /payments"))
    assert any(line.get("correlation_id") == "trace-8" for line in logged)
    assert "s3cr3t" not in json.dumps(logged)


# Pages of other origins


@pytest.mark.parametrize("path", ["orders", "payments", "things/1", "health", "picture"])
@pytest.mark.parametrize("origin", [SHOP, ADMIN])
def test_a_preflight_lets_listed_origins_ask(front_door: LiveApi, path, origin) -> None:
    answer = front_door.call(f"OPTIONS /{path}", caller=None, Origin=origin, Access_Control_Request_Method="POST")
    assert answer.status in (200, 204)
    assert answer.headers[ALLOWED] == origin
    assert "Idempotency-Key" in answer.headers["Access-Control-Allow-Headers"]


def test_answers_of_functions_and_of_templates_name_the_origin_that_asked(front_door: LiveApi) -> None:
    for route in ("GET /things/1", "GET /health", "GET /search?page=1"):
        for origin in (SHOP, ADMIN):
            answer = front_door.call(route, Origin=origin)
            assert answer.headers[ALLOWED] == origin, route
            assert "Origin" in answer.headers["Vary"], route
        assert front_door.call(route, Origin=STRANGER).headers[ALLOWED] != STRANGER


def test_errors_of_the_gateway_can_be_read_by_pages_too(front_door: LiveApi) -> None:
    calls = {"GET /things/1": 401, "GET /nowhere": 403, "GET /iam/1": 403}
    for route, status in calls.items():
        answer = front_door.call(route, caller=None, Origin=SHOP)
        assert answer.problem == (status, PROBLEM), route
        assert answer.headers[ALLOWED] in (SHOP, "*"), route
        assert answer.json["correlation_id"], route
    broken = front_door.call("POST /payments", "{", Origin=SHOP, Content_Type="application/json", **KEY)
    assert (broken.problem, broken.headers[ALLOWED]) == ((400, PROBLEM), "*")
