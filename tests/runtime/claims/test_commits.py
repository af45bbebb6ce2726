import random
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError

from serverless_patterns_runtime import Attr, Check, Delete, Effects, PermanentError, Put, Update
from serverless_patterns_runtime.claims.claim import Claim, Contended, RunningElsewhere
from serverless_patterns_runtime.claims.commits import Commits
from serverless_patterns_runtime.errors import ConditionNotMet, IdempotencyKeyReused, UncommittableEffects

from .. import scripted_aws
from ..scripted_aws import cancelled, error

CLAIM = Claim("Fulfilment", "A-1", "digest")
NOW, RETENTION = 1000, 500


class TryLater(Exception):
    pass


EFFECTS = Effects(
    writes=[
        Put("ORDERS", {"order_id": "A-1"}),
        Update("STOCK", {"id": 1}, add={"n": -1}, condition=Attr("n") >= 1, otherwise=PermanentError("out of stock")),
        Check("STOCK", {"id": 2}, condition=Attr("n") >= 1, otherwise=TryLater("soon")),
        Delete("CARTS", {"id": 3}, condition=Attr("id").exists()),
    ]
)
CCF = "ConditionalCheckFailed"


class Time:
    def __init__(self, remaining: float = 30.0, request_seconds: float = 0.0) -> None:
        self.left = remaining
        self.request_seconds = request_seconds
        self.sleeps: list[float] = []

    def remaining(self) -> float:
        return self.left

    def sleep(self, seconds: float) -> None:
        assert seconds < self.left, "slept beyond the time there was"
        self.sleeps.append(seconds)
        self.left -= seconds

    def spend(self, _: Any) -> ClientError:
        self.left -= self.request_seconds
        return cancelled(["None", "TransactionConflict"])


def commits(client: scripted_aws.ScriptedClient, time: Time | None = None, seed: int = 1) -> Commits:
    return Commits(
        dynamodb=client,
        table_name="shop-claims",
        retention_seconds=RETENTION,
        tables={"ORDERS": "shop-orders", "STOCK": "shop-stock", "CARTS": "shop-carts"},
        clock=lambda: NOW + 0.9,
        sleep=(time or Time()).sleep,
        random=random.Random(seed),
    )


def commit(*answers: Any, effects: Effects = EFFECTS, time: Time | None = None) -> bool:
    client = scripted_aws.dynamodb()
    client.script("TransactWriteItems", *answers)
    time = time or Time()
    outcome = commits(client, time).commit(CLAIM, effects, time.remaining)
    assert len(client.calls) == len(answers)
    return outcome


def holder(owner: str = "other", **changes: Any) -> dict[str, Any]:
    """The reason for which our claim was refused."""
    state = {"free_at": 9000, "done": True, "expires_at": 9000} | changes
    payload = state.pop("payload", CLAIM.payload)
    return {"Code": CCF, "Item": Claim("Fulfilment", "A-1", payload).item(owner=owner, **state)}


def raises(kind: type[BaseException], message: str) -> Any:
    class Whole:
        def __enter__(self) -> None:
            self.context = pytest.raises(kind)
            self.raised = self.context.__enter__()

        def __exit__(self, *exit: Any) -> bool:
            handled = bool(self.context.__exit__(*exit))
            assert type(self.raised.value) is kind
            assert str(self.raised.value) == message
            return handled

    return Whole()


# --- The request


