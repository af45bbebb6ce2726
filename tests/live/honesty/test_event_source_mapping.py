"""SQS feeding a function: what `LoadLeveledQueue` promises rests on these."""

import time
from itertools import pairwise

import pytest

from serverless_patterns.testing import wait_until

RECORDER = """
    import json, os, time

    def handler(event, context):
        started = time.time()
        time.sleep(float(os.environ.get("PAUSE", "0")))
        records = event["Records"]
        print(json.dumps({
            "bodies": [record["body"] for record in records],
            "receives": [int(record["attributes"]["ApproximateReceiveCount"]) for record in records],
            "handles": [record["receiptHandle"] for record in records],
            "started": started,
            "ended": time.time(),
        }))
        bad = [record for record in records if record["body"].startswith("bad")]
        return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in bad]}
"""


def bodies(function) -> list[str]:
    return [body for record in function.records() for body in record["bodies"]]


def peak(records) -> int:
    moments = sorted(at for record in records for at in ((record["started"], 1), (record["ended"], -1)))
    running = highest = 0
    for _, change in moments:
        running += change
        highest = max(highest, running)
    return highest


def test_no_more_invocations_run_at_once_than_the_maximum_concurrency(queue, function, consume) -> None:
    backlog = queue(VisibilityTimeout="60")
    recorder = function(RECORDER, environment={"PAUSE": "0.15"})
    backlog.send(*(f"m{n}" for n in range(24)))
    consume(backlog, recorder, BatchSize=1, ScalingConfig={"MaximumConcurrency": 3})
    wait_until(lambda: len(recorder.records()) == 24, 20, "24 invocations")
    assert peak(recorder.records()) == 3


def test_only_what_a_partial_batch_response_names_comes_again(queue, function, consume) -> None:
    source, recorder = queue(VisibilityTimeout="60"), function(RECORDER)
    consume(source, recorder)
    sent = ["good-1", "bad-1", "good-2", "bad-2", "good-3"]
    source.send(*sent)
    wait_until(lambda: sorted(bodies(recorder)) == sorted(sent), 20, "each message once")
    wait_until(lambda: source.depth() == 2, 10, "the good ones to be deleted")
    for record in recorder.records():
        for body, handle in zip(record["bodies"], record["handles"], strict=True):
            if body.startswith("bad"):
                source.sqs.change_message_visibility(QueueUrl=source.url, ReceiptHandle=handle, VisibilityTimeout=0)
    wait_until(lambda: len(bodies(recorder)) == 7, 10, "the bad ones again")
    assert sorted(bodies(recorder)) == sorted([*sent, "bad-1", "bad-2"])


def test_a_message_that_keeps_failing_becomes_a_dead_letter_unchanged(queue, function, consume) -> None:
    dead = queue()
    source = queue(VisibilityTimeout="2", dead_letters=(dead, 2))
    recorder = function(RECORDER)
    recorder.warm_up()
    consume(source, recorder)
    attribute = {"tenant": {"DataType": "String", "StringValue": "acme"}}
    (sent,) = source.send("bad", MessageAttributes=attribute)
    (letter,) = dead.wait_for(1)
    assert (letter["MessageId"], letter["Body"]) == (sent, "bad")
    assert letter["MessageAttributes"]["tenant"]["StringValue"] == "acme"
    assert [count for record in recorder.records() for count in record["receives"]] == [1, 2]
    assert source.depth() == 0


def test_an_exception_brings_the_whole_batch_back(queue, function, consume) -> None:
    source = queue(VisibilityTimeout="1")
    failing = function(
        """
        import json

        def handler(event, context):
            print(json.dumps({"bodies": sorted(record["body"] for record in event["Records"])}))
            if event["Records"][0]["attributes"]["ApproximateReceiveCount"] == "1":
                raise RuntimeError("the first time")
        """
    )
    consume(source, failing)
    source.send("a", "b")
    wait_until(lambda: sorted(bodies(failing)) == ["a", "a", "b", "b"], 20, "both messages twice")
    wait_until(lambda: source.depth() == 0, 10, "the queue to be empty")


