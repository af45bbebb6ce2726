from typing import Any

import pytest

from serverless_patterns_runtime.claims.claim import Claim
from serverless_patterns_runtime.claims.completed import CompletedClaims

from .. import scripted_aws

CLAIM = Claim("Fulfilment", "A-1", "digest")
NOW = 1000.5


def hold(item: dict[str, Any] | None) -> bool:
    client = scripted_aws.dynamodb()
    client.script("GetItem", {} if item is None else {"Item": item})
    answer = CompletedClaims(client, "claims", lambda: NOW).hold(CLAIM)
    assert client.requests("GetItem") == [
        {"TableName": "claims", "Key": {"claim": {"S": "Fulfilment#A-1"}}, "ConsistentRead": True}
    ]
    return answer


@pytest.mark.parametrize(
    ("changes", "complete"),
    [
        ({}, True),
        ({"done": {"BOOL": False}}, False),
        ({"payload": {"S": "other"}}, False),
        ({"expires_at": {"N": "1001"}}, True),
        ({"expires_at": {"N": "1000"}}, False),
    ],
)
def test_work_is_complete_when_done_for_this_payload_and_not_forgotten(changes: dict[str, Any], complete: bool):
    assert hold(CLAIM.item(owner="o", free_at=2000, done=True, expires_at=2000) | changes) is complete


def test_work_that_nobody_claimed_is_not_complete():
    assert not hold(None)


def find(**changes: Any) -> Any:
    client = scripted_aws.dynamodb()
    item = CLAIM.item(owner="o", free_at=2000, done=True, expires_at=2000, answer="{}") | changes
    client.script("GetItem", {"Item": item})
    return CompletedClaims(client, "claims", lambda: NOW).find(CLAIM)


def test_completed_work_is_found_with_its_answer_whatever_its_payload():
    assert find().answer == "{}"
    assert find(payload={"S": "other"}).payload == "other"


@pytest.mark.parametrize("changes", [{"done": {"BOOL": False}}, {"expires_at": {"N": "1000"}}])
def test_work_that_is_not_complete_or_that_is_forgotten_is_not_found(changes: dict[str, Any]):
    assert find(**changes) is None
