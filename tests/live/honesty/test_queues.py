"""SQS itself: what redrive, dead letters and limits rest on."""

import json

import pytest
from botocore.exceptions import ClientError


def test_who_may_use_a_dead_letter_queue_is_kept(queue) -> None:
    source = queue()
    policy = {"redrivePermission": "byQueue", "sourceQueueArns": [source.arn]}
    dead = queue(RedriveAllowPolicy=json.dumps(policy))
    assert json.loads(dead.attributes()["RedriveAllowPolicy"]) == policy


def test_a_group_waits_for_its_message_in_flight_and_others_do_not(queue) -> None:
    source = queue(fifo=True, VisibilityTimeout="60")
    source.send_to_group("a", "a1", "a2")
    source.send_to_group("b", "b1")
    (first,) = source.receive(1)
    assert first["Body"] == "a1"
    assert [message["Body"] for message in source.receive()] == ["b1"]
    source.sqs.delete_message(QueueUrl=source.url, ReceiptHandle=first["ReceiptHandle"])
    assert [message["Body"] for message in source.receive()] == ["a2"]


def test_a_deduplication_id_is_delivered_once(queue) -> None:
    source = queue(fifo=True)
    for body in ("first", "second"):
        source.send(body, MessageGroupId="a", MessageDeduplicationId="same")
    assert [message["Body"] for message in source.wait_for(1)] == ["first"]
    assert source.depth() == 1


def test_a_deduplication_id_is_remembered_after_the_message_is_gone(queue) -> None:
    source = queue(fifo=True)
    source.send("first", MessageGroupId="a", MessageDeduplicationId="same")
    (message,) = source.wait_for(1)
    source.sqs.delete_message(QueueUrl=source.url, ReceiptHandle=message["ReceiptHandle"])
    source.send("second", MessageGroupId="a", MessageDeduplicationId="same")
    assert source.depth() == 0


def test_a_deleted_message_does_not_return(queue) -> None:
    source = queue(VisibilityTimeout="0")
    source.send("work")
    (message,) = source.wait_for(1)
    source.sqs.delete_message(QueueUrl=source.url, ReceiptHandle=message["ReceiptHandle"])
    assert source.depth() == 0


def test_messages_above_one_mebibyte_are_refused(queue) -> None:
    source = queue()
    source.send("x" * 1_048_576)
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        source.send("x" * 1_048_577)


@pytest.mark.xfail(strict=True, raises=pytest.fail.Exception, reason="the emulator counts the body alone")
def test_attributes_count_towards_the_size(queue) -> None:
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        queue().send("x" * 1_048_570, MessageAttributes={"name": {"DataType": "String", "StringValue": "12345678"}})


@pytest.mark.xfail(strict=True, raises=pytest.fail.Exception, reason="the emulator takes any visibility")
def test_visibility_beyond_twelve_hours_is_refused(queue) -> None:
    source = queue()
    source.send("work")
    (message,) = source.wait_for(1)
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        source.sqs.change_message_visibility(
            QueueUrl=source.url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=43_201
        )


@pytest.mark.xfail(strict=True, raises=pytest.fail.Exception, reason="the emulator takes any number of attributes")
def test_more_than_ten_attributes_are_refused(queue) -> None:
    attributes = {f"a{n}": {"DataType": "String", "StringValue": "x"} for n in range(11)}
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        queue().send("work", MessageAttributes=attributes)


@pytest.mark.xfail(
    strict=True,
    raises=ClientError,
    reason="the emulator has no redrive of its own: `serverless-patterns redrive` moves messages by itself",
)
def test_a_message_move_task_can_be_started(queue) -> None:
    dead = queue()
    queue(dead_letters=(dead, 1))
    dead.sqs.start_message_move_task(SourceArn=dead.arn)


@pytest.mark.xfail(strict=True, raises=ClientError, reason="the emulator cannot tell whose dead letters a queue takes")
def test_the_sources_of_a_dead_letter_queue_are_listed(queue) -> None:
    dead = queue()
    source = queue(dead_letters=(dead, 1))
    assert dead.sqs.list_dead_letter_source_queues(QueueUrl=dead.url)["queueUrls"] == [source.url]


@pytest.mark.xfail(
    strict=True,
    raises=pytest.fail.Exception,
    reason="the emulator lets any queue use any dead-letter queue",
)
def test_a_queue_that_is_not_allowed_cannot_use_a_dead_letter_queue(queue) -> None:
    dead = queue(RedriveAllowPolicy=json.dumps({"redrivePermission": "denyAll"}))
    with pytest.raises(ClientError):
        queue(dead_letters=(dead, 1))


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="the emulator has no SQS metrics, so alarms on depth and age are shown in the template only",
)
def test_the_depth_of_a_queue_is_a_metric(queue, cloud) -> None:
    source = queue()
    source.send("work")
    metrics = cloud.client("cloudwatch").list_metrics(Namespace="AWS/SQS")["Metrics"]
    assert "ApproximateNumberOfMessagesVisible" in {metric["MetricName"] for metric in metrics}
