"""The gateway in front of functions: what the emulator and our start of it do as AWS does, and what they do not."""

import json

import pytest
from botocore.credentials import Credentials

ANSWER = """
    import json

    def handler(event, context):
        return json.loads(event["body"])
"""
ECHO = """
    import json

    def handler(event, context):
        return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(event)}
"""
TOKEN_AUTHORIZER = """
    def handler(event, context):
        token = event.get("authorizationToken") or event["headers"]["authorization"]
        if token == "unknown":
            raise Exception("Unauthorized")
        if token == "broken":
            raise RuntimeError("no database")
        effect = "Allow" if token.startswith("allow") else "Deny"
        everything = event["methodArn"].split("/")[0] + "/*"
        statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": everything}
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        print('{"called": "%s"}' % event.get("requestContext", {}).get("requestId"))
        return {"principalId": "ann", "policyDocument": policy, "context": {"tier": "gold", "age": 7, "ok": True}}
"""
FUNCTION_URI = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{}/invocations"
ORIGIN = "Access-Control-Allow-Origin"


@pytest.fixture
def answering(rest_api, function):
    """`POST /answer` answers what its body says, as a function's result."""
    made = rest_api(binaryMediaTypes=["image/png"])
    made.to_function("POST /answer", function(ANSWER).name)
    return lambda result, **headers: made.calls.call("POST /answer", result, headers)


@pytest.fixture
def echoing(rest_api, function):
    """An API whose routes answer with the event that they got."""
    made, echo = rest_api(binaryMediaTypes=["image/png"]), function(ECHO).name

    def add(route: str, **settings):
        made.to_function(route, echo, **settings)
        return made.calls

    add.api = made
    return add


def authorizer(api, function, kind: str, **settings) -> dict[str, str]:
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{function.name}"
    source = {"identitySource": "method.request.header.Authorization", **settings}
    made = api.client.create_authorizer(
        restApiId=api.id, name=kind, type=kind, authorizerUri=FUNCTION_URI.format(arn), **source
    )
    return {"authorizationType": "CUSTOM", "authorizerId": made["id"]}


# Answers and requests of functions


def test_cookies_and_repeated_headers_of_an_answer_arrive_each_on_its_own_line(answering) -> None:
    many = {"Set-Cookie": ["a=1; HttpOnly", "b=2"], "Link": ["<x>", "<y>"]}
    answer = answering({"statusCode": 201, "multiValueHeaders": many, "body": ""})
    assert answer.status == 201
    assert answer.headers.get_all("Set-Cookie") == ["a=1; HttpOnly", "b=2"]
    assert answer.headers.get_all("Link") == ["<x>", "<y>"]


def test_a_binary_answer_is_bytes_for_who_accepts_its_type_and_text_for_others(answering) -> None:
    result = {"statusCode": 200, "isBase64Encoded": True, "body": "/9j/", "headers": {"Content-Type": "image/png"}}
    assert answering(result, Accept="image/png").body == b"\xff\xd8\xff"
    assert answering(result, Accept="application/json").body == b"/9j/"


def test_a_binary_request_arrives_as_base64_and_json_as_text(echoing) -> None:
    calls = echoing("POST /echo")
    event = calls.call("POST /echo", b"\xff\xd8\xff", {"Content-Type": "image/png"}).json
    assert (event["body"], event["isBase64Encoded"]) == ("/9j/", True)
    assert calls.call("POST /echo", {"a": 1}).json["body"] == '{"a": 1}'


def test_a_header_that_repeats_arrives_as_often_as_it_was_sent(echoing) -> None:
    sent = [("X-Tag", "b"), ("X-Other", "ë".encode()), ("X-Tag", "a, c")]
    event = echoing("GET /echo").call("GET /echo", headers=sent).json
    assert event["multiValueHeaders"]["x-tag"] == ["b", "a, c"]
    assert event["headers"]["x-tag"] == "a, c", "the last"
    assert event["headers"]["x-other"] == "ë"


def test_an_event_names_the_route_that_the_gateway_chose_not_only_the_path(echoing) -> None:
    calls = echoing("GET /orders/{order_id}")
    echoing("GET /orders/new")
    event = calls.call("GET /orders/o%20-1?page=1&page=2&q=").json
    assert (event["httpMethod"], event["resource"], event["path"]) == ("GET", "/orders/{order_id}", "/orders/o -1")
    assert event["pathParameters"] == {"order_id": "o -1"}
    assert event["multiValueQueryStringParameters"] == {"page": ["1", "2"], "q": [""]}
    assert calls.call("GET /orders/new").json["resource"] == "/orders/new", "the literal wins"