def test_a_function_that_dies_leaves_its_messages(queue, function, consume, cloud) -> None:
    source = queue(VisibilityTimeout="1")
    dying = function(
        """
        import os

        def handler(event, context):
            if event["Records"][0]["attributes"]["ApproximateReceiveCount"] == "1":
                os._exit(1)
        """
    )
    consume(source, dying)
    source.send("work")
    wait_until(lambda: cloud.errors(dying.name), 20, "the function to die")
    assert source.depth() == 1
    wait_until(lambda: source.depth() == 0, 20, "the second attempt")


def test_a_killed_function_leaves_its_messages(queue, function, consume, cloud) -> None:
    source, slow = queue(VisibilityTimeout="2"), function(RECORDER, environment={"PAUSE": "1"})
    consume(source, slow)
    source.send("work")
    wait_until(lambda: cloud.kill_function(slow.name), 20, "the function to run, and be killed", interval_seconds=0.02)
    wait_until(lambda: slow.records(), 20, "the second attempt")
    assert [record["receives"] for record in slow.records()] == [[2]]
    assert len(cloud.errors(slow.name)) == 1, "and the kill shows"


@pytest.mark.parametrize(("of_queue", "set_by_function"), [(30, 1), (2, 4)], ids=["sooner", "later"])
def test_the_visibility_that_a_function_sets_decides_when_a_message_returns(
    queue, function, consume, of_queue: int, set_by_function: int
) -> None:
    source = queue(VisibilityTimeout=str(of_queue))
    backing_off = function(
        """
        import boto3, json, os, time

        sqs = boto3.client("sqs")

        def handler(event, context):
            if not event["Records"]:
                return
            entries = [
                {"Id": "0", "ReceiptHandle": record["receiptHandle"], "VisibilityTimeout": int(os.environ["SECONDS"])}
                for record in event["Records"]
            ]
            answer = sqs.change_message_visibility_batch(QueueUrl=os.environ["QUEUE_URL"], Entries=entries)
            print(json.dumps({"changed": len(answer["Successful"]), "at": time.time()}))
            return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in event["Records"]]}
        """,
        environment={"QUEUE_URL": source.url, "SECONDS": str(set_by_function)},
    )
    backing_off.warm_up()
    consume(source, backing_off)
    source.send("work")
    wait_until(lambda: len(backing_off.records()) >= 2, 25, "the message to return")
    first, second = (record["at"] for record in backing_off.records()[:2])
    assert all(record["changed"] == 1 for record in backing_off.records())
    assert set_by_function - 0.1 <= second - first < 25, "not at once, and not by the queue's own timeout"


def test_a_fifo_group_keeps_its_order_through_failures(queue, function, consume) -> None:
    source = queue(fifo=True, VisibilityTimeout="1")
    stopping = function(
        """
        import json

        def handler(event, context):
            stopped, failures = set(), []
            for record in event["Records"]:
                group, fails = record["attributes"]["MessageGroupId"], "fails-once" in record["body"]
                if group in stopped or (fails and record["attributes"]["ApproximateReceiveCount"] == "1"):
                    stopped.add(group)
                    failures.append({"itemIdentifier": record["messageId"]})
                else:
                    print(json.dumps({"bodies": [record["body"]]}))
            return {"batchItemFailures": failures}
        """
    )
    for group in ("a", "b"):
        source.send_to_group(group, f"{group}1", f"{group}2-fails-once", f"{group}3", f"{group}4")
    consume(source, stopping)
    wait_until(lambda: len(bodies(stopping)) == 8, 20, "all eight messages")
    for group in ("a", "b"):
        mine = [body for body in bodies(stopping) if body.startswith(group)]
        assert mine == [f"{group}1", f"{group}2-fails-once", f"{group}3", f"{group}4"]


