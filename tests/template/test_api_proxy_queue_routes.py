"""Routes straight to a queue: what SQS gets is what the caller sent, and 202 is said of nothing else."""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

import pytest
from aws_cdk import Duration, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from hypothesis import given, settings
from hypothesis import strategies as st

from serverless_patterns import ApiProxy, Cors, Handler, IamAuthorizer, LambdaAuthorizer, LoadLeveledQueue, Route
from serverless_patterns_runtime.api_proxy.media_type import charset, is_json
from serverless_patterns_runtime.claims.claim import Claim
from serverless_patterns_runtime.load_leveled_queue.contract import CORRELATION_ID_ATTRIBUTE, IDEMPOTENCY_KEY_ATTRIBUTE
from serverless_patterns_runtime.load_leveled_queue.message import Message as Consumed
from tests.template.stacks import HANDLERS, a_queue, new_stack, refusal, resources, statements
from tests.template.velocity import REQUEST_ID, STORED, Answer, Call, form, sqs_refuses

ARN = "arn:aws:iam::111122223333:user/alice"
ORDER = {
    "type": "object",
    "required": ["order_id"],
    "properties": {
        "order_id": {"type": "string"},
        "order": {"type": "object", "properties": {"id": {"type": "integer"}}},
    },
}


def api(stack: Stack, *routes: Route, **arguments: Any) -> ApiProxy:
    if not {"public", "authorizer"} & set(arguments):
        arguments["public"] = True
    return ApiProxy(stack, "Api", routes=list(routes), **arguments)


def methods(stack: Stack) -> dict[str, dict[str, Any]]:
    """Properties of every method, by the end of its path."""
    paths = {id: one["Properties"]["PathPart"] for id, one in resources(stack, "ApiGateway::Resource").items()}
    found = [one["Properties"] for one in resources(stack, "ApiGateway::Method").values()]
    return {paths[one["ResourceId"]["Ref"]]: one for one in found if one["Integration"]["Type"] == "AWS"}


def method(queue: Mapping[str, Any] | None = None, guard: Mapping[str, Any] | None = None, **route: Any) -> Any:
    stack = new_stack()
    api(stack, Route("POST /orders", a_queue(stack, **(queue or {})), **route), **(guard or {}))
    return methods(stack)["orders"]


PLAIN = method()
OPTIONAL = method(idempotency="optional")
OFF = method(idempotency="off")
IAM = method(guard={"authorizer": IamAuthorizer()})
LAMBDA = method(guard={"authorizer": LambdaAuthorizer(Handler(HANDLERS, "web:identify"))})
RESPOND = method(respond={"order_id": "$.order_id", "deep": "$.order.id", "line-1": "$.line"})
FIFO = method({"fifo": True}, message_group="$.customer")
EVERY = {
    "plain": PLAIN,
    "optional": OPTIONAL,
    "off": OFF,
    "iam": IAM,
    "lambda": LAMBDA,
    "respond": RESPOND,
    "fifo": FIFO,
}

# What a template engine, a form or JSON could trip over, and ordinary text.
HOSTILE = st.sampled_from(
    [
        *("$input.body", "#set($key = 1)", "#end", "${caller}", "$!group", "#if(true)", "##", "#*", "$", "#"),
        *("&Action=Delete", "&MessageBody=x", "=", "+", "%26", "%", "&"),
        *('"', "'", "\\", "{}", "null", "\n", "\r\n", "é", "😀", "\u2028", "|", " ", "a"),
    ]
)
TEXT = st.lists(HOSTILE | st.text(max_size=5), max_size=6).map("".join)
VISIBLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=255)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(TEXT, below, max_size=3),
    max_leaves=6,
)
BODIES = TEXT.filter(bool) | JSON.map(json.dumps) | JSON.map(lambda value: json.dumps(value, ensure_ascii=False))


def wellformed(key: str) -> bool:
    return re.fullmatch(r"[\x21-\x7e]{1,255}", key) is not None


def accepted(call: Call) -> Answer:
    answer = call.answered(200, STORED)
    assert answer.status == 202
    return answer


def refused(call: Call) -> Answer:
    """After SQS refused a call that was never meant to store anything."""
    assert call.message() is None
    return call.answered(400, sqs_refuses("InvalidAction", "The action or operation requested is invalid"))


# What SQS gets


