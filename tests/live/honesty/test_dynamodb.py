"""DynamoDB's conditions and transactions: claims and effects rest on these."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

OLD = "ReturnValuesOnConditionCheckFailure"


def item(id: str, **attributes: int | str) -> dict[str, Any]:
    values = {name: {"N" if isinstance(value, int) else "S": str(value)} for name, value in attributes.items()}
    return {"id": {"S": id}, **values}


@pytest.fixture
def dynamodb(cloud):
    return cloud.client("dynamodb")


@pytest.fixture
def stored(dynamodb, table):
    def read() -> dict[str, dict[str, Any]]:
        items = dynamodb.scan(TableName=table, ConsistentRead=True)["Items"]
        return {one["id"]["S"]: one for one in items}

    return read


@pytest.fixture
def put(table):
    def action(new: dict[str, Any], condition: str = "attribute_not_exists(id)") -> dict[str, Any]:
        return {"Put": {"TableName": table, "Item": new, "ConditionExpression": condition, OLD: "ALL_OLD"}}

    return action


def refused(dynamodb, actions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    with pytest.raises(dynamodb.exceptions.TransactionCanceledException) as caught:
        dynamodb.transact_write_items(TransactItems=actions)
    return caught.value.response["CancellationReasons"]


def test_a_refused_transaction_tells_a_reason_for_each_action_and_writes_nothing(dynamodb, table, put, stored) -> None:
    held = item("held", owner="me")
    dynamodb.put_item(TableName=table, Item=held)
    reasons = refused(dynamodb, [put(item("a")), put(item("held")), put(item("b"))])
    assert [reason["Code"] for reason in reasons] == ["None", "ConditionalCheckFailed", "None"]
    assert reasons[1]["Item"] == held
    assert stored() == {"held": held}


def test_a_refused_transaction_without_an_item_returns_none(dynamodb, put) -> None:
    (reason,) = refused(dynamodb, [put(item("a"), "attribute_exists(id)")])
    assert reason["Code"] == "ConditionalCheckFailed"
    assert "Item" not in reason


def test_a_transaction_writes_checks_updates_and_deletes_together(dynamodb, table, put, stored) -> None:
    for one in (item("stock", on_hand=5), item("gone"), item("open")):
        dynamodb.put_item(TableName=table, Item=one)
    update = {
        "TableName": table,
        "Key": item("stock"),
        "UpdateExpression": "ADD on_hand :n",
        "ConditionExpression": "on_hand >= :least",
        "ExpressionAttributeValues": {":n": {"N": "-3"}, ":least": {"N": "3"}},
    }
    delete = {"TableName": table, "Key": item("gone")}
    check = {"TableName": table, "Key": item("open"), "ConditionExpression": "attribute_exists(id)"}
    actions = [put(item("order")), {"Update": update}, {"Delete": delete}, {"ConditionCheck": check}]
    dynamodb.transact_write_items(TransactItems=actions)
    assert stored() == {"order": item("order"), "stock": item("stock", on_hand=2), "open": item("open")}
    assert [reason["Code"] for reason in refused(dynamodb, [{"Update": update}])] == ["ConditionalCheckFailed"]


def test_a_claim_that_is_free_again_can_be_taken_in_a_transaction(dynamodb, table, stored) -> None:
    def claim(now: int) -> dict[str, Any]:
        condition = "attribute_not_exists(id) OR free_at < :now"
        values = {":now": {"N": str(now)}}
        new = {"TableName": table, "Item": item("claim", free_at=now + 10), OLD: "ALL_OLD"}
        return {"Put": new | {"ConditionExpression": condition, "ExpressionAttributeValues": values}}

    dynamodb.transact_write_items(TransactItems=[claim(100)])
    (reason,) = refused(dynamodb, [claim(110)])
    assert reason["Item"] == item("claim", free_at=110)
    dynamodb.transact_write_items(TransactItems=[claim(111)])
    assert stored() == {"claim": item("claim", free_at=121)}


def test_the_same_request_token_writes_once(dynamodb, table, stored) -> None:
    update = {
        "TableName": table,
        "Key": item("stock"),
        "UpdateExpression": "ADD on_hand :n",
        "ExpressionAttributeValues": {":n": {"N": "1"}},
    }
    for _ in range(2):
        dynamodb.transact_write_items(TransactItems=[{"Update": update}], ClientRequestToken="token-1")
    assert stored()["stock"]["on_hand"] == {"N": "1"}


def test_two_actions_on_one_item_are_refused(dynamodb, put) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        dynamodb.transact_write_items(TransactItems=[put(item("a")), put(item("a"))])


def test_more_than_a_hundred_actions_are_refused(dynamodb, put, stored) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        dynamodb.transact_write_items(TransactItems=[put(item(f"i{n}")) for n in range(101)])
    dynamodb.transact_write_items(TransactItems=[put(item(f"i{n}")) for n in range(100)])
    assert len(stored()) == 100


def test_items_above_400_kib_are_refused(dynamodb, table) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        dynamodb.put_item(TableName=table, Item=item("big", text="x" * 410_000))


def test_add_counts_and_returns_the_count(dynamodb, table) -> None:
    def count() -> str:
        answer = dynamodb.update_item(
            TableName=table,
            Key=item("claim"),
            UpdateExpression="ADD attempts :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
            ReturnValues="UPDATED_NEW",
        )
        return answer["Attributes"]["attempts"]["N"]

    assert [count(), count(), count()] == ["1", "2", "3"]


def test_numbers_keep_thirty_eight_digits(dynamodb, table, stored) -> None:
    digits = "1234567890.1234567890123456789012345678"
    dynamodb.put_item(TableName=table, Item={"id": {"S": "a"}, "n": {"N": digits}})
    assert stored()["a"]["n"]["N"] == digits


def test_a_missing_attribute_differs_from_every_value(dynamodb, table) -> None:
    dynamodb.put_item(TableName=table, Item=item("a"))
    values = {":x": {"S": "x"}}
    dynamodb.put_item(
        TableName=table, Item=item("a"), ConditionExpression="absent <> :x", ExpressionAttributeValues=values
    )
    with pytest.raises(dynamodb.exceptions.ConditionalCheckFailedException):
        dynamodb.put_item(
            TableName=table, Item=item("a"), ConditionExpression="absent < :x", ExpressionAttributeValues=values
        )


def test_transactions_above_4_mb_are_refused(dynamodb, put) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        dynamodb.transact_write_items(TransactItems=[put(item(f"i{n}", text="x" * 390_000)) for n in range(12)])


def test_a_refused_update_shows_the_item_that_was_in_the_way_and_changes_nothing(dynamodb, table, stored) -> None:
    dynamodb.put_item(TableName=table, Item=item("breaker", state="open", epoch=3))
    with pytest.raises(dynamodb.exceptions.ConditionalCheckFailedException) as caught:
        dynamodb.update_item(
            TableName=table,
            Key=item("breaker"),
            UpdateExpression="SET epoch = :next",
            ConditionExpression="epoch = :seen",
            ExpressionAttributeValues={":next": {"N": "3"}, ":seen": {"N": "2"}},
            **{OLD: "ALL_OLD"},
        )
    assert caught.value.response["Item"] == stored()["breaker"] == item("breaker", state="open", epoch=3)


def test_of_twenty_conditional_updates_at_once_one_succeeds(dynamodb, table) -> None:
    dynamodb.put_item(TableName=table, Item=item("breaker"))

    def claims(prober: int) -> bool:
        values = {":prober": {"N": str(prober)}}
        asked = {"UpdateExpression": "SET prober = :prober", "ConditionExpression": "attribute_not_exists(prober)"}
        try:
            dynamodb.update_item(TableName=table, Key=item("breaker"), ExpressionAttributeValues=values, **asked)
        except dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    with ThreadPoolExecutor(20) as threads:
        assert sum(threads.map(claims, range(20))) == 1


@pytest.mark.xfail(
    strict=True, raises=pytest.fail.Exception, reason="the emulator takes a write without its table's key"
)
def test_a_transaction_without_the_table_s_key_is_refused(dynamodb, put) -> None:
    with pytest.raises(ClientError) as caught:
        dynamodb.transact_write_items(TransactItems=[put({"other": {"S": "x"}})])
    reasons = caught.value.response.get("CancellationReasons", [{}])
    assert "ValidationException" in str(caught.value) or reasons[0].get("Code") == "ValidationError"


@pytest.mark.parametrize("key", ["", "x" * 2049])
def test_a_key_that_no_item_can_have_is_refused(dynamodb, table, key: str) -> None:
    with pytest.raises(ClientError, match="ValidationException"):
        dynamodb.get_item(TableName=table, Key={"id": {"S": key}})
