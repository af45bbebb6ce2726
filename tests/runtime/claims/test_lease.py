import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from serverless_patterns_runtime.claims.claim import Claim, Contended, Holder, RunningElsewhere
from serverless_patterns_runtime.claims.lease import Lease
from serverless_patterns_runtime.errors import IdempotencyKeyReused

from ...simulation.reserved_words import RESERVED_WORDS
from .. import scripted_aws
from ..scripted_aws import error

CLAIM = Claim("Api", "key-1", "digest")
NOW, UNTIL, RETENTION = 1000, 1032, 500
OURS = "owner-ours"
GONE = "ConditionalCheckFailedException"


class Time:
    def __init__(self, left: float = 30.0) -> None:
        self.left = left

    def remaining(self) -> float:
        return self.left

    def sleep(self, seconds: float) -> None:
        assert seconds < self.left, "slept beyond the time there was"
        self.left -= seconds


def lease(client: Any, time: Time | None = None, *, now: float = NOW + 0.9, owner: str = OURS) -> Lease:
    return Lease(
        dynamodb=client,
        table_name="shop-claims",
        retention_seconds=RETENTION,
        clock=lambda: now,
        sleep=(time or Time()).sleep,
        random=random.Random(1),
        claim=CLAIM,
        owner=owner,
    )


def item(**changes: Any) -> dict[str, Any]:
    """By default ours, at work."""
    state = {"owner": OURS, "free_at": UNTIL, "done": False, "expires_at": NOW + RETENTION} | changes
    attempt = state.pop("attempt", 1)
    payload = state.pop("payload", CLAIM.payload)
    return Claim(CLAIM.namespace, CLAIM.key, payload).item(**state) | {"attempt": {"N": str(attempt)}}


def held(attempt: int = 1) -> Holder:
    return Holder.from_item(item(attempt=attempt))


def refused(**changes: Any) -> ClientError:
    return error("UpdateItem", GONE, Item=item(**changes))


def asked(operation: str, *answers: Any, act: Callable[[Lease], Any]) -> tuple[Any, list[dict[str, Any]]]:
    """What came of it, and the requests."""
    client = scripted_aws.dynamodb()
    client.script(operation, *answers)
    outcome = act(lease(client))
    assert client.operations == [operation] * len(answers)
    return outcome, client.requests(operation)


def take(answer: Any) -> Holder:
    return asked("UpdateItem", answer, act=lambda lease: lease.take(UNTIL))[0]


def complete(*answers: Any, answer: str | None = "{}") -> Holder | None:
    return asked("UpdateItem", *answers, act=lambda lease: lease.complete(answer, lambda: 30))[0]


# --- The requests