@settings(max_examples=150)
@given(body=BODIES, key=VISIBLE | TEXT, correlation=TEXT | VISIBLE, caller=TEXT.filter(bool))
def test_sqs_gets_the_body_as_it_is_and_the_attributes_that_were_meant_and_nothing_else(
    body: str, key: str, correlation: str, caller: str
) -> None:
    headers = {"Idempotency-Key": key, "X-Correlation-Id": correlation, "X-Other": "&Action=DeleteQueue"}
    call = Call(LAMBDA, body, headers, authorizer={"principalId": caller})
    message = call.message()
    if not wellformed(key):
        assert message is None
        assert refused(call).status == 400
        return
    assert message is not None
    assert message.body == body
    safe = re.fullmatch(r"[A-Za-z0-9._-]{1,64}", correlation)
    assert message.attributes == {
        CORRELATION_ID_ATTRIBUTE: correlation if safe else REQUEST_ID,
        IDEMPOTENCY_KEY_ATTRIBUTE: f"POST /orders|{encoded(caller)}|{key}",
    }
    assert (message.group, message.deduplication) == (None, None)
    answer = accepted(call)
    assert answer.body == {"id": encoded(key)}
    assert answer.headers["X-Correlation-Id"] == (correlation if safe else REQUEST_ID)


def encoded(text: str) -> str:
    """As Java's URLEncoder."""
    return quote_plus(text, safe="*").replace("~", "%7E")


PARTS = st.text("a|%7C", min_size=1, max_size=6)


@given(one=st.tuples(PARTS, PARTS), other=st.tuples(PARTS, PARTS))
def test_two_callers_or_two_keys_never_become_one(one: tuple[str, str], other: tuple[str, str]) -> None:
    def scoped(caller: str, key: str) -> str:
        call = Call(LAMBDA, "{}", {"Idempotency-Key": key}, authorizer={"principalId": caller})
        message = call.message()
        assert message is not None
        return message.attributes[IDEMPOTENCY_KEY_ATTRIBUTE]

    assert (scoped(*one) == scoped(*other)) == (one == other)


def test_the_consumer_claims_under_the_key_that_the_gateway_sent() -> None:
    message = Call(IAM, "{}", {"Idempotency-Key": "k-1"}, identity={"userArn": ARN}).message()
    assert message is not None
    attributes = {name: {"dataType": "String", "stringValue": value} for name, value in message.attributes.items()}
    record = {"messageId": "m-1", "body": message.body, "messageAttributes": attributes, "attributes": {}}
    claim = Consumed(record).request(key_path="", namespace="Fulfilment").claim
    assert isinstance(claim, Claim)
    assert claim.key == f"POST /orders|{encoded(ARN)}|k-1"
    assert Consumed(record).correlation_id == REQUEST_ID


def test_users_of_an_identity_pool_have_keys_of_their_own() -> None:
    def scoped(user: str) -> str:
        identity = {"userArn": ARN, "cognitoIdentityId": user}
        message = Call(IAM, "{}", {"Idempotency-Key": "k-1"}, identity=identity).message()
        assert message is not None
        return message.attributes[IDEMPOTENCY_KEY_ATTRIBUTE]

    assert [scoped("ann"), scoped("bob"), scoped("")] == [
        f"POST /orders|{encoded(ARN + user)}|k-1" for user in ("ann", "bob", "")
    ]


@pytest.mark.parametrize("name", ["Idempotency-Key", "idempotency-key", "IDEMPOTENCY-KEY"])
def test_a_header_is_found_by_its_name_in_any_case(name: str) -> None:
    call = Call(PLAIN, "{}", {name: "k-1", name.swapcase(): "k-1", "x-correlation-ID": "c-1"})
    message = call.message()
    assert message is not None
    assert message.attributes == {
        CORRELATION_ID_ATTRIBUTE: "c-1",
        IDEMPOTENCY_KEY_ATTRIBUTE: "POST /orders|public|k-1",
    }


def test_the_query_string_cannot_stand_in_for_a_header() -> None:
    query = {"Idempotency-Key": "q", "X-Correlation-Id": "q"}
    assert Call(PLAIN, "{}", query=query).message() is None
    message = Call(PLAIN, "{}", {"Idempotency-Key": "k"}, query=query).message()
    assert message is not None
    assert "q" not in {value.rpartition("|")[2] for value in message.attributes.values()}


def test_a_body_of_a_megabyte_arrives_whole() -> None:
    body = json.dumps({"text": "é$#&=%+" * 100_000}, ensure_ascii=False)
    message = Call(PLAIN, body, {"Idempotency-Key": "k"}).message()
    assert message is not None
    assert message.body == body