def test_effects_and_claim_are_one_transaction():
    client = scripted_aws.dynamodb()
    assert commits(client).commit(CLAIM, Effects(writes=[Put("ORDERS", {"order_id": "A-1"})]), lambda: 30)
    (request,) = client.requests("TransactWriteItems")
    claim, put = request["TransactItems"]
    owner = claim["Put"]["Item"]["owner"]["S"]
    assert len(owner) == 32
    assert claim == {
        "Put": {
            "TableName": "shop-claims",
            "Item": CLAIM.item(owner=owner, free_at=1500, done=True, expires_at=1500),
            "ConditionExpression": "attribute_not_exists(#claim) OR #free_at < :now",
            "ExpressionAttributeNames": {"#claim": "claim", "#free_at": "free_at"},
            "ExpressionAttributeValues": {":now": {"N": "1000"}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }
    assert put == {"Put": {"TableName": "shop-orders", "Item": {"order_id": {"S": "A-1"}}}}


def test_effects_without_a_write_still_claim_the_key():
    client = scripted_aws.dynamodb()
    assert commits(client).commit(CLAIM, Effects(), lambda: 30)
    assert len(client.requests("TransactWriteItems")[0]["TransactItems"]) == 1


def test_every_commit_has_an_owner_of_its_own_and_keeps_it_while_it_tries():
    client = scripted_aws.dynamodb()
    client.script("TransactWriteItems", cancelled(["TransactionConflict"]), {}, {})
    made = commits(client)
    made.commit(CLAIM, Effects(), lambda: 30)
    made.commit(CLAIM, Effects(), lambda: 30)
    owners = [
        request["TransactItems"][0]["Put"]["Item"]["owner"]["S"] for request in client.requests("TransactWriteItems")
    ]
    assert owners[0] == owners[1] != owners[2]


# --- The verdict


def test_a_completed_key_is_a_duplicate():
    assert commit(cancelled([holder(), "None", "None", "None", "None"])) is False


def test_a_claim_of_our_own_is_a_commit_whose_answer_was_lost():
    client = scripted_aws.dynamodb()

    def lost(request: dict[str, Any]) -> ClientError:
        owner = request["TransactItems"][0]["Put"]["Item"]["owner"]["S"]
        return cancelled([holder(owner=owner), "None"])

    client.script("TransactWriteItems", lost)
    assert commits(client).commit(CLAIM, Effects(writes=[Put("ORDERS", {"order_id": "A-1"})]), lambda: 30) is True


def test_another_payload_is_refused():
    with raises(IdempotencyKeyReused, "the idempotency key was used before, with another payload"):
        commit(cancelled([holder(payload="other"), "None", "None", "None", "None"]))


def test_a_lease_on_the_key_is_waited_for():
    with pytest.raises(RunningElsewhere) as raised:
        commit(cancelled([holder(done=False, free_at=1030), "None", "None", "None", "None"]))
    assert raised.value.until == 1030


@pytest.mark.parametrize(
    "others",
    [
        [CCF, CCF, CCF, CCF],
        ["TransactionConflict", "None", "None", "None"],
        ["None", "ThrottlingError", CCF, "None"],
        ["ValidationError", "None", "None", "None"],
        ["ProvisionedThroughputExceeded"] * 4,
    ],
)
def test_our_claim_decides_over_every_other_reason(others: list[str]):
    """When the key is taken, what the other conditions say describes the world after the effect."""
    assert commit(cancelled([holder(), *others])) is False


@pytest.mark.parametrize("reason", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
@pytest.mark.parametrize("position", [0, 1, 2, 3, 4])
def test_conflict_or_throttling_is_tried_again_whatever_a_condition_says(reason: str, position: int):
    """The item that is in conflict may be the one that a condition looked at."""
    reasons = [reason if at == position else "None" for at in range(5)]
    if position != 2:
        reasons[2] = CCF
    assert commit(cancelled(reasons), {}) is True


@pytest.mark.parametrize(
    ("reasons", "kind", "message"),
    [
        (["None", "None", CCF, "None", "None"], PermanentError, "out of stock"),
        (["None", "None", CCF, CCF, CCF], PermanentError, "out of stock"),
        (["None", "None", "None", CCF, CCF], TryLater, "soon"),
        (
            ["None", "None", "None", "None", CCF],
            ConditionNotMet,
            "write 4 (Delete CARTS) was refused: its condition does not hold",
        ),
        (["None", "ValidationError", CCF, "None", "None"], PermanentError, "out of stock"),
    ],
)
def test_a_refused_condition_raises_what_its_write_says(reasons: list[str], kind: type[Exception], message: str):
    with raises(kind, message):
        commit(cancelled(reasons))


def test_a_write_that_dynamodb_can_never_take_is_refused_for_good():
    reason = {"Code": "ValidationError", "Message": "Item size has exceeded the maximum allowed size"}
    with raises(
        UncommittableEffects,
        "DynamoDB refused write 2: ValidationError: Item size has exceeded the maximum allowed size",
    ):
        commit(cancelled(["None", "None", reason, "None", "None"]))


def test_a_transaction_that_dynamodb_can_never_take_is_refused_for_good():
    with raises(UncommittableEffects, "DynamoDB refused the transaction: multiple operations on one item"):
        commit(error("TransactWriteItems", "ValidationException", "multiple operations on one item"))


@pytest.mark.parametrize(
    "failure",
    [
        error("TransactWriteItems", "AccessDeniedException", "no"),
        error("TransactWriteItems", "ResourceNotFoundException", "no"),
        error("TransactWriteItems", "InternalServerError", "no"),
        ConnectTimeoutError(endpoint_url="https://dynamodb.invalid"),
    ],
)
def test_what_the_network_or_aws_did_is_passed_on_as_it_is(failure: Exception):
    with pytest.raises(type(failure)) as raised:
        commit(failure)
    assert raised.value is failure


@pytest.mark.parametrize(
    "code",
    [
        "TransactionInProgressException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
    ],
)
def test_a_throttled_request_is_tried_again(code: str):
    assert commit(error("TransactWriteItems", code), {}) is True


def test_a_cancellation_without_reasons_is_tried_again():
    assert commit(cancelled([]), {}) is True


# --- Time


@pytest.mark.parametrize("remaining", [0.0, 0.01, 1.0, 7.0, 30.0])
@pytest.mark.parametrize("seed", range(5))
def test_trying_again_ends_within_the_time_there_is(remaining: float, seed: int):
    time = Time(remaining, request_seconds=0.02)
    client = scripted_aws.dynamodb()
    client.always("TransactWriteItems", time.spend)
    with raises(Contended, "items stayed contended for as long as there was time to try"):
        commits(client, time, seed).commit(CLAIM, EFFECTS, time.remaining)
    assert time.left >= -time.request_seconds
    assert len(client.calls) >= 1
    if remaining == 30.0:
        assert len(client.calls) > 15, "gave up too early"
        assert max(time.sleeps) <= 2.0


def test_the_first_try_needs_no_time():
    assert commit({}, time=Time(remaining=-1)) is True


# --- Limits


def puts(count: int, **item: Any) -> Effects:
    return Effects(writes=[Put("ORDERS", {"order_id": str(number), **item}) for number in range(count)])


def test_99_writes_and_the_claim_fit_into_a_transaction():
    assert commit({}, effects=puts(99)) is True


@pytest.mark.parametrize(
    ("effects", "message"),
    [
        (lambda: puts(100), "effects hold at most 99 writes (DynamoDB's limit), got 100"),
        (lambda: puts(12, x="y" * 350_000), "effects hold at most 4 MB (DynamoDB's limit), got about 4,200,122 bytes"),
        (lambda: puts(12, x="é" * 175_000), "effects hold at most 4 MB (DynamoDB's limit), got about 4,200,122 bytes"),
        (lambda: puts(12, x=b"y" * 350_000), "effects hold at most 4 MB (DynamoDB's limit), got about 4,200,122 bytes"),
        (
            lambda: Effects(writes=[Delete("CUSTOMERS", {"id": 1})]),
            "a Delete names the table 'CUSTOMERS', which the handler does not have (it has: CARTS, ORDERS, STOCK):"
            " add it to Handler(tables=...)",
        ),
        (lambda: puts(1, x=object()), "DynamoDB has no type for a object"),
        (lambda: puts(1, x={1: 2}), "a map in DynamoDB has text for keys, got a key of type int"),
        (lambda: puts(1, x="\ud800"), "text for DynamoDB must be valid Unicode, got a lone surrogate"),
    ],
)
def test_effects_that_can_never_be_committed_are_refused_without_a_request(
    effects: Callable[[], Effects], message: str
):
    with raises(UncommittableEffects, message):
        commit(effects=effects())


def test_a_handler_without_tables_is_told_so():
    none = Commits(
        dynamodb=scripted_aws.dynamodb(),
        table_name="c",
        retention_seconds=1,
        tables={},
        clock=lambda: 1,
        sleep=lambda _: None,
        random=random.Random(1),
    )
    with raises(
        UncommittableEffects,
        "a Put names the table 'ORDERS', which the handler does not have (it has: none): add it to Handler(tables=...)",
    ):
        none.commit(CLAIM, puts(1), lambda: 30)