def test_one_request_takes_what_is_free_and_nothing_else():
    got, (request,) = asked("UpdateItem", {"Attributes": item()}, act=lambda lease: lease.take(UNTIL))
    assert got == held()
    assert request == {
        "TableName": "shop-claims",
        "Key": {"claim": {"S": "Api#key-1"}},
        "UpdateExpression": "SET #owner = :owner, #payload = :payload, #free_at = :until, #expires_at = :expires_at,"
        " #done = :false, #attempt = if_not_exists(#attempt, :zero) + :one REMOVE #answer",
        "ConditionExpression": "attribute_not_exists(#claim) OR (#free_at < :now AND (#payload = :payload OR"
        " #expires_at < :now))",
        "ExpressionAttributeNames": {
            "#claim": "claim",
            "#payload": "payload",
            "#owner": "owner",
            "#free_at": "free_at",
            "#done": "done",
            "#answer": "answer",
            "#attempt": "attempt",
            "#expires_at": "expires_at",
        },
        "ExpressionAttributeValues": {
            ":owner": {"S": OURS},
            ":payload": {"S": "digest"},
            ":until": {"N": "1032"},
            ":expires_at": {"N": "1500"},
            ":false": {"BOOL": False},
            ":zero": {"N": "0"},
            ":one": {"N": "1"},
            ":now": {"N": "1000"},
        },
        "ReturnValues": "ALL_NEW",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def test_one_request_records_the_answer_if_the_lease_is_still_ours():
    got, (request,) = asked("UpdateItem", {}, act=lambda lease: lease.complete('{"a":1}', lambda: 30))
    assert got is None
    assert request == {
        "TableName": "shop-claims",
        "Key": {"claim": {"S": "Api#key-1"}},
        "UpdateExpression": "SET #done = :true, #free_at = :expires_at, #expires_at = :expires_at, #answer = :answer"
        " REMOVE #attempt",
        "ConditionExpression": "#owner = :owner",
        "ExpressionAttributeNames": {
            "#owner": "owner",
            "#free_at": "free_at",
            "#done": "done",
            "#answer": "answer",
            "#attempt": "attempt",
            "#expires_at": "expires_at",
        },
        "ExpressionAttributeValues": {
            ":true": {"BOOL": True},
            ":expires_at": {"N": "1500"},
            ":owner": {"S": OURS},
            ":answer": {"S": '{"a":1}'},
        },
        "ReturnValues": "NONE",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def test_work_without_an_answer_that_can_be_kept_is_complete_all_the_same():
    _, (request,) = asked("UpdateItem", {}, act=lambda lease: lease.complete(None, lambda: 30))
    assert "answer" not in str(request)


def test_a_first_attempt_that_was_refused_leaves_nothing():
    got, (request,) = asked("DeleteItem", {}, act=lambda lease: lease.give_back(held(), forget=True))
    assert got is None
    assert request == {
        "TableName": "shop-claims",
        "Key": {"claim": {"S": "Api#key-1"}},
        "ConditionExpression": "#owner = :owner",
        "ExpressionAttributeNames": {"#owner": "owner"},
        "ExpressionAttributeValues": {":owner": {"S": OURS}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


@pytest.mark.parametrize(("attempt", "forget"), [(1, False), (2, False), (2, True)])
def test_after_an_attempt_of_unknown_fate_the_count_and_the_payload_stay(attempt: int, forget: bool):
    act = lambda lease: lease.give_back(held(attempt), forget=forget)  # noqa: E731
    got, (request,) = asked("UpdateItem", {}, act=act)
    assert got is None
    assert request["UpdateExpression"] == "SET #free_at = :zero"
    assert request["ConditionExpression"] == "#owner = :owner"


def test_no_request_uses_a_reserved_word_as_a_name():
    client = scripted_aws.dynamodb()
    client.script("UpdateItem", {"Attributes": item()}, {}, {})
    made = lease(client)
    made.take(UNTIL)
    made.complete("{}", lambda: 30)
    made.give_back(held(2), forget=False)
    for request in client.requests("UpdateItem"):
        words = re.findall(r"(?<![#:])\b[A-Za-z_]+", f"{request['UpdateExpression']} {request['ConditionExpression']}")
        known = {"SET", "REMOVE", "AND", "OR", "if_not_exists", "attribute_not_exists"}
        assert {word for word in words if word.upper() in RESERVED_WORDS} <= known


# --- What take finds


def test_the_attempt_is_counted():
    assert take({"Attributes": item(attempt=3)}).attempt == 3


def test_our_own_request_whose_answer_was_lost_has_taken_the_lease():
    assert take(refused(attempt=2)) == held(attempt=2)


def test_completed_work_comes_with_its_answer():
    found = take(refused(owner="other", done=True, answer='{"status":201}'))
    assert (found.done, found.answer) == (True, '{"status":201}')


def test_another_attempt_at_work_is_waited_for():
    with pytest.raises(RunningElsewhere) as raised:
        take(refused(owner="other", free_at=1029))
    assert raised.value.until == 1029


@pytest.mark.parametrize("done", [True, False])
def test_another_payload_is_refused(done: bool):
    with pytest.raises(IdempotencyKeyReused):
        take(refused(owner="other", payload="another", done=done))


@pytest.mark.parametrize(
    "code", ["ThrottlingException", "ProvisionedThroughputExceededException", "TransactionConflictException"]
)
def test_a_table_that_has_no_time_says_so_at_once(code: str):
    with pytest.raises(Contended):
        take(error("UpdateItem", code))


@pytest.mark.parametrize(
    "failure",
    [
        error("UpdateItem", "AccessDeniedException", "no"),
        error("UpdateItem", "InternalServerError", "no"),
        error("UpdateItem", GONE),
        ConnectionClosedError(endpoint_url="https://dynamodb.invalid"),
    ],
)
def test_what_the_network_or_aws_did_is_passed_on_as_it_is(failure: Exception):
    with pytest.raises(type(failure)) as raised:
        take(failure)
    assert raised.value is failure
    if not isinstance(failure, ClientError) or failure.response["Error"]["Code"] != GONE:
        with pytest.raises(type(failure)) as raised:
            complete(failure)
        assert raised.value is failure


# --- What the fence finds


def test_who_was_overtaken_learns_the_answer_that_counts():
    found = complete(refused(owner="other", done=True, answer="theirs"))
    assert found is not None
    assert found.answer == "theirs"
    found, _ = asked(
        "DeleteItem",
        refused(owner="other", done=True, answer="theirs"),
        act=lambda lease: lease.give_back(held(), forget=True),
    )
    assert found.answer == "theirs"


@pytest.mark.parametrize("operation", ["UpdateItem", "DeleteItem"])
def test_who_was_overtaken_by_one_still_at_work_waits_for_it(operation: str):
    act: Callable[[Lease], Any] = (
        (lambda lease: lease.complete("{}", lambda: 30))
        if operation == "UpdateItem"
        else lambda lease: lease.give_back(held(), forget=True)
    )
    with pytest.raises(RunningElsewhere) as raised:
        asked(operation, refused(owner="other", free_at=1077), act=act)
    assert raised.value.until == 1077


def test_an_answer_without_a_claim_is_not_recorded():
    with pytest.raises(RunningElsewhere) as raised:
        complete(error("UpdateItem", GONE))
    assert raised.value.until == NOW


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_claim_that_is_gone_needs_not_be_given_back(attempt: int):
    operation = "DeleteItem" if attempt == 1 else "UpdateItem"
    act = lambda lease: lease.give_back(held(attempt), forget=True)  # noqa: E731
    assert asked(operation, error(operation, GONE), act=act)[0] is None


# --- Trying again


def test_recording_is_tried_again_for_as_long_as_there_is_time():
    assert (
        complete(error("UpdateItem", "ThrottlingException"), error("UpdateItem", "TransactionConflictException"), {})
        is None
    )
    time = Time(7.0)
    client = scripted_aws.dynamodb()
    client.always("UpdateItem", error("UpdateItem", "ThrottlingException"))
    with pytest.raises(Contended):
        lease(client, time).complete("{}", time.remaining)
    assert 0 <= time.left < 2
    assert len(client.calls) > 5