# Keys


@pytest.mark.parametrize("key", ["", " ", "a b", "k" * 256, "é", "a\n", "\x7f", "k\x00"])
def test_a_key_that_no_function_would_take_is_400_and_no_message(key: str) -> None:
    answer = refused(Call(PLAIN, "{}", {"Idempotency-Key": key}))
    assert answer.status == 400
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "Retry-After" not in answer.headers
    assert answer.body == {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "Idempotency-Key must be 1 to 255 visible ASCII characters",
        "correlation_id": REQUEST_ID,
    }


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/json; charset=utf-16",
        "application/jsonx",
        "application/json; charset=utf-8x",
    ],
)
def test_a_body_of_another_type_is_415_and_no_message_as_a_function_has_it(content_type: str | None) -> None:
    answer = refused(Call(PLAIN, "{}", {"Idempotency-Key": "k-1"}, content_type=content_type))
    assert (answer.status, answer.body["title"]) == (415, "Unsupported Media Type")
    assert content_type is None or not (is_json(content_type) and charset(content_type) in ("utf-8", "utf8"))


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON;charset=UTF-8",
        'application/json ; charset="utf8"; x=1',
        "application/json;v=2",
    ],
)
def test_json_in_utf_8_is_sent_however_that_is_written(content_type: str) -> None:
    call = Call(PLAIN, "{}", {"Idempotency-Key": "k-1"}, content_type=content_type)
    assert call.message()
    assert accepted(call).status == 202
    assert is_json(content_type)
    assert charset(content_type) in ("utf-8", "utf8")


def test_without_a_key_where_none_is_needed_the_answer_is_the_message_id() -> None:
    call = Call(OPTIONAL, "{}")
    message = call.message()
    assert message is not None
    assert message.attributes == {CORRELATION_ID_ATTRIBUTE: REQUEST_ID}
    assert accepted(call).body == {"id": "m-1"}
    assert refused(Call(OPTIONAL, "{}", {"Idempotency-Key": "a b"})).status == 400
    keyed = Call(OPTIONAL, "{}", {"Idempotency-Key": "|"})
    assert keyed.message() is not None
    assert accepted(keyed).body == {"id": "%7C"}


def test_a_route_without_keys_looks_at_none() -> None:
    call = Call(OFF, "{}", {"Idempotency-Key": "a b"})
    message = call.message()
    assert message is not None
    assert set(message.attributes) == {CORRELATION_ID_ATTRIBUTE}
    assert accepted(call).body == {"id": "m-1"}


def test_a_key_in_the_body_is_the_only_one_the_header_is_neither_looked_at_nor_sent_nor_given_back() -> None:
    call = Call(method({"idempotency_key": "order_id"}), '{"order_id":"o-1"}', {"Idempotency-Key": "a b"})
    message = call.message()
    assert message is not None
    assert set(message.attributes) == {CORRELATION_ID_ATTRIBUTE}
    assert accepted(call).body == {"id": "m-1"}


@pytest.mark.parametrize(
    ("queue", "asked", "parameter"),
    [
        ({}, None, True),
        ({"idempotency_key": "order_id"}, None, None),
        ({"idempotency_key": "order_id"}, "off", None),
        ({}, "optional", False),
        ({}, "off", None),
    ],
)
def test_the_gateway_asks_for_a_key_unless_the_body_holds_one(queue: Any, asked: Any, parameter: bool | None) -> None:
    made = method(queue, idempotency=asked)
    declared = made.get("RequestParameters", {})
    assert declared.get("method.request.header.Idempotency-Key") is parameter
    assert ("RequestValidatorId" in made) is (parameter is True)


@pytest.mark.parametrize("kind", ["iam", "lambda"])
@pytest.mark.parametrize("evidence", [{}, {"userArn": "", "principalId": ""}])
def test_without_evidence_of_the_caller_nothing_is_sent(kind: str, evidence: dict[str, str]) -> None:
    call = Call(EVERY[kind], "{}", {"Idempotency-Key": "k"}, identity=evidence, authorizer=evidence)
    answer = refused(call)
    assert (answer.status, answer.body["detail"]) == (401, "nobody says who is calling")
    assert answer.headers["WWW-Authenticate"] == {"iam": "AWS4-HMAC-SHA256", "lambda": "Bearer"}[kind]