def test_a_request_has_an_id_of_its_own_that_its_function_and_its_authorizer_see(echoing, function) -> None:
    authorize = function(TOKEN_AUTHORIZER)
    calls = echoing("GET /echo", **authorizer(echoing.api, authorize, "REQUEST", authorizerResultTtlInSeconds=0))
    answers = [calls.call("GET /echo", headers={"Authorization": "allow"}) for _ in range(2)]
    ids = [answer.json["requestContext"]["requestId"] for answer in answers]
    assert ids == [record["called"] for record in authorize.records()]
    assert len(set(ids)) == 2


def test_a_path_that_is_no_route_is_a_403(echoing) -> None:
    calls = echoing("GET /echo")
    assert calls.call("GET /other").status == 403
    assert calls.call("POST /echo").status == 403, "a method that the path lacks"
    assert calls.call("GET /ECHO").status == 403, "case counts"


# Authorizers


@pytest.mark.parametrize("kind", ["TOKEN", "REQUEST"])
def test_an_authorizer_decides(echoing, function, kind) -> None:
    guard = authorizer(echoing.api, function(TOKEN_AUTHORIZER), kind)
    calls = echoing("GET /guarded/{id}", **guard)
    answers = {token: calls.call("GET /guarded/1", headers={"Authorization": token}) for token in TOKENS}
    assert {token: answer.status for token, answer in answers.items()} == TOKENS
    assert calls.call("GET /guarded/1").status == 401, "no token"
    evidence = answers["allow"].json["requestContext"]["authorizer"]
    assert evidence == {"principalId": "ann", "tier": "gold", "age": "7", "ok": "true"}


TOKENS = {"allow": 200, "deny": 403, "unknown": 401, "broken": 500}


def test_an_authorizers_answer_is_kept_for_its_time_and_holds_for_other_routes(echoing, function) -> None:
    authorize = function(TOKEN_AUTHORIZER)
    guard = authorizer(echoing.api, authorize, "REQUEST", authorizerResultTtlInSeconds=60)
    calls = echoing("GET /a", **guard)
    echoing("GET /b", **guard)
    for path in ("/a", "/b", "/a"):
        assert calls.call(f"GET {path}", headers={"Authorization": "allow-me"}).status == 200
    assert len(authorize.records()) == 1


def test_iam_lets_in_who_may_invoke_the_route_and_nobody_else(echoing, cloud, fresh_name) -> None:
    calls = echoing("GET /guarded", authorizationType="AWS_IAM")
    echoing("GET /other", authorizationType="AWS_IAM")
    iam = cloud.client("iam")
    iam.create_user(UserName=fresh_name)
    resource = f"arn:aws:execute-api:us-east-1:000000000000:{echoing.api.id}/live/GET/guarded"
    allow = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resource}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_user_policy(UserName=fresh_name, PolicyName="call", PolicyDocument=policy)
    key = iam.create_access_key(UserName=fresh_name)["AccessKey"]
    credentials = Credentials(key["AccessKeyId"], key["SecretAccessKey"])
    answer = calls.signed("GET /guarded", credentials)
    assert answer.json["requestContext"]["identity"]["userArn"] == f"arn:aws:iam::000000000000:user/{fresh_name}"
    assert calls.signed("GET /other", credentials).status == 403, "another route"
    assert calls.signed("GET /guarded", Credentials(key["AccessKeyId"], "wrong")).status == 403
    assert calls.call("GET /guarded").status == 403, "unsigned"
    assert calls.call("GET /guarded", headers={"Authorization": "Bearer x"}).status == 403


def test_a_user_pool_lets_in_its_own_tokens(echoing, user_pool) -> None:
    made = echoing.api.client.create_authorizer(
        restApiId=echoing.api.id,
        name="pool",
        type="COGNITO_USER_POOLS",
        providerARNs=[user_pool.arn],
        identitySource="method.request.header.Authorization",
    )
    calls = echoing("GET /guarded", authorizationType="COGNITO_USER_POOLS", authorizerId=made["id"])
    token = user_pool.sign_in("ann")
    claims = calls.call("GET /guarded", headers={"Authorization": token}).json["requestContext"]["authorizer"]["claims"]
    assert claims["sub"]
    forged = token[:-8] + ("A" * 8 if token[-8:] != "A" * 8 else "B" * 8)
    assert calls.call("GET /guarded", headers={"Authorization": forged}).status == 401
    assert calls.call("GET /guarded").status == 401


# Limits


def test_a_throttle_of_the_stage_lets_through_its_burst_and_answers_429(echoing) -> None:
    calls = echoing("GET /limited")
    patch = [
        {"op": "replace", "path": f"/*/*/throttling/{name}", "value": value}
        for name, value in (("rateLimit", "1"), ("burstLimit", "2"))
    ]
    echoing.api.client.update_stage(restApiId=echoing.api.id, stageName="live", patchOperations=patch)
    statuses = [answer.status for answer in calls.at_once(10, "GET /limited")]
    assert set(statuses) == {200, 429}
    assert 2 <= statuses.count(200) <= 4


