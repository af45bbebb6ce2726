"""The few AWS operations of a router, without the SDK, and in its words."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from serverless_patterns_runtime.circuit_breaker.store import Beaten, Store, StoreUnavailable
from serverless_patterns_runtime.strangler_gateway import connection as connections
from serverless_patterns_runtime.strangler_gateway.aws import LightDynamoDb, LightLambda, Service

from .gateway_model import parts
from .raw_server import RawServer, answers, hangs_up, raw_server


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[RawServer]:
    with raw_server() as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB", raising=False)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        monkeypatch.setenv("AWS_SESSION_TOKEN", "token")
        yield server


def dynamodb(seconds: float = 5.0) -> LightDynamoDb:
    return LightDynamoDb(Service("dynamodb", "eu-west-1", "amazonaws.com"), seconds)


def functions() -> LightLambda:
    return LightLambda(Service("lambda", "eu-west-1", "amazonaws.com"))


def says(body: Any, status: int = 200, *headers: str) -> Any:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Some", *headers, f"Content-Length: {len(text)}", "", ""]
    return answers("\r\n".join(lines).encode() + text)


def refused(code: str, **more: Any) -> Any:
    return says({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "no", **more}, 400)


def test_an_operation_of_dynamodb_is_what_the_sdk_s_client_would_send(aws: RawServer):
    aws.says = says({"Item": {"id": {"S": "1"}}})
    assert dynamodb().get_item(TableName="t", Key={"id": {"S": "\u00e91"}}) == {"Item": {"id": {"S": "1"}}}
    request = parts(aws.requests[0])
    assert request.start == "POST / HTTP/1.1"
    assert request.all("X-Amz-Target") == ["DynamoDB_20120810.GetItem"]
    assert request.all("Content-Type") == ["application/x-amz-json-1.0"]
    assert request.all("X-Amz-Security-Token") == ["token"]
    assert request.all("Authorization")[0].startswith("AWS4-HMAC-SHA256 Credential=AKID/")
    assert json.loads(request.body) == {"TableName": "t", "Key": {"id": {"S": "\u00e91"}}}


def test_operations_share_a_connection(aws: RawServer):
    aws.says = says({})
    client = dynamodb()
    for operation in (client.get_item, client.put_item, client.query, client.update_item):
        operation(TableName="t")
    targets = [parts(request).all("X-Amz-Target")[0].partition(".")[2] for request in aws.requests]
    assert targets == ["GetItem", "PutItem", "Query", "UpdateItem"]
    assert aws.connections == 1


def test_what_aws_refuses_is_the_sdk_s_own_error(aws: RawServer):
    aws.says = refused("ConditionalCheckFailedException", Item={"id": {"S": "1"}})
    with pytest.raises(ClientError) as raised:
        dynamodb().update_item(TableName="t")
    assert raised.value.operation_name == "UpdateItem"
    assert raised.value.response["Error"] == {"Code": "ConditionalCheckFailedException", "Message": "no"}
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert raised.value.response["Item"] == {"id": {"S": "1"}}


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null"])
def test_what_a_proxy_in_between_refuses_too(aws: RawServer, body: bytes):
    aws.says = says(body, 503)
    with pytest.raises(ClientError, match="503"):
        dynamodb().get_item(TableName="t")


def test_what_does_not_answer_is_the_sdk_s_own_error(aws: RawServer, monkeypatch: pytest.MonkeyPatch):
    aws.says = hangs_up
    with pytest.raises(ConnectionClosedError):
        dynamodb().get_item(TableName="t")
    aws.says = aws.is_silent
    began = time.monotonic()
    with pytest.raises(ReadTimeoutError):
        dynamodb(0.1).get_item(TableName="t")
    assert time.monotonic() - began < 2
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9")
    with pytest.raises(EndpointConnectionError):
        dynamodb().get_item(TableName="t")


AGAIN: list[tuple[str, dict[str, Any], bool]] = [
    ("get_item", {}, True),
    ("query", {}, True),
    ("put_item", {}, True),
    ("update_item", {"UpdateExpression": "SET a = :a"}, True),
    ("update_item", {"UpdateExpression": "ADD a :a"}, False),
    ("update_item", {"UpdateExpression": "SET a = :a ADD b :b"}, False),
]


@pytest.mark.parametrize(("operation", "more", "again"), AGAIN)
def test_over_a_dead_connection_only_an_addition_is_not_sent_again(
    aws: RawServer, monkeypatch: pytest.MonkeyPatch, operation: str, more: dict[str, Any], again: bool
):
    aws.says = says({})
    client = dynamodb()
    client.get_item(TableName="t")
    monkeypatch.setattr(connections, "_readable", lambda _: False)
    aws.says = hangs_up
    with pytest.raises(BotoCoreError):
        getattr(client, operation)(TableName="t", **more)
    assert len(aws.requests) == (3 if again else 2)


def test_a_function_is_invoked_by_its_name_or_its_arn(aws: RawServer):
    aws.says = says({"statusCode": 200})
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:profile:live"
    assert functions().invoke(arn, b'{"a":1}', 5.0) == ("", b'{"statusCode": 200}')
    request = parts(aws.requests[0])
    escaped = arn.replace(":", "%3A")
    assert request.start == f"POST /2015-03-31/functions/{escaped}/invocations HTTP/1.1"
    assert request.all("X-Amz-Invocation-Type") == ["RequestResponse"]
    assert request.body == b'{"a":1}'


def test_a_function_that_fails_says_so(aws: RawServer):
    aws.says = says({"errorMessage": "boom"}, 200, "X-Amz-Function-Error: Unhandled")
    assert functions().invoke("f", b"{}", 5.0).error == "Unhandled"


def test_a_function_can_be_left_alone_with_what_it_is_sent(aws: RawServer):
    aws.says = answers(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
    functions().send("f", b"{}", 0.3)
    assert parts(aws.requests[0]).all("X-Amz-Invocation-Type") == ["Event"]


def test_a_function_with_too_much_to_do(aws: RawServer):
    body = {"Type": "User", "Reason": "ReservedFunctionConcurrentInvocationLimitExceeded", "message": "Rate Exceeded."}
    aws.says = says(body, 429, "x-amzn-ErrorType: TooManyRequestsException:http://internal.amazon.com/")
    with pytest.raises(ClientError) as raised:
        functions().invoke("f", b"{}", 5.0)
    assert raised.value.response["Error"] == {"Code": "TooManyRequestsException", "Message": "Rate Exceeded."}


@pytest.mark.parametrize("again", [True, False])
def test_a_function_that_may_have_run_is_not_run_again_unless_it_may(
    aws: RawServer, monkeypatch: pytest.MonkeyPatch, again: bool
):
    aws.says = says({})
    client = functions()
    client.invoke("f", b"{}", 5.0)
    monkeypatch.setattr(connections, "_readable", lambda _: False)
    aws.says = hangs_up
    with pytest.raises(BotoCoreError):
        client.invoke("f", b"{}", 5.0, again=again)
    assert len(aws.requests) == (3 if again else 2)


def test_without_an_endpoint_of_its_own_a_service_is_asked_where_aws_has_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    service = Service("dynamodb", "cn-north-1", "amazonaws.com.cn")
    assert service.url == "https://dynamodb.cn-north-1.amazonaws.com.cn"


def test_the_circuit_breaker_s_store_works_over_it(aws: RawServer):
    store = Store(dynamodb(0.2), "breakers", "GET /profile/{id}")
    aws.says = says({"Item": {"epoch": {"N": "3"}, "state": {"S": "closed"}}})
    assert store.read().epoch == 3
    aws.says = refused("ConditionalCheckFailedException", Item={"epoch": {"N": "4"}})
    with pytest.raises(Beaten) as beaten:
        store.count(store_seen(), [1.0])
    assert beaten.value.found.epoch == 4
    aws.says = refused("ProvisionedThroughputExceededException")
    with pytest.raises(StoreUnavailable) as unavailable:
        store.read()
    assert unavailable.value.busy
    aws.says = aws.is_silent
    with pytest.raises(StoreUnavailable) as unavailable:
        store.read()
    assert not unavailable.value.busy


def store_seen() -> Any:
    from serverless_patterns_runtime.circuit_breaker.state import State

    return State()