def test_a_user_pool_s_caller_is_its_subject() -> None:
    stack = new_stack()
    guard = apigateway.CognitoUserPoolsAuthorizer(stack, "Pool", cognito_user_pools=[cognito.UserPool(stack, "Users")])
    api(stack, Route("POST /orders", a_queue(stack)), authorizer=guard)
    call = Call(methods(stack)["orders"], "{}", {"Idempotency-Key": "k"}, authorizer={"claims": {"sub": "s-1"}})
    message = call.message()
    assert message is not None
    assert message.attributes[IDEMPOTENCY_KEY_ATTRIBUTE] == "POST /orders|s-1|k"
    assert (
        refused(Call(methods(stack)["orders"], "{}", {"Idempotency-Key": "k"}, authorizer={"claims": {}})).status == 401
    )


# What the caller gets


@settings(max_examples=60)
@given(order_id=JSON, inside=JSON, present=st.sets(st.sampled_from(["order_id", "order", "id"])))
def test_respond_gives_fields_of_the_request_back_and_null_for_what_is_absent(
    order_id: Any, inside: Any, present: set[str]
) -> None:
    order = {"id": inside} if "id" in present else {"other": inside}
    body = {"order_id": order_id, "order": order, "line": 0}
    sent = {name: value for name, value in body.items() if name not in ("order_id", "order") or name in present}
    call = Call(RESPOND, json.dumps(sent), {"Idempotency-Key": "k"})
    assert call.message() is not None
    assert accepted(call).body == {
        "deep": inside if {"order", "id"} <= present else None,
        "line-1": 0,
        "order_id": order_id if "order_id" in present else None,
    }


@pytest.mark.parametrize("value", [None, False, True, 0, "", [], {}, "null", '"', "$input.body", "#end"])
def test_every_json_value_comes_back_as_itself(value: Any) -> None:
    call = Call(RESPOND, json.dumps({"order_id": value}), {"Idempotency-Key": "k"})
    assert call.message() is not None
    assert accepted(call).body == {"deep": None, "line-1": None, "order_id": value}


@settings(max_examples=60)
@given(kind=st.sampled_from(sorted(EVERY)), status=st.integers(300, 599), words=TEXT)
def test_whatever_sqs_refuses_is_503_and_never_202(kind: str, status: int, words: str) -> None:
    call = Call(EVERY[kind], '{"customer": "c"}', {"Idempotency-Key": "k"}, {}, {"userArn": "u"}, {"principalId": "p"})
    assert call.message() is not None
    answer = call.answered(status, sqs_refuses("InternalError", words))
    assert answer.status == answer.body["status"] == 503
    assert answer.headers["Retry-After"] == "1"
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.body["detail"] == "the queue did not take the message"


@pytest.mark.parametrize(
    ("code", "words", "status"),
    [
        (
            "InvalidParameterValue",
            "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.",
            413,
        ),
        ("InvalidMessageContents", "Invalid binary character '#xFFFE' was found in the message body.", 400),
        ("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.", 503),
        ("AccessDenied", "Access to the resource is denied.", 503),
    ],
)
def test_what_is_the_caller_s_fault_is_told_so(code: str, words: str, status: int) -> None:
    call = Call(PLAIN, "{}", {"Idempotency-Key": "k"})
    assert call.message() is not None
    answer = call.answered(400, sqs_refuses(code, words))
    assert answer.status == answer.body["status"] == status
    assert ("Retry-After" in answer.headers) is (status == 503)


def test_pages_of_listed_origins_may_read_every_answer() -> None:
    stack = new_stack()
    cors = Cors(allow_origins=["https://a.example.com", "https://b.example.com"])
    api(stack, Route("POST /orders", a_queue(stack)), cors=cors)
    for origin in ("https://a.example.com", "https://b.example.com"):
        for status, body in ((200, STORED), (500, "{}")):
            call = Call(methods(stack)["orders"], "{}", {"Idempotency-Key": "k", "Origin": origin})
            assert call.message() is not None
            assert call.answered(status, body).headers["Access-Control-Allow-Origin"] == origin


# Order


@pytest.mark.parametrize(
    ("value", "group"), [("c-1", "c-1"), (7, "7"), (-7, "-7"), ("$x#if", "$x#if"), ("&a=b", "&a=b")]
)
def test_a_field_of_the_body_is_the_message_group(value: Any, group: str) -> None:
    message = Call(FIFO, json.dumps({"customer": value}), {"Idempotency-Key": "k"}).message()
    assert message is not None
    assert message.group == group
    assert message.deduplication == REQUEST_ID, "two callers may have one key, and SQS would drop the second message"


