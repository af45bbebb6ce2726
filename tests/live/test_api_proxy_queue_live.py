"""Routes straight to a queue, as deployed: 202 is a message that is stored, and anything else is not."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import pytest

from serverless_patterns.testing import wait_until
from tests.live.live_api import LiveApi
from tests.live.rest_calls import Answer

PROBLEM = "application/problem+json"
SECONDS = 30


def order(id: str, **more: Any) -> dict[str, Any]:
    return {"id": id, "quantity": 1, **more}


@pytest.fixture
def key() -> str:
    return str(uuid4())


@pytest.fixture
def fulfilled(front_door: LiveApi) -> Callable[[str], dict[str, Any]]:
    """Wait until an order has come through the queue; what the ledger has of it."""

    def wait(id: str) -> dict[str, Any]:
        wait_until(lambda: front_door.row(id), SECONDS, f"order {id}")
        return front_door.row(id)

    return wait


def drain(front_door: LiveApi, queue: Any) -> None:
    client, url = front_door.cloud.client("sqs"), front_door.named(queue.queue)
    names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def empty() -> bool:
        attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return all(int(attributes[name]) == 0 for name in names)

    wait_until(empty, SECONDS, f"{url} to be drained")


def test_an_order_is_accepted_with_its_own_fields_and_processed_once(front_door: LiveApi, fulfilled, key) -> None:
    answer = front_door.call("POST /orders", order("q-1", note='it\'s "5" $ & # é'), Idempotency_Key=key)
    assert answer.status == 202, answer
    assert answer.json == {"order_id": "q-1", "note": 'it\'s "5" $ & # é'}
    assert fulfilled("q-1")["times"] == 1


def test_a_field_that_the_request_lacks_is_null(front_door: LiveApi, fulfilled, key) -> None:
    answer = front_door.call("POST /orders", order("q-null"), Idempotency_Key=key)
    assert (answer.status, answer.json) == (202, {"order_id": "q-null", "note": None})
    fulfilled("q-null")


def test_one_id_is_seen_from_the_header_to_the_log_of_the_consumer(front_door: LiveApi, fulfilled, key) -> None:
    answer = front_door.call("POST /orders", order("q-traced"), Idempotency_Key=key, X_Correlation_Id="trace-9")
    assert answer.headers["X-Correlation-Id"] == "trace-9"
    assert fulfilled("q-traced")["correlation_id"] == "trace-9"
    consumer = front_door.stack.orders.consumer_function
    wait_until(lambda: [x for x in front_door.logged(consumer) if x.get("correlation_id") == "trace-9"], 10, "the log")


@pytest.mark.parametrize("spoofed", ["x" * 65, "a b", "a%0d%0ab", "{{}}"])
def test_an_id_that_is_not_safe_to_log_is_replaced(front_door: LiveApi, fulfilled, key, spoofed) -> None:
    id = f"q-spoofed-{key}"
    answer = front_door.call("POST /orders", order(id), Idempotency_Key=key, X_Correlation_Id=spoofed)
    assert answer.status == 202
    assert fulfilled(id)["correlation_id"] == answer.headers["X-Correlation-Id"] != spoofed


def test_the_same_key_many_times_is_processed_once(front_door: LiveApi, fulfilled, key) -> None:
    answers = front_door.at_once(6, "POST /orders", order("q-again"), Idempotency_Key=key)
    assert [answer.status for answer in answers] == [202] * 6
    assert len({answer.body for answer in answers}) == 1
    fulfilled("q-again")
    drain(front_door, front_door.stack.orders)
    assert front_door.row("q-again")["times"] == 1


def test_a_key_belongs_to_its_caller(front_door: LiveApi, fulfilled, key) -> None:
    for caller in ("ann", "bob"):
        front_door.call("POST /orders", order(f"q-{caller}"), caller=caller, Idempotency_Key=key)
    keys = {fulfilled(f"q-{caller}")["key"] for caller in ("ann", "bob")}
    assert len(keys) == 2
    assert all(key in stored for stored in keys)


def test_the_one_who_signed_is_the_caller(front_door: LiveApi, fulfilled, key) -> None:
    user = front_door.credentials(front_door.stack.user)
    answer = front_door.api.signed("POST /iam/orders", user, order("q-iam"), {"Idempotency-Key": key})
    assert answer.status == 202, answer
    route, caller, given = fulfilled("q-iam")["key"].split("|")
    assert (route, given) == ("POST /iam/orders", key)
    assert unquote(caller).endswith(f":user/{front_door.named(front_door.stack.user)}")


def test_without_a_key_an_optional_one_each_message_counts(front_door: LiveApi, fulfilled, key) -> None:
    for _ in range(2):
        answer = front_door.call("POST /reorders", order("q-optional"))
        assert answer.status == 202
        assert answer.json["id"]
    wait_until(lambda: front_door.row("q-optional").get("times") == 2, SECONDS, "both")
    ids = {front_door.call("POST /reorders", order("q-keyed"), Idempotency_Key=key).json["id"] for _ in range(2)}
    assert len(ids) == 1, "a function of the key"
    fulfilled("q-keyed")
    drain(front_door, front_door.stack.orders)
    assert front_door.row("q-keyed")["times"] == 1


def test_anybody_may_send_where_the_route_is_public(front_door: LiveApi, fulfilled, key) -> None:
    assert front_door.call("POST /open-orders", order("q-open"), caller=None, Idempotency_Key=key).status == 202
    assert fulfilled("q-open")["times"] == 1


def test_groups_of_a_fifo_queue_come_from_the_body(front_door: LiveApi) -> None:
    for n in range(3):
        answer = front_door.call("POST /ordered", order("q-group"), Idempotency_Key=f"{uuid4()}-{n}")
        assert answer.status == 202, answer
    wait_until(lambda: front_door.row("q-group").get("times") == 3, SECONDS, "all three, none taken for another")


REFUSED: dict[str, tuple[Any, dict[str, str], int]] = {
    "not JSON": ("{broken", {}, 400),
    "against its schema": ('{"id": 1, "quantity": 1}', {}, 400),
    "no body": ("", {}, 400),
    "another type": (json.dumps(order("q-bad")), {"Content_Type": "text/plain"}, 415),
    "no key": (json.dumps(order("q-bad")), {"Idempotency_Key": ""}, 400),
    "a key that is too long": (json.dumps(order("q-bad")), {"Idempotency_Key": "k" * 256}, 400),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_is_refused_is_no_message(front_door: LiveApi, key, why) -> None:
    body, headers, status = REFUSED[why]
    given = {"Content_Type": "application/json", "Idempotency_Key": key} | headers
    answer = front_door.call("POST /orders", body, **{name: value for name, value in given.items() if value})
    assert answer.problem == (status, PROBLEM), answer
    drain(front_door, front_door.stack.orders)
    assert front_door.row("q-bad") == {}


def not_accepted(answer: Answer) -> None:
    assert answer.problem == (503, PROBLEM), answer
    assert int(answer.headers["Retry-After"]) >= 1
    assert b"amazonaws" not in answer.body
    assert b"arn:" not in answer.body


def test_what_the_queue_does_not_take_is_never_accepted(front_door: LiveApi, key) -> None:
    sqs, url = front_door.cloud.client("sqs"), front_door.named(front_door.stack.doomed.queue)
    assert front_door.call("POST /doomed", order("doomed"), Idempotency_Key=key).status == 202, "at first it works"
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"MaximumMessageSize": "1024"})
    large = front_door.call("POST /doomed", order("doomed", note="x" * 2000), Idempotency_Key=key)
    assert large.problem == (413, PROBLEM)
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    deny = {"Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    not_accepted(front_door.call("POST /doomed", order("doomed"), Idempotency_Key=key))
    sqs.delete_queue(QueueUrl=url)
    not_accepted(front_door.call("POST /doomed", order("doomed"), Idempotency_Key=key))
