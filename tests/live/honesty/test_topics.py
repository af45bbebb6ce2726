"""Topics, and the way from a bucket to one: what a fan-out rests on. All of it is made by CloudFormation."""

import json
from collections.abc import Callable, Generator
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

from serverless_patterns.testing import EmbeddedCloud

from .conftest import Queue

MOST_BYTES = 262_144


class Fan(NamedTuple):
    """One topic and its subscribers' queues, by name."""

    sns: Any
    topic: str
    queues: dict[str, Queue]
    outputs: dict[str, str]

    def publish(self, message: str, attributes: dict[str, Any] | None = None, **more: Any) -> str:
        given = {name: sns_attribute(value) for name, value in (attributes or {}).items()}
        return self.sns.publish(TopicArn=self.topic, Message=message, MessageAttributes=given, **more)["MessageId"]

    def batch(self, *entries: dict[str, Any]) -> Any:
        return self.sns.publish_batch(
            TopicArn=self.topic,
            PublishBatchRequestEntries=[{"Id": str(at), **entry} for at, entry in enumerate(entries)],
        )

    def bodies(self, name: str, count: int) -> list[str]:
        return [message["Body"] for message in self.queues[name].wait_for(count)]


def sns_attribute(value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        return {"DataType": "String.Array", "StringValue": json.dumps(value)}
    return {"DataType": "String" if isinstance(value, str) else "Number", "StringValue": str(value)}


@pytest.fixture
def fan(cloud: EmbeddedCloud, fresh_name: str) -> Generator[Callable[..., Fan]]:
    """A stack with a topic and a queue for each subscription, by their properties."""
    client, made = cloud.client("cloudformation"), list[str]()

    def make(*, topic: dict[str, Any] | None = None, more: dict[str, Any] | None = None, **subscriptions: Any) -> Fan:
        made.append(f"{fresh_name}-{len(made)}")
        fifo = bool(topic and topic.get("FifoTopic"))
        resources: dict[str, Any] = {"Topic": {"Type": "AWS::SNS::Topic", "Properties": topic or {}}, **(more or {})}
        for name, properties in subscriptions.items():
            resources |= subscriber(name, properties, fifo=fifo and properties.pop("fifo", True))
        outputs = {name: {"Value": {"Ref": name}} for name in resources if name not in (more or {})}
        outputs |= {name: {"Value": {"Ref": name}} for name in more or {}}
        template = json.dumps({"Resources": resources, "Outputs": outputs})
        client.create_stack(StackName=made[-1], TemplateBody=template)
        client.get_waiter("stack_create_complete").wait(StackName=made[-1], WaiterConfig={"Delay": 1})
        (stack,) = client.describe_stacks(StackName=made[-1])["Stacks"]
        said = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
        sqs = cloud.client("sqs")
        queues = {name: Queue(sqs, said[f"{name}Queue"], "") for name in subscriptions}
        return Fan(cloud.client("sns"), said["Topic"], queues, said)

    yield make
    for name in made:
        client.delete_stack(StackName=name)
        client.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 1})


def subscriber(name: str, properties: dict[str, Any], *, fifo: bool) -> dict[str, Any]:
    queue, allowed = f"{name}Queue", properties.pop("allowed", True)
    settings = {"FifoQueue": True} if fifo else {}
    subscription = {"Protocol": "sqs", "TopicArn": {"Ref": "Topic"}, "RawMessageDelivery": True, **properties}
    resources: dict[str, Any] = {
        queue: {"Type": "AWS::SQS::Queue", "Properties": settings},
        name: {
            "Type": "AWS::SNS::Subscription",
            "Properties": subscription | {"Endpoint": {"Fn::GetAtt": [queue, "Arn"]}},
        },
    }
    if allowed:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": {"Fn::GetAtt": [queue, "Arn"]},
            "Condition": {"ArnEquals": {"aws:SourceArn": {"Ref": "Topic"}}},
        }
        resources[f"{name}Policy"] = {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {"Queues": [{"Ref": queue}], "PolicyDocument": {"Statement": [statement]}},
        }
    return resources