def test_receive_counts_of_a_fifo_batch_climb_together(queue, function, consume) -> None:
    dead = queue(fifo=True)
    source = queue(fifo=True, VisibilityTimeout="1", dead_letters=(dead, 2))
    refusing = function(
        """
        def handler(event, context):
            return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in event["Records"]]}
        """
    )
    source.send_to_group("a", "poison", "healthy-but-never-tried")
    consume(source, refusing)
    letters = dead.wait_for(2)
    assert [letter["Body"] for letter in letters] == ["poison", "healthy-but-never-tried"]
    assert {letter["Attributes"]["MessageGroupId"] for letter in letters} == {"a"}


def test_message_attributes_reach_the_function(queue, function, consume) -> None:
    source = queue()
    reader = function(
        """
        import json

        def handler(event, context):
            print(json.dumps(event["Records"][0]["messageAttributes"]))
        """
    )
    sent = {
        "text": {"DataType": "String", "StringValue": "Grüße"},
        "number": {"DataType": "Number", "StringValue": "42"},
        "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    consume(source, reader)
    source.send("work", MessageAttributes=sent)
    (seen,) = wait_until(reader.records, 20, "the message")
    assert (seen["text"]["dataType"], seen["text"]["stringValue"]) == ("String", "Grüße")
    assert (seen["number"]["dataType"], seen["number"]["stringValue"]) == ("Number", "42")
    assert (seen["bytes"]["dataType"], seen["bytes"]["binaryValue"]) == ("Binary", "AP8=")


def test_the_event_tells_when_a_message_was_sent_and_first_received(queue, function, consume) -> None:
    source = queue(VisibilityTimeout="2")
    reader = function(
        """
        import json

        def handler(event, context):
            for record in event["Records"]:
                print(json.dumps(record["attributes"]))
            return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in event["Records"]]}
        """
    )
    reader.warm_up()
    before = time.time()
    consume(source, reader)
    source.send("work")
    wait_until(lambda: len(reader.records()) >= 2, 20, "two receives")
    seen = reader.records()[:2]
    assert {int(one["SentTimestamp"]) for one in seen} == {int(seen[0]["SentTimestamp"])}
    assert before - 1 <= int(seen[0]["SentTimestamp"]) / 1000 <= time.time()
    assert len({one["ApproximateFirstReceiveTimestamp"] for one in seen}) == 1
    assert all(
        int(later["ApproximateReceiveCount"]) == int(sooner["ApproximateReceiveCount"]) + 1
        for sooner, later in pairwise(seen)
    )


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="the emulator ignores identifiers that it did not send; AWS fails the whole batch",
)
def test_an_unknown_identifier_in_the_answer_fails_the_batch(queue, function, consume, steadily) -> None:
    source = queue(VisibilityTimeout="30")
    confused = function("def handler(event, context): return {'batchItemFailures': [{'itemIdentifier': 'unknown'}]}")
    consume(source, confused)
    source.send("work")
    wait_until(lambda: confused.cloud.logs(confused.name), 20, "the invocation")
    steadily(lambda: source.depth() == 1, 1)


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="the emulator invokes as soon as there is a message; AWS waits for the window",
)
def test_a_batching_window_is_waited_for(queue, function, consume) -> None:
    source, recorder = queue(), function(RECORDER)
    consume(source, recorder, MaximumBatchingWindowInSeconds=2)
    started = time.time()
    source.send("work")
    (record,) = wait_until(recorder.records, 20, "the message")
    assert record["started"] - started >= 2


@pytest.mark.xfail(
    strict=True,
    raises=AssertionError,
    reason="the emulator runs FIFO queues strictly serially; AWS runs groups side by side",
)
def test_fifo_groups_run_side_by_side(queue, function, consume) -> None:
    source, recorder = queue(fifo=True), function(RECORDER, environment={"PAUSE": "0.5"})
    for group in ("a", "b"):
        source.send_to_group(group, group)
    consume(source, recorder, BatchSize=1)
    wait_until(lambda: len(recorder.records()) == 2, 20, "both groups")
    assert peak(recorder.records()) == 2
