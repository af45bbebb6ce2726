import random

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns_runtime.load_leveled_queue.message import Message
from serverless_patterns_runtime.load_leveled_queue.visibility import Backoff, Visibility

from .. import scripted_aws
from ..sqs_events import record

CLOCK_SKEW_SECONDS = 2
URL = "https://sqs.invalid/123456789012/fulfilment"
SQS_LIMIT_SECONDS = 43_200 - 900  # it counts from the receive, which may be an invocation ago

bases = st.integers(0, 900)
longest = st.integers(1, SQS_LIMIT_SECONDS)
receives = st.integers(1, 1000)
seeds = st.integers(0, 2**32)


def messages(count: int) -> list[Message]:
    return [Message(record({}, message_id=f"m{number}")) for number in range(count)]


@given(bases, longest, receives, seeds)
def test_a_retry_waits_at_least_a_second_and_at_most_its_ceiling(base: int, most: int, receive: int, seed: int):
    delay = Backoff(base, most, random.Random(seed)).after_failure(receive)
    ceiling = base * 2 ** (receive - 1)
    assert 1 <= delay <= max(1, min(ceiling, most))
    assert isinstance(delay, int)


@given(seeds)
def test_retries_of_one_moment_spread_over_the_whole_time(seed: int):
    """Full jitter: what failed together must not come back together."""
    backoff = Backoff(5, 900, random.Random(seed))
    delays = [backoff.after_failure(6) for _ in range(400)]
    assert min(delays) < 30
    assert max(delays) > 130
    assert len(set(delays)) > 80


def test_the_ceiling_doubles_with_every_receive():
    class Highest(random.Random):
        def uniform(self, _low: float, high: float) -> float:
            return high

    backoff = Backoff(5, 900, Highest())
    assert [backoff.after_failure(receive) for receive in range(1, 11)] == [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]


@given(st.integers(0, 10**10), st.floats(0, 10**10), seeds)
def test_a_message_waits_until_the_lease_in_its_way_has_ended(until: int, now: float, seed: int):
    delay = Backoff(5, 900, random.Random(seed)).after_lease(until, now)
    left = max(0, until - now)
    assert 1 <= delay <= SQS_LIMIT_SECONDS
    # The next sandbox's clock may be behind this one's, and a second too early costs a receive.
    assert delay > left + CLOCK_SKEW_SECONDS or delay == SQS_LIMIT_SECONDS
    assert delay <= left + 1 + CLOCK_SKEW_SECONDS + 5


def test_nothing_to_change_is_no_request():
    sqs = scripted_aws.sqs()
    assert Visibility(sqs, URL).change([]) == {}
    assert sqs.calls == []


def test_delays_go_in_requests_of_ten():
    sqs = scripted_aws.sqs()
    delays = [(message, at) for at, message in enumerate(messages(23))]
    assert Visibility(sqs, URL).change(delays) == {}
    requests = sqs.requests("ChangeMessageVisibilityBatch")
    assert [len(request["Entries"]) for request in requests] == [10, 10, 3]
    assert {request["QueueUrl"] for request in requests} == {URL}
    changed = [(entry["ReceiptHandle"], entry["VisibilityTimeout"]) for r in requests for entry in r["Entries"]]
    assert changed == [(message.receipt_handle, delay) for message, delay in delays]
    assert all(len({entry["Id"] for entry in request["Entries"]}) == len(request["Entries"]) for request in requests)


def test_entries_that_fail_are_named_by_message_and_leave_the_others():
    sqs = scripted_aws.sqs()
    failed = {"Id": "3", "Code": "ReceiptHandleIsInvalid", "Message": "expired", "SenderFault": True}
    sqs.script(
        "ChangeMessageVisibilityBatch",
        {"Successful": []},
        {"Successful": [], "Failed": [failed, failed | {"Id": "0", "Code": "InternalError"}]},
    )
    failures = Visibility(sqs, URL).change([(message, 1) for message in messages(15)])
    assert sorted(failures) == ["m10", "m13"]
    assert str(failures["m13"]) == (
        "An error occurred (ReceiptHandleIsInvalid) when calling the ChangeMessageVisibilityBatch operation: expired"
    )


@pytest.mark.parametrize(
    "error",
    [
        scripted_aws.error("ChangeMessageVisibilityBatch", "AccessDenied"),
        ConnectTimeoutError(endpoint_url="https://sqs.invalid"),
    ],
)
def test_a_request_that_fails_fails_for_its_ten_messages_alone(error: ClientError):
    sqs = scripted_aws.sqs()
    sqs.script("ChangeMessageVisibilityBatch", {}, error, {})
    failures = Visibility(sqs, URL).change([(message, 1) for message in messages(25)])
    assert failures == {f"m{number}": error for number in range(10, 20)}