def test_raw_delivery_carries_the_body_as_it_is_and_the_attributes_beside_it(fan) -> None:
    made = fan(A={})
    made.publish('{"a": "ä"}', {"kind": "placed", "amount": 7, "tags": ["x", 1, None]})
    (message,) = made.queues["A"].wait_for(1)
    assert message["Body"] == '{"a": "ä"}'
    told = {name: (value["DataType"], value["StringValue"]) for name, value in message["MessageAttributes"].items()}
    assert told == {
        "kind": ("String", "placed"),
        "amount": ("Number", "7"),
        "tags": ("String.Array", '["x", 1, null]'),
    }


def test_without_raw_delivery_the_body_is_an_envelope(fan) -> None:
    made = fan(A={"RawMessageDelivery": False})
    made.publish("text", {"kind": "placed"})
    ((body,)) = made.bodies("A", 1)
    assert json.loads(body)["Message"] == "text"


def test_every_subscriber_gets_every_message_that_its_filter_matches_by_attributes_or_body(fan, steadily) -> None:
    made = fan(
        All={},
        Kind={"FilterPolicy": {"kind": ["placed"]}},
        Body={"FilterPolicy": {"order": {"kind": ["placed"]}}, "FilterPolicyScope": "MessageBody"},
    )
    made.publish('{"order": {"kind": "paid"}}', {"kind": "placed"})
    made.publish('{"order": {"kind": "placed"}}', {"kind": "paid"})
    assert len(made.bodies("All", 2)) == 2
    assert made.bodies("Kind", 1) == ['{"order": {"kind": "paid"}}']
    assert made.bodies("Body", 1) == ['{"order": {"kind": "placed"}}']
    steadily(lambda: made.queues["Kind"].depth() == 1 == made.queues["Body"].depth(), 0.5)


def test_a_message_holds_256_kib_with_its_attributes(fan) -> None:
    made = fan(A={})
    room = MOST_BYTES - len("kindStringplaced")
    made.publish("x" * room, {"kind": "placed"})
    with pytest.raises(ClientError, match="InvalidParameter"):
        made.publish("x" * (room + 1), {"kind": "placed"})


def test_of_a_batch_each_message_fails_by_itself_and_the_answer_says_so(fan) -> None:
    made = fan(A={})
    answer = made.batch({"Message": "one"}, {"Message": "x" * (MOST_BYTES + 1)}, {"Message": "three"})
    assert [entry["Id"] for entry in answer["Successful"]] == ["0", "2"]
    (failed,) = answer["Failed"]
    assert (failed["Id"], failed["Code"], failed["SenderFault"]) == ("1", "InvalidParameter", True)
    assert sorted(made.bodies("A", 2)) == ["one", "three"]


@pytest.mark.xfail(strict=True, raises=pytest.fail.Exception, reason="the emulator counts each message by itself")
def test_a_batch_holds_256_kib_together(fan) -> None:
    made = fan(A={})
    with pytest.raises(ClientError, match="BatchRequestTooLong"):
        made.batch({"Message": "x" * 200_000}, {"Message": "y" * 200_000})


def test_a_batch_holds_ten_messages(fan) -> None:
    made = fan(A={})
    with pytest.raises(ClientError, match="TooManyEntriesInBatchRequest"):
        made.batch(*[{"Message": str(number)} for number in range(11)])


def test_a_queue_whose_policy_forbids_it_gets_nothing_and_another_does(fan, steadily) -> None:
    made = fan(Closed={"allowed": False}, Open={})
    made.publish("text")
    assert made.bodies("Open", 1) == ["text"]
    steadily(lambda: made.queues["Closed"].depth() == 0, 0.5)