@pytest.mark.parametrize(
    "value", [None, "", " ", "a b", "é", "g" * 129, 1.5, True, [], ["c"], {}, {"a": 1}, "a\n", 10**20], ids=repr
)
def test_a_group_that_sqs_would_refuse_or_that_has_many_spellings_is_400(value: Any) -> None:
    answer = refused(Call(FIFO, json.dumps({"customer": value}), {"Idempotency-Key": "k"}))
    assert answer.status == 400
    assert "orders messages" in answer.body["detail"]
    assert refused(Call(FIFO, "{}", {"Idempotency-Key": "k"})).status == 400


# What is deployed


def test_the_gateway_may_send_to_this_queue_and_do_nothing_else() -> None:
    stack = new_stack()
    key = kms.Key(stack, "Key")
    queue = a_queue(stack, encryption_key=key)
    api(stack, Route("POST /orders", queue), Route("PUT /orders", queue), Route("POST /again", queue))
    roles = {
        id: one["Properties"]
        for id, one in resources(stack, "IAM::Role").items()
        if "apigateway" in json.dumps(one["Properties"]["AssumeRolePolicyDocument"])
    }
    assert len(roles) == 1, "one role, however many routes"
    (role,) = roles
    assert "Sender" in role
    policies = [
        policy["Properties"]["PolicyDocument"]["Statement"]
        for policy in resources(stack, "IAM::Policy").values()
        if policy["Properties"]["Roles"] == [{"Ref": role}]
    ]
    (allowed,) = policies
    queue_arn, key_arn = stack.resolve(queue.queue.queue_arn), stack.resolve(key.key_arn)
    assert {(str(one["Action"]), str(one["Resource"])) for one in allowed} == {
        ("sqs:SendMessage", str(queue_arn)),
        ("['kms:Decrypt', 'kms:GenerateDataKey']", str(key_arn)),
    }
    assert all(one["Integration"]["Credentials"] == {"Fn::GetAtt": [role, "Arn"]} for one in methods(stack).values())
    assert statements(stack)


def test_two_queues_have_two_roles() -> None:
    stack = new_stack()
    api(stack, Route("POST /a", a_queue(stack, "One")), Route("POST /b", a_queue(stack, "Two")))
    credentials = {str(one["Integration"]["Credentials"]) for one in methods(stack).values()}
    assert len(credentials) == 2


def test_each_route_may_send_to_its_queue_however_alike_two_names_read() -> None:
    stack = new_stack()
    queues = {f"q{n}": a_queue(stack, id) for n, id in enumerate(("Orders-Fast", "OrdersFast", "a.b", "a-b"))}
    api(stack, *(Route(f"POST /{path}", queue) for path, queue in queues.items()))
    policies = [one["Properties"] for one in resources(stack, "IAM::Policy").values()]
    for path, made in methods(stack).items():
        role = made["Integration"]["Credentials"]["Fn::GetAtt"][0]
        allowed = [one["PolicyDocument"]["Statement"] for one in policies if one["Roles"] == [{"Ref": role}]]
        arn = stack.resolve(queues[path].queue.queue_arn)
        assert [[(one["Action"], one["Resource"]) for one in each] for each in allowed] == [[("sqs:SendMessage", arn)]]


@pytest.mark.parametrize("made", EVERY.values(), ids=EVERY.keys())
def test_only_json_is_sent_and_only_2xx_is_success(made: Any) -> None:
    integration = made["Integration"]
    assert integration["PassthroughBehavior"] == "NEVER"
    assert list(integration["RequestTemplates"]) == ["application/json"]
    assert integration["RequestParameters"] == {
        "integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"
    }
    assert [(one["StatusCode"], one.get("SelectionPattern")) for one in integration["IntegrationResponses"]] == [
        ("202", r"2\d{2}"),
        ("503", None),
    ]
    assert [one["StatusCode"] for one in made["MethodResponses"]] == ["202", "503"]


@pytest.mark.parametrize("made", EVERY.values(), ids=EVERY.keys())
def test_a_template_sends_no_white_space_of_its_own(made: Any) -> None:
    assert "\n" not in made["Integration"]["RequestTemplates"]["application/json"]
    sent = Call(made, '{"customer":1}', {"Idempotency-Key": "k"}, {}, {"userArn": "u"}, {"principalId": "p"}).sent
    assert sent.startswith("Action=SendMessage&")
    assert not re.search(r"\s", sent)


