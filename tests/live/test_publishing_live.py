"""`publish` by the clients that are shipped, which check nothing themselves: topic and bucket take what it sends."""

import json
from collections.abc import Generator
from typing import Any, NamedTuple

import pytest

from serverless_patterns.testing import Cloud
from serverless_patterns_runtime import Invocation, Message, PublishFailed, publish
from serverless_patterns_runtime import clients as shipped
from serverless_patterns_runtime.deployed_resources import DeployedResources
from serverless_patterns_runtime.fan_out_topic.claim_opening import ClaimCheckMissing, ClaimChecks
from serverless_patterns_runtime.fan_out_topic.contract import Publishing
from serverless_patterns_runtime.payload import parse
from tests.live.honesty.conftest import Queue

LARGE = {"order_id": "7", "text": "ä" * 200_000}


class Topic(NamedTuple):
    invocation: Invocation
    queue: Queue
    settings: Publishing

    def publish(self, *messages: Message) -> Any:
        return publish("ORDER_EVENTS", *messages, invocation=self.invocation)


@pytest.fixture
def as_shipped(embedded_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """The runtime's own clients, as a function of this cloud would make them."""
    for name, value in embedded_cloud.environment.items():
        monkeypatch.setenv(name, value)
    for cached in (shipped.client, shipped._session):
        cached.cache_clear()
    yield
    for cached in (shipped.client, shipped._session):
        cached.cache_clear()


@pytest.fixture
def topic(embedded_cloud: Cloud, fresh_name: str, as_shipped: None) -> Generator[Topic]:  # noqa: ARG001
    sns, sqs, s3 = (embedded_cloud.client(name) for name in ("sns", "sqs", "s3"))
    bucket = f"{fresh_name}-payloads".lower()
    s3.create_bucket(Bucket=bucket)
    url = sqs.create_queue(QueueName=fresh_name)["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    arn = sns.create_topic(Name=fresh_name)["TopicArn"]
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": arn}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    attributes = {"RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue_arn, Attributes=attributes)
    settings = Publishing(
        topic_arn=arn,
        fifo=False,
        key="order_id",
        attributes={"amount": "amount", "urgent": "urgent"},
        claim_check_bucket=bucket,
        claim_check_keep=[],
    )
    resources = DeployedResources({}, variables={"ORDER_EVENTS": json.dumps(settings)})
    invocation = Invocation(**{**vars(Invocation.fake(remaining=lambda: 5.0)), "resources": resources})
    yield Topic(invocation, Queue(sqs, url, queue_arn), settings)
    sns.delete_topic(TopicArn=arn)
    sqs.delete_queue(QueueUrl=url)
    for item in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
        s3.delete_object(Bucket=bucket, Key=item.get("Key", ""))
    s3.delete_bucket(Bucket=bucket)


def test_all_messages_arrive_each_with_its_key_and_attributes(topic: Topic) -> None:
    sent = [Message({"order_id": str(at), "amount": at, "urgent": at % 2 == 0, "ä": "\uffff"}) for at in range(25)]
    assert [published.key for published in topic.publish(*sent)] == [str(at) for at in range(25)]
    arrived = {}
    for message in topic.queue.wait_for(25):
        told = {name: (value["DataType"], value["StringValue"]) for name, value in message["MessageAttributes"].items()}
        arrived[told["idempotency-key"][1]] = (parse(message["Body"]), told)
    assert {key: body for key, (body, _) in arrived.items()} == {
        message.body["order_id"]: message.body for message in sent
    }
    assert arrived["2"][1] == {
        "idempotency-key": ("String", "2"),
        "correlation-id": ("String", "correlation-1"),
        "amount": ("Number", "2"),
        "urgent": ("String.Array", "[true]"),
    }


def test_what_is_too_large_is_opened_from_the_bucket_as_it_was(topic: Topic) -> None:
    topic.publish(Message(LARGE), Message({"order_id": "8"}))
    checks = ClaimChecks(lambda: shipped.client("s3"), topic.settings["claim_check_bucket"])
    bodies = [parse(message["Body"]) for message in topic.queue.wait_for(2)]
    opened = [checks.open(body) for body in sorted(bodies, key=lambda body: body["order_id"])]
    assert opened == [LARGE, {"order_id": "8"}]


def test_an_object_that_is_not_there_is_told_as_such(topic: Topic, embedded_cloud: Cloud) -> None:
    topic.publish(Message(LARGE))
    (body,) = [parse(message["Body"]) for message in topic.queue.wait_for(1)]
    check = body["claim-check"]
    embedded_cloud.client("s3").delete_object(Bucket=check["bucket"], Key=check["key"])
    with pytest.raises(ClaimCheckMissing):
        ClaimChecks(lambda: shipped.client("s3"), check["bucket"]).open(body)


def test_a_topic_that_is_not_there_is_an_error_that_says_what_is_not_published(topic: Topic) -> None:
    nowhere = {**topic.settings, "topic_arn": f"{topic.settings['topic_arn']}-nowhere"}
    resources = DeployedResources({}, variables={"ORDER_EVENTS": json.dumps(nowhere)})
    invocation = Invocation(**{**vars(topic.invocation), "resources": resources})
    with pytest.raises(PublishFailed, match=r"1 of 1 messages were not published to ORDER_EVENTS.*NotFound"):
        publish("ORDER_EVENTS", Message({"order_id": "1"}), invocation=invocation)


def test_a_function_s_bucket_gives_what_was_put_and_none_for_what_was_not(topic: Topic) -> None:
    resources = DeployedResources({}, variables={"IMAGES": topic.settings["claim_check_bucket"]})
    invocation = Invocation(**{**vars(topic.invocation), "resources": resources})
    images = invocation.bucket("IMAGES")
    images.put("incoming/ä b.jpg", b"\0content", content_type="image/jpeg")
    assert images.get("incoming/ä b.jpg") == b"\0content"
    assert images.get("incoming/other.jpg") is None
