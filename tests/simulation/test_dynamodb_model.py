"""The DynamoDB model against AWS's documented semantics."""

import random
from typing import Any

import pytest

from .aws_errors import ServiceError
from .dynamodb_model import LATEST_DELETION_SECONDS, DynamoDB, Table


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def db(clock: Clock) -> DynamoDB:
    return DynamoDB({"t": Table({"k": "S"}, time_to_live="ttl"), "u": Table({"k": "S", "n": "N"})}, clock)


def item(key: str, **numbers: int) -> dict[str, Any]:
    return {"k": {"S": key}} | {name: {"N": str(number)} for name, number in numbers.items()}


def stored(db: DynamoDB, key: str) -> dict[str, Any] | None:
    return db.get_item(TableName="t", Key={"k": {"S": key}}).get("Item")


def refused(code: str) -> Any:
    return pytest.raises(ServiceError, check=lambda error: error.code == code)


def holds(
    db: DynamoDB, condition: str, values: dict[str, Any] | None = None, names: dict[str, str] | None = None
) -> bool:
    request: dict[str, Any] = {"TableName": "t", "Key": {"k": {"S": "a"}}, "ConditionExpression": condition}
    if values:
        request["ExpressionAttributeValues"] = values
    if names:
        request["ExpressionAttributeNames"] = names
    try:
        db.transact_write_items(TransactItems=[{"ConditionCheck": request}])
    except ServiceError as error:
        if error.code != "TransactionCanceledException":
            raise
        return False
    return True


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("attribute_exists(k) AND attribute_not_exists(zz)", True),
        ("num = :five", True),
        ("num <> :five OR num > :five", False),
        ("absent <> :five", True),
        ("absent < :five", False),
        ("NOT absent < :five", True),
        ("num BETWEEN :five AND :five", True),
        ("num IN (:word, :five)", True),
        ("size(word) = :five", True),
        ("begins_with(word, :word) AND contains(tags, :word)", True),
        ("num < :word", False),
        ("a_map.leaf = :five AND a_list[1] = :five", True),
        ("(num < :five OR num > :five) AND num = :five", False),
        ("num < :five OR num = :five AND word = :word", True),
    ],
)
def test_a_condition_holds_as_documented(db: DynamoDB, condition: str, expected: bool) -> None:
    five, word = {"N": "5"}, {"S": "hello"}
    db.put_item(
        TableName="t",
        Item=item("a", num=5)
        | {
            "word": word,
            "tags": {"SS": ["x", "hello"]},
            "a_map": {"M": {"leaf": five}},
            "a_list": {"L": [word, five]},
        },
    )
    used = {":five": five, ":word": word}
    values = {name: value for name, value in used.items() if name in condition}
    assert holds(db, condition, values) is expected


@pytest.mark.parametrize(
    "condition",
    ["owner = :v", "num =", "num = :v extra", "= :v", "size(num", "attribute_exists(:v)", "num = :undefined"],
)
def test_a_malformed_condition_is_a_validation_exception(db: DynamoDB, condition: str) -> None:
    db.put_item(TableName="t", Item=item("a", num=5))
    with refused("ValidationException"):
        db.update_item(
            TableName="t",
            Key={"k": {"S": "a"}},
            UpdateExpression="SET num = :v",
            ConditionExpression=condition,
            ExpressionAttributeValues={":v": {"N": "1"}},
        )


def test_an_unused_placeholder_is_a_validation_exception(db: DynamoDB) -> None:
    with refused("ValidationException"):
        holds(db, "attribute_exists(k)", {":v": {"N": "1"}})


@pytest.mark.parametrize(
    ("update", "values", "expected"),
    [
        ("SET num = num + :v, twin = num", {":v": {"N": "2"}}, item("a", num=7, twin=5)),
        ("SET num = if_not_exists(absent, :v)", {":v": {"N": "2"}}, item("a", num=2)),
        ("ADD num :v, fresh :v", {":v": {"N": "-2"}}, item("a", num=3, fresh=-2)),
        ("REMOVE num SET twin = :v", {":v": {"N": "1.50"}}, item("a") | {"twin": {"N": "1.5"}}),
        ("ADD tags :v", {":v": {"SS": ["x"]}}, item("a", num=5) | {"tags": {"SS": ["x"]}}),
        (
            "SET a_list = list_append(if_not_exists(a_list, :v), :v)",
            {":v": {"L": [{"S": "x"}]}},
            item("a", num=5) | {"a_list": {"L": [{"S": "x"}, {"S": "x"}]}},
        ),
    ],
)
def test_an_update_changes_the_item_as_documented(
    db: DynamoDB, update: str, values: dict[str, Any], expected: dict[str, Any]
) -> None:
    db.put_item(TableName="t", Item=item("a", num=5))
    db.update_item(TableName="t", Key={"k": {"S": "a"}}, UpdateExpression=update, ExpressionAttributeValues=values)
    assert stored(db, "a") == expected


