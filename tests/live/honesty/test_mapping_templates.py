"""Routes straight to a queue: what their templates see, what reaches the queue, and what becomes of a refusal."""

import base64
import json
from urllib.parse import quote_plus

import pytest
from botocore.credentials import Credentials

OK = "2\\d{2}"
SENT = {"202": (OK, "{\"id\": $input.json('$.SendMessageResponse.SendMessageResult.MessageId')}"), "503": ("", "{}")}
"""A queue's success, and everything else."""


@pytest.fixture
def sender(role):
    return role({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"})


@pytest.fixture
def target(queue):
    return queue()


@pytest.fixture
def api(rest_api, target, sender):
    """A route to the queue whose message is what a template gives."""
    made = rest_api()

    def route(expression, *, before="", path="/orders", responses=SENT, role=sender, queue=target.name, **settings):
        template = f"{before}Action=SendMessage&MessageBody=$util.urlEncode({expression})"
        made.to_queue(f"POST {path}", queue, role, template, responses, **settings)
        return made.calls

    return route


@pytest.fixture
def evaluated(api, target):
    """What an expression gives, as the message that it becomes."""

    def evaluate(expression: str, body="{}", headers=(), call="POST /orders", **how):
        answer = api(expression, **how).call(call, body, [("Content-Type", "application/json"), *headers])
        assert answer.status == 202, answer
        (message,) = target.wait_for(1)
        return message["Body"]

    return evaluate


def test_a_body_reaches_the_queue_byte_for_byte(evaluated) -> None:
    body = '{"a": "x&y=z+1 %20~*\\"",\n "b": "Zoë \\u0000 \U0001f600", "c": "$input.body #set($x)"}'
    assert evaluated("$input.body", body) == body


@pytest.mark.parametrize("found", ["params('Idempotency-Key')", "params().header.get('Idempotency-Key')"])
def test_a_header_is_found_whatever_its_case(evaluated, found) -> None:
    assert evaluated(f"$input.{found}", headers=[("idempotency-KEY", "k-1")]) == "k-1"


def test_headers_can_be_gone_through(evaluated) -> None:
    each = "#foreach($name in $input.params().header.keySet())#if($name.matches('(?i)X-Tag'))$name#end#end"
    assert evaluated(f'"{each}"', headers=[("X-Tag", "a")]).lower() == "x-tag"


def test_a_parameter_comes_from_the_path_before_the_query_before_a_header(evaluated) -> None:
    both = "\"$input.params('id')$input.params('x')\""
    call = "POST /orders/path?id=query&x=query"
    assert evaluated(both, path="/orders/{id}", call=call, headers=[("X", "header")]) == "pathquery"


def test_a_field_is_found_and_one_that_is_not_there_is_null_and_an_empty_json_string(evaluated) -> None:
    expression = "\"$input.path('$.a.b[1]')|$input.json('$.a')|$!input.path('$.no')|$input.json('$.no')\""
    # Two quotes stand for one inside of a text of the template language.
    assert evaluated(expression, '{"a": {"b": ["x", "y"]}}') == 'y|{"b":["x","y"]}||""'


def test_only_null_and_false_are_false(evaluated) -> None:
    texts = ["$missing.field", "''", "$input.path('$.false')", "$input.path('$.zero')", "!$missing"]
    tests = "".join(f"#if({text})y#{{else}}n#end" for text in texts)
    assert evaluated(f'"{tests}"', '{"false": false, "zero": 0}') == "nynyy"


def test_utilities_do_what_javas_do(evaluated) -> None:
    expression = "\"$util.escapeJavaScript($input.path('$.a'))|$util.base64Encode($input.path('$.a'))\""
    escaped, encoded = evaluated(expression, json.dumps({"a": 'it\'s "ë/"'})).split("|")
    assert escaped == 'it\\\'s \\"\\u00eb\\/\\"'
    assert base64.b64decode(encoded).decode() == 'it\'s "ë/"'


def test_the_context_names_the_request_and_its_route(evaluated) -> None:
    names = ("httpMethod", "resourcePath", "stage", "identity.sourceIp", "requestId")
    expression = '"' + "|".join(f"$context.{name}" for name in names) + '"'
    *known, request_id = evaluated(expression, path="/orders/{id}", call="POST /orders/1").split("|")
    assert known == ["POST", "/orders/{id}", "live", "127.0.0.1"]
    assert len(request_id) == 36


def test_two_requests_have_two_ids(api, target) -> None:
    calls = api("$context.requestId")
    assert {calls.call("POST /orders", {}).status for _ in range(2)} == {202}
    assert len({message["Body"] for message in target.wait_for(2)}) == 2


def test_the_context_names_who_signed(api, target, cloud, fresh_name) -> None:
    iam = cloud.client("iam")
    iam.create_user(UserName=fresh_name)
    allow = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_user_policy(UserName=fresh_name, PolicyName="call", PolicyDocument=policy)
    key = iam.create_access_key(UserName=fresh_name)["AccessKey"]
    calls = api("$context.identity.userArn", authorizationType="AWS_IAM")
    answer = calls.signed("POST /orders", Credentials(key["AccessKeyId"], key["SecretAccessKey"]), {})
    assert answer.status == 202, answer
    assert target.wait_for(1)[0]["Body"] == f"arn:aws:iam::000000000000:user/{fresh_name}"


def test_attributes_arrive(rest_api, target, sender) -> None:
    made = rest_api()
    attribute = "MessageAttribute.1.{}".format
    fields = {
        "Action": "SendMessage",
        "MessageBody": "$util.urlEncode($input.body)",
        attribute("Name"): "correlation-id",
        attribute("Value.DataType"): "String",
        attribute("Value.StringValue"): "$util.urlEncode($context.requestId)",
    }
    template = "&".join(f"{name}={value}" for name, value in fields.items())
    made.to_queue("POST /orders", target.name, sender, template, SENT)
    assert made.calls.call("POST /orders", {}).status == 202
    (message,) = target.wait_for(1)
    assert len(message["MessageAttributes"]["correlation-id"]["StringValue"]) == 36


def test_the_answer_sees_what_the_request_remembered(api) -> None:
    remember = "#set($context.requestOverride.path.order = $input.json('$.order_id'))\n"
    responses = {"202": (OK, '{"order_id": $context.requestOverride.path.order}')}
    answer = api("$input.body", before=remember, responses=responses).call("POST /orders", {"order_id": "o-1"})
    assert (answer.status, answer.json) == (202, {"order_id": "o-1"})


def test_the_answer_may_change_its_status_and_headers(api) -> None:
    change = "#set($context.responseOverride.status = 413)#set($context.responseOverride.header.X-Why = 'long')"
    answer = api("$input.body", responses={"202": (OK, change)}).call("POST /orders", {})
    assert (answer.status, answer.headers["X-Why"]) == (413, "long")


def test_a_queue_that_is_gone_is_the_answer_of_the_default(api) -> None:
    assert api("$input.body", queue="gone").call("POST /orders", {}).status == 503


def test_a_role_that_may_not_send_is_the_answer_of_the_default(api, role, target) -> None:
    elsewhere = role({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:*:*:another"})
    assert api("$input.body", role=elsewhere).call("POST /orders", {}).status == 503
    assert api("$input.body", path="/reading", role=role()).call("POST /reading", {}).status == 503
    assert target.depth() == 0


def test_a_queue_policy_that_denies_is_the_answer_of_the_default(api, target) -> None:
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": target.arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    target.sqs.set_queue_attributes(QueueUrl=target.url, Attributes={"Policy": policy})
    assert api("$input.body").call("POST /orders", {}).status == 503


def test_what_the_queue_says_of_a_refusal_can_be_read(api, target) -> None:
    target.sqs.set_queue_attributes(QueueUrl=target.url, Attributes={"MaximumMessageSize": "1024"})
    responses = {"202": (OK, "{}"), "503": ("", "#if($input.body.contains('must be shorter than'))long#end")}
    assert api("$input.body", responses=responses).call("POST /orders", {"x": "y" * 2000}).body == b"long"


def test_no_pattern_matches_and_no_default_is_an_error(api) -> None:
    assert api("$input.body", responses={"202": (OK, "{}")}, queue="gone").call("POST /orders", {}).status == 500


def test_a_body_that_is_not_json_is_refused_where_a_template_reads_a_field(api) -> None:
    assert api("$input.json('$.a')").call("POST /orders", "{broken", {"Content-Type": "application/json"}).status == 400


@pytest.mark.parametrize("unknown", ["$input.json('$..a')", "$util.sha256($input.body)", "$input.body.reverse()"])
def test_what_is_not_known_here_is_an_error_and_never_an_empty_text(api, unknown) -> None:
    assert api(unknown).call("POST /orders", {}).status == 500


def test_another_content_type_is_refused_where_nothing_is_passed_through(api, target) -> None:
    calls = api("$input.body")
    for kind in ("text/plain", "application/xml", "application/problem+json"):
        assert calls.call("POST /orders", "{}", {"Content-Type": kind}).status == 415, kind
    assert target.depth() == 0
    for headers in ({"Content-Type": "application/json; charset=utf-8"}, {}):
        assert calls.call("POST /orders", "{}", headers).status == 202, headers


def test_an_answer_of_its_own_is_rendered_too(rest_api) -> None:
    made = rest_api()
    pick = '#set($origin = $input.params("Origin"))#if($origin == "https://a.example")'
    override = f"{pick}#set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)#end"
    made.to_mock("OPTIONS /orders", '#set($code = 200){"statusCode": $code}', override + "$context.httpMethod")
    answer = made.calls.call("OPTIONS /orders", headers={"origin": "https://a.example"})
    assert (answer.status, answer.body) == (200, b"OPTIONS")
    assert answer.headers["Access-Control-Allow-Origin"] == "https://a.example"
    assert made.calls.call("OPTIONS /orders", headers={"Origin": "x"}).headers["Access-Control-Allow-Origin"] is None


def test_the_url_encoding_of_a_form_is_javas(evaluated) -> None:
    text = "a b*~'()!_-.ë"
    expected = quote_plus(text, safe="*").replace("~", "%7E")
    assert evaluated("$util.urlEncode($input.path('$.a'))", json.dumps({"a": text})) == expected