def test_an_imported_queue_is_reached_where_it_is() -> None:
    stack = new_stack()
    arn = "arn:aws:sqs:eu-central-1:444455556666:incoming"
    letters = sqs.Queue.from_queue_arn(stack, "Letters", f"{arn}-dead")
    queue = LoadLeveledQueue(
        stack,
        "Fulfilment",
        consumer=Handler(HANDLERS, "orders:fulfil"),
        max_concurrency=5,
        queue=sqs.Queue.from_queue_arn(stack, "Incoming", arn),
        queue_visibility_timeout=Duration.minutes(10),
        dead_letter_queue=letters,
    )
    api(stack, Route("POST /orders", queue))
    uri = str(methods(stack)["orders"]["Integration"]["Uri"])
    assert ":apigateway:eu-central-1:sqs:path/444455556666/incoming" in uri


# What is refused at synth


@pytest.mark.parametrize(
    ("route", "arguments", "queue", "words"),
    [
        ("GET /orders", {}, {}, "routes['GET /orders'] must be one of 'PATCH', 'POST', 'PUT', got 'GET'"),
        ("ANY /orders", {}, {}, "must be one of 'PATCH', 'POST', 'PUT', got 'ANY'"),
        ("POST /orders/{id}", {}, {}, "must have no parameters in its path in front of a LoadLeveledQueue, got 'id'"),
        ("POST /orders", {"query": {"type": "object"}}, {}, "query must be left out in front of a LoadLeveledQueue"),
        ("POST /orders", {"body": bytes}, {}, "body must be a schema, or left out, got bytes"),
        ("POST /orders", {"idempotency": "maybe"}, {}, "idempotency must be one of 'required', 'optional', 'off'"),
        (
            "POST /orders",
            {"idempotency": "required"},
            {"idempotency_key": "order.id"},
            "idempotency must be 'off' or left out, got 'required': the key that counts is 'order.id' of the body",
        ),
        ("POST /orders", {"idempotency": "optional"}, {"idempotency_key": "id"}, "must be 'off' or left out"),
        ("POST /orders", {}, {"fifo": True}, "message_group must be given in front of a FIFO queue, got None"),
        ("POST /orders", {"message_group": "$.a"}, {}, "message_group must be left out in front of a standard queue"),
        ("POST /orders", {"message_group": "order"}, {"fifo": True}, "message_group must be a path into the body"),
        ("POST /orders", {"respond": {}}, {}, "respond must name a field, got none"),
        ("POST /orders", {"respond": ["$.a"]}, {}, "respond must be a dictionary by name"),
        ("POST /orders", {"respond": {"a b": "$.a"}}, {}, "respond must be named by A-Z a-z 0-9 _ -"),
        ("POST /orders", {"respond": {"$a": "$.a"}}, {}, "respond must be named by"),
        ("POST /orders", {"respond": {"a": "$.a[0]"}}, {}, "respond 'a' must be a path into the body, got '$.a[0]'"),
        ("POST /orders", {"respond": {"a": "$"}}, {}, "respond 'a' must be a path into the body"),
        ("POST /orders", {"respond": {"a": "$.a')#set($x"}}, {}, "respond 'a' must be a path into the body"),
        ("POST /orders", {"respond": {"a": 7}}, {}, "respond 'a' must be a path into the body, got 7"),
        ("POST /orders", {"respond": {"a": "$.oder_id"}, "body": ORDER}, {}, "'$.oder_id' (did you mean 'order_id'?)"),
        (
            "POST /orders",
            {"respond": {"a": "$.order.no"}, "body": ORDER},
            {},
            "lead to a property of the body's schema",
        ),
        (
            "POST /orders",
            {"message_group": "$.customer", "body": ORDER},
            {"fifo": True},
            "message_group must lead to a property of the body's schema",
        ),
    ],
)
def test_what_a_message_cannot_carry_is_refused(route: str, arguments: Any, queue: Any, words: str) -> None:
    stack = new_stack()
    target = a_queue(stack, **queue)
    said = refusal(lambda: api(stack, Route(route, target, **arguments)))
    assert words in said, said


def test_a_path_that_the_schema_knows_passes() -> None:
    made = method(respond={"a": "$.order_id", "b": "$.order.id"}, body=ORDER)
    assert form(Call(made, '{"order_id": "1"}', {"Idempotency-Key": "k"}).sent) is not None