@pytest.mark.parametrize(
    "update",
    [
        "SET k = :v",
        "SET num = :v, num = :v",
        "SET absent.leaf = :v",
        "SET num = absent + :v",
        "SET a = :v SET b = :v",
    ],
)
def test_an_impossible_update_is_a_validation_exception(db: DynamoDB, update: str) -> None:
    db.put_item(TableName="t", Item=item("a", num=5))
    with refused("ValidationException"):
        db.update_item(
            TableName="t",
            Key={"k": {"S": "a"}},
            UpdateExpression=update,
            ExpressionAttributeValues={":v": {"N": "1"}},
        )


def test_a_refused_condition_returns_the_old_item_only_on_request(db: DynamoDB) -> None:
    db.put_item(TableName="t", Item=item("a", num=5))
    request = {"TableName": "t", "Item": item("a"), "ConditionExpression": "attribute_not_exists(k)"}
    with pytest.raises(ServiceError) as without:
        db.put_item(**request)
    with pytest.raises(ServiceError) as with_item:
        db.put_item(**request, ReturnValuesOnConditionCheckFailure="ALL_OLD")
    assert without.value.fields == {}
    assert with_item.value.fields == {"Item": item("a", num=5)}


def put(key: str, *, fresh: bool = True) -> dict[str, Any]:
    request: dict[str, Any] = {"TableName": "t", "Item": item(key)}
    if fresh:
        request |= {"ConditionExpression": "attribute_not_exists(k)", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    return {"Put": request}


def test_a_transaction_writes_all_or_nothing_and_says_why_in_order(db: DynamoDB) -> None:
    db.put_item(TableName="t", Item=item("b", num=1))
    with pytest.raises(ServiceError) as raised:
        db.transact_write_items(TransactItems=[put("a"), put("b"), put("c")])
    reasons = raised.value.fields["CancellationReasons"]
    assert [reason["Code"] for reason in reasons] == ["None", "ConditionalCheckFailed", "None"]
    assert reasons[1]["Item"] == item("b", num=1)
    assert stored(db, "a") is None
    db.transact_write_items(TransactItems=[put("a"), put("c")])
    assert stored(db, "a") == item("a")


def test_a_conflict_cancels_a_transaction_with_its_position(db: DynamoDB) -> None:
    with pytest.raises(ServiceError) as raised:
        db.transact_write_items(TransactItems=[put("a"), put("b")], conflict=[1])
    assert [reason["Code"] for reason in raised.value.fields["CancellationReasons"]] == ["None", "TransactionConflict"]


def test_the_same_token_repeats_a_success_for_ten_minutes(db: DynamoDB, clock: Clock) -> None:
    request = {"TransactItems": [put("a")], "ClientRequestToken": "token"}
    db.transact_write_items(**request)
    db.transact_write_items(**request)
    with refused("IdempotentParameterMismatchException"):
        db.transact_write_items(TransactItems=[put("b")], ClientRequestToken="token")
    clock.now += 601
    with refused("TransactionCanceledException"):
        db.transact_write_items(**request)


def test_transactions_have_documented_limits(db: DynamoDB) -> None:
    with refused("ValidationException"):
        db.transact_write_items(TransactItems=[put(str(number)) for number in range(101)])
    with refused("ValidationException"):
        db.transact_write_items(TransactItems=[put("a"), put("a")])
    large = [{"Put": {"TableName": "t", "Item": item(str(n)) | {"x": {"S": "x" * 390_000}}}} for n in range(11)]
    with refused("ValidationException"):
        db.transact_write_items(TransactItems=large)


def test_an_item_above_400_kilobytes_is_refused(db: DynamoDB) -> None:
    too_large = item("a") | {"x": {"S": "x" * 410_000}}
    with refused("ValidationException"):
        db.put_item(TableName="t", Item=too_large)
    with pytest.raises(ServiceError) as raised:
        db.transact_write_items(TransactItems=[{"Put": {"TableName": "t", "Item": too_large}}])
    assert raised.value.fields["CancellationReasons"][0]["Code"] == "ValidationError"


def execute(db: DynamoDB, text: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    statement = {"Statement": text, "Parameters": list(parameters), "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    (answer,) = db.batch_execute_statement(Statements=[statement])["Responses"]
    return answer


A, ONE, TWO = {"S": "a"}, {"N": "1"}, {"N": "2"}


def test_partiql_insert_refuses_a_second_item_of_the_same_key(db: DynamoDB) -> None:
    insert = "INSERT INTO \"t\" VALUE {'k': ?, 'num': ?}"
    assert "Error" not in execute(db, insert, A, ONE)
    assert execute(db, insert, A, TWO)["Error"]["Code"] == "DuplicateItem"
    assert stored(db, "a") == item("a", num=1)


def test_partiql_update_is_conditional_and_never_creates(db: DynamoDB) -> None:
    update = 'UPDATE "t" SET "num" = ? WHERE "k" = ? AND "num" < ?'
    absent = execute(db, update, TWO, A, TWO)
    assert absent["Error"]["Code"] == "ConditionalCheckFailed"
    assert "Item" not in absent["Error"]
    db.put_item(TableName="t", Item=item("a", num=1))
    assert "Error" not in execute(db, update, TWO, A, TWO)
    assert execute(db, update, TWO, A, TWO)["Error"]["Item"] == item("a", num=2)


def test_partiql_delete_of_nothing_succeeds_and_of_another_owner_fails(db: DynamoDB) -> None:
    delete = 'DELETE FROM "t" WHERE "k" = ? AND "num" = ?'
    assert "Error" not in execute(db, delete, A, ONE)
    db.put_item(TableName="t", Item=item("a", num=1))
    assert execute(db, delete, A, TWO)["Error"]["Code"] == "ConditionalCheckFailed"
    assert "Error" not in execute(db, delete, A, ONE)
    assert stored(db, "a") is None


@pytest.mark.parametrize(
    "text",
    [
        'UPDATE "t" SET "num" = ? WHERE "num" = ?',
        'UPDATE "t" SET "num" = ? WHERE "k" = ? OR "num" = ?',
        'UPDATE "t" SET "num" = ?',
        'UPDATE "t" SET owner = ? WHERE "k" = ?',
        'UPSERT "t"',
    ],
)
def test_a_statement_without_its_key_or_grammar_fails_alone(db: DynamoDB, text: str) -> None:
    assert execute(db, text, *[A] * text.count("?"))["Error"]["Code"] == "ValidationError"


def test_a_batch_refuses_more_than_25_statements_and_the_same_key_twice(db: DynamoDB) -> None:
    def insert(key: str) -> dict[str, Any]:
        return {"Statement": "INSERT INTO \"t\" VALUE {'k': ?}", "Parameters": [{"S": key}]}

    with refused("ValidationException"):
        db.batch_execute_statement(Statements=[insert(str(number)) for number in range(26)])
    with refused("ValidationException"):
        db.batch_execute_statement(Statements=[insert("a"), insert("a")])


def test_expired_items_stay_readable_and_are_gone_after_two_days(db: DynamoDB, clock: Clock) -> None:
    db.put_item(TableName="t", Item=item("a", ttl=int(clock.now) - 1))
    assert stored(db, "a") is not None
    clock.now += LATEST_DELETION_SECONDS
    db.delete_expired(random.Random(1))
    assert stored(db, "a") is None


# Query.


def asked(db: DynamoDB, **more: Any) -> tuple[list[str], dict[str, Any]]:
    answer = db.query(
        TableName="u",
        KeyConditionExpression="#k = :k",
        ExpressionAttributeNames={"#k": "k"},
        ExpressionAttributeValues={":k": {"S": "a"}},
        ConsistentRead=True,
        **more,
    )
    return [found["n"]["N"] for found in answer["Items"]], answer.get("LastEvaluatedKey", {})


@pytest.fixture
def sorted_items(db: DynamoDB) -> DynamoDB:
    for key, number in (("a", 3), ("a", 1), ("b", 2), ("a", 2)):
        db.put_item(TableName="u", Item=item(key, n=number))
    return db


def test_a_query_gives_the_items_of_one_partition_in_order(sorted_items: DynamoDB) -> None:
    assert asked(sorted_items) == (["1", "2", "3"], {})
    assert asked(sorted_items, ScanIndexForward=False) == (["3", "2", "1"], {})


@pytest.mark.parametrize("forward", [True, False])
def test_what_is_behind_a_page_is_asked_for_by_its_last_key(sorted_items: DynamoDB, forward: bool) -> None:
    sorted_items.page = 2
    page, last = asked(sorted_items, ScanIndexForward=forward)
    rest, end = asked(sorted_items, ScanIndexForward=forward, ExclusiveStartKey=last)
    assert (page + rest, end) == (["1", "2", "3"] if forward else ["3", "2", "1"], {})
    assert asked(sorted_items, Limit=1)[1] == item("a", n=1)


def test_a_query_names_the_key_of_the_table(db: DynamoDB) -> None:
    with refused("ValidationException"):
        db.query(
            TableName="u",
            KeyConditionExpression="#k = :k",
            ExpressionAttributeNames={"#k": "n"},
            ExpressionAttributeValues={":k": {"N": "1"}},
            ConsistentRead=True,
        )