def test_a_quota_and_a_key_are_enforced(echoing) -> None:
    calls, client = echoing("GET /metered", apiKeyRequired=True), echoing.api.client
    assert calls.call("GET /metered").status == 403
    plan = client.create_usage_plan(
        name="plan", quota={"limit": 1, "period": "DAY"}, apiStages=[{"apiId": echoing.api.id, "stage": "live"}]
    )["id"]
    key = client.create_api_key(name="key", enabled=True)
    client.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    statuses = [calls.call("GET /metered", headers={"x-api-key": key["value"]}).status for _ in range(2)]
    assert statuses == [200, 429]
    client.delete_usage_plan(usagePlanId=plan)
    client.delete_api_key(apiKey=key["id"])


def test_answers_of_the_gateway_itself_are_what_was_declared(echoing) -> None:
    calls = echoing("GET /guarded", authorizationType="AWS_IAM")
    template = '{"title": $context.error.messageString, "id": "$context.requestId"}'
    kind = {ORIGIN: "*", "Content-Type": "application/problem+json"}
    echoing.api.gateway_response("DEFAULT_4XX", template, kind)
    echoing.api.gateway_response("UNAUTHORIZED", template, kind)
    for call in ("GET /guarded", "GET /nowhere"):
        answer = calls.call(call)
        assert answer.problem == (403, "application/problem+json")
        assert answer.headers[ORIGIN] == "*"
        assert answer.json["title"] == "Missing Authentication Token"
        assert len(answer.json["id"]) == 36


# What the emulator lacks


@pytest.mark.xfail(
    strict=True, raises=pytest.fail.Exception, reason="the emulator deletes a deployment that a stage has"
)
def test_a_deployment_that_a_stage_has_cannot_be_deleted(rest_api) -> None:
    made = rest_api()
    made.to_mock("GET /things", '{"statusCode": 200}')
    made.deploy()
    deployment = made.client.get_stage(restApiId=made.id, stageName="live")["deploymentId"]
    with pytest.raises(made.client.exceptions.BadRequestException):
        made.client.delete_deployment(restApiId=made.id, deploymentId=deployment)


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="the emulator takes any body; AWS takes 10 MB")
def test_more_than_10_mb_are_refused(echoing) -> None:
    calls = echoing("POST /echo")
    assert calls.call("POST /echo", b"x" * 10_600_000, {"Content-Type": "text/plain"}).status == 413


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="the emulator answers an IAM denial without the gateway")
def test_a_denial_of_iam_is_an_answer_of_the_gateway(echoing, cloud, fresh_name) -> None:
    calls = echoing("GET /guarded", authorizationType="AWS_IAM")
    echoing.api.gateway_response("ACCESS_DENIED", "{}", {"X-Gateway": "yes"})
    iam = cloud.client("iam")
    iam.create_user(UserName=fresh_name)
    key = iam.create_access_key(UserName=fresh_name)["AccessKey"]
    answer = calls.signed("GET /guarded", Credentials(key["AccessKeyId"], key["SecretAccessKey"]))
    assert (answer.status, answer.headers["X-Gateway"]) == (403, "yes")


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="the emulator writes another id into an answer")
def test_a_request_has_its_id_in_its_answer(echoing) -> None:
    answer = echoing("GET /echo").call("GET /echo")
    assert answer.json["requestContext"]["requestId"] == answer.headers["x-amzn-RequestId"]


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="the emulator gives names of headers in lower case only")
def test_a_headers_name_arrives_as_it_was_sent(echoing) -> None:
    assert "X-Tag" in echoing("GET /echo").call("GET /echo", headers={"X-Tag": "a"}).json["headers"]


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="the emulator decodes paths before it chooses a route")
def test_an_encoded_slash_is_part_of_a_segment(echoing) -> None:
    calls = echoing("GET /orders/{order_id}")
    assert calls.call("GET /orders/a%2Fb").status == 200


@pytest.mark.xfail(
    strict=True, raises=AssertionError, reason="the emulator asks no function whether the API may call it"
)
def test_a_function_must_let_the_api_call_it(echoing) -> None:
    assert echoing("GET /echo").call("GET /echo").status == 500


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="the emulator answers 502 with the error's own text")
def test_a_function_that_fails_leaks_nothing(rest_api, function) -> None:
    made = rest_api()
    made.to_function("GET /fails", function("def handler(event, context): raise RuntimeError('secret')").name)
    assert b"secret" not in made.calls.call("GET /fails").body


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="the emulator takes any result of a function")
def test_a_result_that_is_no_answer_is_a_502(rest_api, function) -> None:
    made = rest_api()
    made.to_function("GET /odd", function("def handler(event, context): return ['odd']").name)
    assert made.calls.call("GET /odd").status == 502
