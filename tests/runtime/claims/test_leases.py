import random
import re
from typing import Any

import pytest

from serverless_patterns_runtime.claims.claim import Claim, RunningElsewhere
from serverless_patterns_runtime.claims.leases import AlreadyDone, Leases, Unavailable
from serverless_patterns_runtime.claims.statements import Statements
from serverless_patterns_runtime.errors import IdempotencyKeyReused

from ...simulation.reserved_words import RESERVED_WORDS
from .. import scripted_aws

NOW, UNTIL, RETENTION = 1000, 1032, 500
OURS = "owner-ours"


def claims(count: int) -> list[Claim]:
    return [Claim("Fulfilment", f"key-{number}", f"digest-{number}") for number in range(count)]


(A,) = claims(1)


def leases(client: scripted_aws.ScriptedClient, owner: str = OURS) -> Leases:
    statements = Statements(client, lambda _: None, random.Random(1))
    return Leases(statements, "shop-claims", RETENTION, lambda: NOW + 0.9, owner)


def responses(*answers: dict[str, Any] | None) -> dict[str, Any]:
    return {"Responses": [{} if answer is None else {"Error": {"Message": ""} | answer} for answer in answers]}


DUPLICATE = {"Code": "DuplicateItem"}


def refused(claim: Claim = A, **changes: Any) -> dict[str, Any]:
    """The condition of an UPDATE found this item: by default the finished work of somebody else."""
    item = {"owner": "other", "free_at": 9000, "done": True, "expires_at": 9000} | changes
    payload = item.pop("payload", claim.payload)
    return {"Code": "ConditionalCheckFailed", "Item": Claim(claim.namespace, claim.key, payload).item(**item)}


GONE = {"Code": "ConditionalCheckFailed"}


def take(*answers: Any, wanted: list[Claim] | None = None) -> tuple[list[Exception | None], list[list[dict[str, Any]]]]:
    """The verdicts, and the statements of each request."""
    client = scripted_aws.dynamodb()
    client.script("BatchExecuteStatement", *answers)
    wanted = [A] if wanted is None else wanted
    verdicts = leases(client).take(wanted, UNTIL)
    assert list(verdicts) == wanted
    requests = [request["Statements"] for request in client.requests("BatchExecuteStatement")]
    assert len(requests) == len(answers)
    return list(verdicts.values()), requests


def said(error: Exception | None) -> tuple[type, str]:
    return type(error), str(error)


# --- Taking


