"""The SQS and poller models against AWS's documented semantics."""

import random
from typing import Any

import pytest

from .aws_errors import ServiceError
from .event_source_mapping import Answer, Polling, failures
from .sqs_model import SQS, Queue

URL, DEAD, FIFO = "https://sqs/q", "https://sqs/dead", "https://sqs/q.fifo"


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sqs(clock: Clock) -> SQS:
    dead = Queue(DEAD, 30)
    return SQS(
        [Queue(URL, 30, max_receive_count=2, dead_letter_queue=dead), dead, Queue(FIFO, 30)], clock, random.Random(1)
    )


def receive(sqs: SQS, url: str = URL, count: int = 10) -> list[dict[str, Any]]:
    return sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=count).get("Messages", [])


def send(sqs: SQS, body: str, group: str = "a", deduplication: str = "") -> str:
    answer = sqs.send_message(
        QueueUrl=FIFO, MessageBody=body, MessageGroupId=group, MessageDeduplicationId=deduplication or body
    )
    return str(answer["MessageId"])


def refused(code: str) -> Any:
    return pytest.raises(ServiceError, check=lambda error: error.code == code)


def test_a_received_message_is_hidden_until_its_visibility_timeout(sqs: SQS, clock: Clock) -> None:
    sqs.send_message(QueueUrl=URL, MessageBody="x")
    assert len(receive(sqs)) == 1
    assert receive(sqs) == []
    clock.now += 30
    (again,) = receive(sqs)
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"
    assert again["Attributes"]["ApproximateFirstReceiveTimestamp"] == "1000000"


def test_too_many_receives_lead_to_the_dead_letter_queue_under_the_same_id(sqs: SQS, clock: Clock) -> None:
    identifier = sqs.send_message(QueueUrl=URL, MessageBody="x")["MessageId"]
    for _ in range(2):
        assert len(receive(sqs)) == 1
        clock.now += 30
    assert receive(sqs) == []
    (dead,) = receive(sqs, DEAD)
    assert dead["MessageId"] == identifier
    assert dead["Attributes"]["DeadLetterQueueSourceArn"].endswith(":q")


def test_visibility_can_be_changed_within_twelve_hours_of_the_receive(sqs: SQS, clock: Clock) -> None:
    sqs.send_message(QueueUrl=URL, MessageBody="x")
    (message,) = receive(sqs)
    change = {"QueueUrl": URL, "ReceiptHandle": message["ReceiptHandle"]}
    sqs.change_message_visibility(**change, VisibilityTimeout=43_200)
    clock.now += 10
    with refused("InvalidParameterValue"):
        sqs.change_message_visibility(**change, VisibilityTimeout=43_200)
    sqs.change_message_visibility(**change, VisibilityTimeout=0)
    with refused("MessageNotInflight"):
        sqs.change_message_visibility(**change, VisibilityTimeout=5)
    assert len(receive(sqs)) == 1


def test_a_batch_is_refused_whole_when_empty_too_long_or_ambiguous_and_else_entry_by_entry(sqs: SQS) -> None:
    sqs.send_message(QueueUrl=URL, MessageBody="x")
    (message,) = receive(sqs)
    good = {"ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": 1}
    for entries in ([], [{"Id": str(n), **good} for n in range(11)], [{"Id": "1", **good}] * 2):
        with pytest.raises(ServiceError):
            sqs.change_message_visibility_batch(QueueUrl=URL, Entries=entries)
    answer = sqs.change_message_visibility_batch(
        QueueUrl=URL, Entries=[{"Id": "1", **good}, {"Id": "2", **good, "VisibilityTimeout": 50_000}]
    )
    assert [entry["Id"] for entry in answer["Successful"]] == ["1"]
    assert [entry["Code"] for entry in answer["Failed"]] == ["InvalidParameterValue"]


def test_a_fifo_group_is_locked_while_one_of_its_messages_is_in_flight(sqs: SQS, clock: Clock) -> None:
    for body in ("1", "2", "3"):
        send(sqs, body)
    send(sqs, "other", group="b")
    (first,) = receive(sqs, FIFO, 1)
    if first["Body"] == "other":
        (first,) = receive(sqs, FIFO, 1)
    assert first["Body"] == "1"
    assert "2" not in [message["Body"] for message in receive(sqs, FIFO)]
    clock.now += 30
    in_order = [message["Body"] for message in receive(sqs, FIFO) if message["Body"] != "other"]
    assert in_order == ["1", "2", "3"]


def test_fifo_forgets_a_deduplication_id_after_five_minutes(sqs: SQS, clock: Clock) -> None:
    first = send(sqs, "x", deduplication="d")
    assert send(sqs, "y", deduplication="d") == first
    clock.now += 300
    assert send(sqs, "y", deduplication="d") != first


def test_a_fifo_message_cannot_be_deleted_after_its_visibility_timeout(sqs: SQS, clock: Clock) -> None:
    send(sqs, "x")
    (message,) = receive(sqs, FIFO)
    clock.now += 30
    with refused("InvalidParameterValue"):
        sqs.delete_message(QueueUrl=FIFO, ReceiptHandle=message["ReceiptHandle"])


def test_a_standard_queue_delivers_twice_now_and_then(clock: Clock) -> None:
    queue = Queue(URL, 30, duplicate_chance=0.5)
    sqs = SQS([queue], clock, random.Random(3))
    for number in range(20):
        sqs.send_message(QueueUrl=URL, MessageBody=str(number))
    received = 0
    for _ in range(40):
        received += len(receive(sqs))
        clock.now += 0.5
    assert received > 20


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (None, set()),
        ({}, set()),
        ({"batchItemFailures": []}, set()),
        ({"batchItemFailures": None}, set()),
        ({"batchItemFailures": [{"itemIdentifier": "1"}]}, {"1"}),
        ({"batchItemFailures": [{"itemIdentifier": "unknown"}]}, {"1", "2"}),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, {"1", "2"}),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, {"1", "2"}),
        ({"batchItemFailures": [{"id": "1"}]}, {"1", "2"}),
        ({"batchItemFailures": "1"}, {"1", "2"}),
        ("nonsense", {"1", "2"}),
    ],
)
def test_lambda_reads_a_partial_batch_response_as_documented(result: Any, expected: set[str]) -> None:
    """LQ4."""
    polling = Polling(batch_size=2, max_concurrency=2)
    assert failures(Answer(result=result), ["1", "2"], polling) == expected


def test_an_error_fails_the_whole_batch_and_an_unasked_for_report_none_of_it() -> None:
    assert failures(Answer(error="boom"), ["1"], Polling(batch_size=1, max_concurrency=2)) == {"1"}
    unasked = Polling(batch_size=1, max_concurrency=2, report_batch_item_failures=False)
    assert failures(Answer(result={"batchItemFailures": [{"itemIdentifier": "1"}]}), ["1"], unasked) == set()
