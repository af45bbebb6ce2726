"""A table's stream: the ledger of a test is read by it, in the order in which things happened."""

from typing import Any

import pytest

from tests.live.saga_matrix_ledger import Changes


@pytest.fixture
def dynamodb(cloud):
    return cloud.client("dynamodb")


@pytest.fixture
def ledger(dynamodb, leftovers, fresh_name) -> str:
    keys = {"execution": "HASH", "entry": "RANGE"}
    dynamodb.create_table(
        TableName=fresh_name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    leftovers.callback(dynamodb.delete_table, TableName=fresh_name)
    return fresh_name


def added(ledger: str, entry: str, net: int) -> dict[str, Any]:
    return {
        "TableName": ledger,
        "Key": {"execution": {"S": "a"}, "entry": {"S": entry}},
        "UpdateExpression": "ADD net :net",
        "ExpressionAttributeValues": {":net": {"N": str(net)}},
    }


def test_a_stream_tells_each_change_once_in_order_with_what_was_there_before(cloud, dynamodb, ledger) -> None:
    changes = Changes(cloud, ledger)
    for entry, net in (("b", 1), ("a", 1), ("b", -1)):
        dynamodb.transact_write_items(TransactItems=[{"Update": added(ledger, entry, net)}])
    dynamodb.update_item(**added(ledger, "a", 1))

    def net(image: Any) -> int:
        return int(image["net"]["N"]) if image else 0

    told = [(change.entry, net(change.before), net(change.after)) for change in changes.read()]
    assert told == [("b", 0, 1), ("a", 0, 1), ("b", 1, 0), ("a", 1, 2)]
    assert changes.read() == []