def test_ten_new_keys_cost_one_request():
    verdicts, requests = take(responses(*[None] * 10), wanted=claims(10))
    assert verdicts == [None] * 10
    assert len(requests) == 1
    assert requests[0][0] == {
        "Statement": 'INSERT INTO "shop-claims" VALUE'
        " {'claim': ?, 'payload': ?, 'owner': ?, 'free_at': ?, 'done': ?, 'expires_at': ?}",
        "Parameters": [
            {"S": "Fulfilment#key-0"},
            {"S": "digest-0"},
            {"S": OURS},
            {"N": "1032"},
            {"BOOL": False},
            {"N": "1500"},
        ],
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def test_no_keys_cost_nothing():
    assert take(wanted=[]) == ([], [])


def test_26_new_keys_cost_two_requests():
    verdicts, requests = take(responses(*[None] * 25), responses(None), wanted=claims(26))
    assert verdicts == [None] * 26
    assert [len(request) for request in requests] == [25, 1]


def test_keys_seen_before_cost_one_request_more_and_it_names_only_them():
    a, b, c = claims(3)
    verdicts, requests = take(responses(None, DUPLICATE, DUPLICATE), responses(refused(b), None), wanted=[a, b, c])
    assert [said(verdict) for verdict in verdicts] == [
        (type(None), "None"),
        (AlreadyDone, "the work on this key is complete"),
        (type(None), "None"),
    ]
    assert requests[1] == [
        {
            "Statement": 'UPDATE "shop-claims" SET "owner" = ? SET "free_at" = ? SET "done" = ? SET "expires_at" = ?'
            ' WHERE "claim" = ? AND "free_at" < ? AND "payload" = ?',
            "Parameters": [
                {"S": OURS},
                {"N": "1032"},
                {"BOOL": False},
                {"N": "1500"},
                {"S": claim.id},
                {"N": "1000"},
                {"S": claim.payload},
            ],
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        for claim in (b, c)
    ]


def test_a_claim_that_time_to_live_should_have_deleted_costs_a_third_request_and_is_ours():
    forgotten = refused(payload="digest of long ago", free_at=999, expires_at=999)
    verdicts, requests = take(responses(DUPLICATE), responses(forgotten), responses(None))
    assert verdicts == [None]
    assert requests[2] == [
        {
            "Statement": 'UPDATE "shop-claims" SET "payload" = ? SET "owner" = ? SET "free_at" = ? SET "done" = ?'
            ' SET "expires_at" = ? WHERE "claim" = ? AND "expires_at" < ?',
            "Parameters": [
                {"S": "digest-0"},
                {"S": OURS},
                {"N": "1032"},
                {"BOOL": False},
                {"N": "1500"},
                {"S": "Fulfilment#key-0"},
                {"N": "1000"},
            ],
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    ]


def test_who_loses_the_race_for_a_forgotten_claim_is_told_who_won():
    forgotten = refused(payload="digest of long ago", free_at=999, expires_at=999)
    winner = refused(done=False, free_at=1040, expires_at=1500)
    (verdict,), _ = take(responses(DUPLICATE), responses(forgotten), responses(winner))
    assert isinstance(verdict, RunningElsewhere)
    assert verdict.until == 1040


def test_a_claim_is_forgotten_by_its_own_number_only():
    """Equal to now is not past."""
    kept = refused(payload="other", free_at=1000, expires_at=1000)
    (verdict,), requests = take(responses(DUPLICATE), responses(kept))
    assert isinstance(verdict, IdempotencyKeyReused)
    assert len(requests) == 2


def test_a_running_attempt_is_in_the_way_until_its_deadline():
    (verdict,), _ = take(responses(DUPLICATE), responses(refused(done=False, free_at=1020)))
    assert said(verdict) == (RunningElsewhere, "another attempt holds the claim")
    assert verdict.until == 1020  # type: ignore[union-attr]


@pytest.mark.parametrize("state", [{"done": True}, {"done": False, "free_at": 1020}, {"done": False, "free_at": 900}])
def test_another_payload_is_refused_whatever_became_of_the_first(state: dict[str, Any]):
    (verdict,), _ = take(responses(DUPLICATE), responses(refused(payload="other", **state)))
    assert said(verdict) == (IdempotencyKeyReused, "the idempotency key was used before, with another payload")


def test_an_insert_whose_answer_was_lost_is_found_to_be_ours():
    """The SDK repeats it, DynamoDB calls it a duplicate: of our own."""
    (verdict,), _ = take(responses(DUPLICATE), responses(refused(owner=OURS, done=False, free_at=UNTIL)))
    assert verdict is None


def test_a_claim_that_vanished_between_two_requests_is_not_taken_for_a_duplicate():
    (verdict,), _ = take(responses(DUPLICATE), responses(GONE))
    assert said(verdict) == (Unavailable, "the claim could not be taken: ConditionalCheckFailed")


@pytest.mark.parametrize("code", ["ThrottlingError", "AccessDenied", "ValidationError", "ResourceNotFound"])
def test_a_claim_that_dynamodb_did_not_take_is_not_ours(code: str):
    answers = [responses({"Code": code})] * (4 if code == "ThrottlingError" else 1)
    (verdict,), _ = take(*answers)
    assert said(verdict) == (Unavailable, f"the claim could not be taken: {code}")


def test_a_throttled_insert_is_tried_again_and_ours():
    verdicts, requests = take(responses({"Code": "ThrottlingError"}, None), responses(None), wanted=claims(2))
    assert verdicts == [None, None]
    assert [len(request) for request in requests] == [2, 1]


# --- Settling


def settle(
    done: list[Claim], released: list[Claim], *answers: Any
) -> tuple[dict[Claim, Exception], list[list[dict[str, Any]]]]:
    client = scripted_aws.dynamodb()
    client.script("BatchExecuteStatement", *answers)
    errors = dict(leases(client).settle(done, released))
    return errors, [request["Statements"] for request in client.requests("BatchExecuteStatement")]


def test_a_batch_is_settled_in_one_request_and_fenced_by_the_owner():
    a, b = claims(2)
    errors, requests = settle([a], [b], responses(None, None))
    assert errors == {}
    assert requests == [
        [
            {
                "Statement": 'UPDATE "shop-claims" SET "done" = ? SET "free_at" = ? SET "expires_at" = ?'
                ' WHERE "claim" = ? AND "owner" = ?',
                "Parameters": [{"BOOL": True}, {"N": "1500"}, {"N": "1500"}, {"S": a.id}, {"S": OURS}],
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            },
            {
                "Statement": 'DELETE FROM "shop-claims" WHERE "claim" = ? AND "owner" = ?',
                "Parameters": [{"S": b.id}, {"S": OURS}],
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            },
        ]
    ]


def test_nothing_to_settle_costs_nothing():
    assert settle([], []) == ({}, [])


def test_completing_what_another_owner_took_is_an_error():
    errors, _ = settle([A], [], responses(refused(done=False)))
    assert {claim: said(error) for claim, error in errors.items()} == {
        A: (Unavailable, "the claim could not be settled: ConditionalCheckFailed")
    }


def test_releasing_what_another_owner_took_leaves_it_alone_and_is_no_error():
    assert settle([], [A], responses(refused(done=False)))[0] == {}


def test_a_settlement_that_is_throttled_to_the_end_is_an_error():
    errors, requests = settle([], [A], *[responses({"Code": "ThrottlingError"})] * 4)
    assert [said(error) for error in errors.values()] == [
        (Unavailable, "the claim could not be settled: ThrottlingError")
    ]
    assert len(requests) == 4


# --- Statements as text


def all_statements() -> list[str]:
    forgotten = refused(payload="other", free_at=1, expires_at=1)
    _, taking = take(responses(DUPLICATE), responses(forgotten), responses(None))
    _, settling = settle([A], [], responses(None))
    _, releasing = settle([], [A], responses(None))
    return [statement["Statement"] for request in taking + settling + releasing for statement in request]


def test_no_attribute_stands_in_a_statement_without_quotes():
    """`owner` is one of DynamoDB's reserved words: emulators let it pass, AWS does not."""
    keywords = {"INSERT", "INTO", "VALUE", "UPDATE", "SET", "DELETE", "FROM", "WHERE", "AND"}
    assert len(all_statements()) == 5
    for statement in all_statements():
        bare = re.sub(r"'[^']*'|\"[^\"]*\"", "", statement)
        assert set(re.findall(r"\w+", bare)) <= keywords
        assert "OWNER" in RESERVED_WORDS


def test_a_key_is_a_parameter_and_never_part_of_a_statement():
    hostile = Claim("N", "' OR 1=1 --\"", "d")
    client = scripted_aws.dynamodb()
    leases(client).take([hostile], UNTIL)
    leases(client).settle([hostile], [])
    leases(client).settle([], [hostile])
    for request in client.requests("BatchExecuteStatement"):
        for statement in request["Statements"]:
            assert "OR 1" not in statement["Statement"]
            assert {"S": "N#' OR 1=1 --\""} in statement["Parameters"]


@pytest.mark.parametrize("name", ["t", "a-b_c.D", "x" * 255])
def test_a_statement_is_shorter_than_dynamodb_s_limit(name: str):
    client = scripted_aws.dynamodb()
    Leases(Statements(client, lambda _: None, random.Random(1)), name, 1, lambda: 1, OURS).take([A], UNTIL)
    (request,) = client.requests("BatchExecuteStatement")
    assert f'"{name}"' in request["Statements"][0]["Statement"]
    assert len(request["Statements"][0]["Statement"]) <= 8192