@pytest.mark.xfail(strict=True, raises=TimeoutError, reason="the emulator has no dead-letter queues of subscriptions")
def test_what_cannot_be_delivered_is_a_dead_letter_of_the_subscription(fan) -> None:
    made = fan(
        more={"Dead": {"Type": "AWS::SQS::Queue"}},
        Closed={"allowed": False, "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}}},
    )
    made.publish("text")
    Queue(made.queues["Closed"].sqs, made.outputs["Dead"], "").wait_for(1, deadline_seconds=2)


# FIFO.


@pytest.fixture
def ordered(fan, fresh_name: str) -> Fan:
    return fan(topic={"FifoTopic": True, "TopicName": f"{fresh_name}.fifo"}, A={}, Standard={"fifo": False})


def in_group(group: str, body: str, id: str | None = None) -> dict[str, Any]:
    return {"Message": body, "MessageGroupId": group, "MessageDeduplicationId": id or body}


def test_a_fifo_topic_delivers_each_group_in_order_and_tells_fifo_queues_the_group(ordered: Fan) -> None:
    ordered.batch(in_group("a", "a1"), in_group("b", "b1"), in_group("a", "a2"))
    ordered.batch(in_group("a", "a3"))
    queue, seen = ordered.queues["A"], dict[str, list[str]]()
    while sum(map(len, seen.values())) < 4:
        for message in queue.wait_for(1):
            seen.setdefault(message["Attributes"]["MessageGroupId"], []).append(message["Body"])
            queue.sqs.delete_message(QueueUrl=queue.url, ReceiptHandle=message["ReceiptHandle"])
    assert seen == {"a": ["a1", "a2", "a3"], "b": ["b1"]}


def test_a_fifo_topic_takes_a_deduplication_id_once_and_answers_both_times(ordered: Fan, steadily) -> None:
    first = ordered.batch(in_group("a", "first", "same"))
    again = ordered.batch(in_group("a", "second", "same"))
    assert first["Successful"][0]["MessageId"] == again["Successful"][0]["MessageId"]
    assert ordered.bodies("Standard", 1) == ["first"]
    steadily(lambda: ordered.queues["A"].depth() == 1, 0.5)


def test_a_fifo_topic_s_message_needs_a_group(ordered: Fan) -> None:
    (failed,) = ordered.batch({"Message": "text", "MessageDeduplicationId": "1"})["Failed"]
    assert failed["SenderFault"]
    with pytest.raises(ClientError, match="MessageGroupId"):
        ordered.publish("text")


def test_a_fifo_topic_needs_a_deduplication_id_unless_it_goes_by_content(fan, fresh_name: str) -> None:
    strict = fan(topic={"FifoTopic": True, "TopicName": f"{fresh_name}-strict.fifo"})
    with pytest.raises(ClientError, match="MessageDeduplicationId"):
        strict.publish("text", MessageGroupId="a")
    by_content = {"FifoTopic": True, "ContentBasedDeduplication": True, "TopicName": f"{fresh_name}-content.fifo"}
    lenient = fan(topic=by_content)
    assert lenient.publish("text", MessageGroupId="a") == lenient.publish("text", MessageGroupId="a")


# From a bucket.


@pytest.fixture
def uploads(fan) -> Fan:
    pattern = {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {
            "bucket": {"name": [{"Ref": "Bucket"}]},
            "object": {"key": [{"wildcard": "incoming/*.jpg"}]},
        },
    }
    message = '{"source":"aws.s3","detail-type":"Object Created","detail":<detail>}'
    transformer = {"InputPathsMap": {"detail": "$.detail"}, "InputTemplate": message}
    target = {"Id": "Topic", "Arn": {"Ref": "Topic"}, "InputTransformer": transformer}
    rule = {
        "Type": "AWS::Events::Rule",
        "Properties": {"EventPattern": pattern, "Targets": [target]},
    }
    bucket = {
        "Type": "AWS::S3::Bucket",
        "Properties": {"NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}},
    }
    return fan(more={"Bucket": bucket, "Rule": rule}, A={})


def test_an_upload_reaches_the_topic_s_subscribers_by_eventbridge(cloud: EmbeddedCloud, uploads: Fan, steadily) -> None:
    s3, bucket = cloud.client("s3"), uploads.outputs["Bucket"]
    name = 'incoming/ä "b".jpg'
    for key in (name, "incoming/text.txt", "elsewhere/a.jpg"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"content")
    (body,) = uploads.bodies("A", 1)
    event = json.loads(body)
    assert event.keys() == {"source", "detail-type", "detail"}, "id and time would differ when S3 tells it twice"
    assert (event["source"], event["detail-type"]) == ("aws.s3", "Object Created")
    assert event["detail"]["bucket"] == {"name": bucket}
    told = event["detail"]["object"]
    assert (told["key"], told["size"]) == (name, 7)
    assert {"etag", "sequencer"} <= told.keys()
    steadily(lambda: uploads.queues["A"].depth() == 1, 0.5)
    s3.delete_object(Bucket=bucket, Key=name)
    for key in ("incoming/text.txt", "elsewhere/a.jpg"):
        s3.delete_object(Bucket=bucket, Key=key)
