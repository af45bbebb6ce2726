"""What a projector and a rebuild rely on: records of a stream, how they are delivered, and how a table is read."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from serverless_patterns.testing import wait_until

PRINTS = """
    import json

    def handler(event, context):
        print(json.dumps({"records": event["Records"]}))
        return {"batchItemFailures": []}
"""
NAMES_THE_FIRST = """
    import json

    def handler(event, context):
        first = event["Records"][0]["dynamodb"]["SequenceNumber"]
        print(json.dumps({"first": first}))
        return {"batchItemFailures": [{"itemIdentifier": first}]}
"""
RAISES = """
    import json

    def handler(event, context):
        print(json.dumps({"records": len(event["Records"])}))
        raise ValueError("poison")
"""
WAIT_SECONDS = 20


@pytest.fixture
def dynamodb(cloud):
    return cloud.client("dynamodb")


@pytest.fixture
def watched(dynamodb, leftovers, fresh_name) -> str:
    """A table with the key `id` and a stream."""
    name = f"{fresh_name}-watched"
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    leftovers.callback(dynamodb.delete_table, TableName=name)
    return name


@pytest.fixture
def follow(cloud, dynamodb, watched, leftovers, function) -> Callable[..., Any]:
    """A function that reads the table's stream."""
    client = cloud.client("lambda")

    def make(source: str, **settings: Any) -> Any:
        reader = function(source)
        mapping = client.create_event_source_mapping(
            EventSourceArn=dynamodb.describe_table(TableName=watched)["Table"]["LatestStreamArn"],
            FunctionName=reader.name,
            StartingPosition="TRIM_HORIZON",
            FunctionResponseTypes=["ReportBatchItemFailures"],
            **settings,
        )
        leftovers.callback(client.delete_event_source_mapping, UUID=mapping["UUID"])
        return reader

    return make


def put(dynamodb, table: str, id: str, n: int) -> None:
    dynamodb.put_item(TableName=table, Item={"id": {"S": id}, "n": {"N": str(n)}})


def delivered(reader) -> list[dict[str, Any]]:
    return [record for said in reader.records() for record in said["records"]]


@pytest.fixture
def told(dynamodb, watched, follow) -> list[dict[str, Any]]:
    """Of an item that is made, changed, written unchanged, and deleted."""
    reader = follow(PRINTS)
    for n in (1, 2, 2):
        put(dynamodb, watched, "a", n)
    dynamodb.delete_item(TableName=watched, Key={"id": {"S": "a"}})
    wait_until(lambda: len(delivered(reader)) >= 3, WAIT_SECONDS, "the records")
    return delivered(reader)


def test_a_record_has_both_images_its_key_and_a_number_in_order_and_none_is_of_a_write_that_changes_nothing(
    told,
) -> None:
    images = [(each["eventName"], image(each, "OldImage"), image(each, "NewImage")) for each in told]
    assert images == [("INSERT", None, "1"), ("MODIFY", "1", "2"), ("REMOVE", "2", None)]
    assert all(each["dynamodb"]["Keys"] == {"id": {"S": "a"}} for each in told)
    numbers = [int(each["dynamodb"]["SequenceNumber"]) for each in told]
    assert numbers == sorted(set(numbers))
    assert len({each["eventID"] for each in told}) == 3


def image(record: dict[str, Any], name: str) -> str | None:
    return record["dynamodb"][name]["n"]["N"] if name in record["dynamodb"] else None


def test_a_record_says_when_it_was_made_in_epoch_seconds(told) -> None:
    created = [each["dynamodb"]["ApproximateCreationDateTime"] for each in told]
    assert created == sorted(created)
    assert all(isinstance(at, int | float) and 1_500_000_000 < at < 5_000_000_000 for at in created)


def test_what_a_user_deletes_is_no_deletion_by_time_to_live(told) -> None:
    assert "userIdentity" not in told[-1]


@pytest.mark.xfail(
    strict=True, raises=AssertionError, reason="the emulator goes on behind a batch, whatever the answer names"
)
def test_what_an_answer_names_is_delivered_again(dynamodb, watched, follow) -> None:
    reader = follow(NAMES_THE_FIRST)
    put(dynamodb, watched, "a", 1)
    wait_until(reader.records, WAIT_SECONDS, "the record")
    (first, *_) = (said["first"] for said in reader.records())
    put(dynamodb, watched, "b", 1)
    wait_until(lambda: len(reader.records()) >= 2, WAIT_SECONDS, "another delivery")
    assert reader.records()[1]["first"] == first


@pytest.mark.xfail(
    strict=True, raises=AssertionError, reason="the emulator knows neither retries nor bisection of a batch"
)
def test_a_batch_that_is_never_answered_is_tried_so_often_and_no_more(dynamodb, watched, follow, steadily) -> None:
    reader = follow(RAISES, MaximumRetryAttempts=1)
    put(dynamodb, watched, "a", 1)
    wait_until(lambda: len(reader.records()) >= 2, WAIT_SECONDS, "two tries")
    steadily(lambda: len(reader.records()) == 2, 15)  # today the third one comes after two seconds


def test_segments_of_a_scan_are_the_whole_table_and_no_item_is_in_two(dynamodb, table) -> None:
    """Page by page, each from where the one before ended."""
    for n in range(30):
        put(dynamodb, table, f"i-{n}", n)
    found: list[str] = []
    parts = []
    for segment in range(4):
        more: dict[str, Any] = {}
        before = len(found)
        while True:
            page = dynamodb.scan(
                TableName=table, Segment=segment, TotalSegments=4, ConsistentRead=True, Limit=3, **more
            )
            found += [item["id"]["S"] for item in page["Items"]]
            if "LastEvaluatedKey" not in page:
                break
            more = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
        parts.append(len(found) - before)
    assert sorted(found) == sorted(f"i-{n}" for n in range(30))
    assert all(parts)


def test_a_batch_of_reads_is_of_two_tables_at_once_and_leaves_out_what_is_not_there(dynamodb, table, watched) -> None:
    put(dynamodb, table, "a", 1)
    put(dynamodb, watched, "b", 2)
    wanted = {name: {"Keys": [{"id": {"S": id}} for id in "ab"], "ConsistentRead": True} for name in (table, watched)}
    answer = dynamodb.batch_get_item(RequestItems=wanted)
    found = {name: [item["id"]["S"] for item in items] for name, items in answer["Responses"].items()}
    assert (found, answer["UnprocessedKeys"]) == ({table: ["a"], watched: ["b"]}, {})


def test_a_refused_transaction_shows_the_item_of_each_condition_that_failed(dynamodb, table) -> None:
    put(dynamodb, table, "a", 1)

    def write(id: str, condition: str) -> dict[str, Any]:
        item = {"id": {"S": id}, "n": {"N": "9"}}
        shown = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        return {"Put": {"TableName": table, "Item": item, "ConditionExpression": condition, **shown}}

    writes = [write("b", "attribute_not_exists(id)"), write("a", "attribute_not_exists(id)")]
    with pytest.raises(ClientError) as refused:
        dynamodb.transact_write_items(TransactItems=writes)
    reasons: Any = refused.value.response["CancellationReasons"]  # pyright: ignore[reportTypedDictNotRequiredAccess]
    assert [reason["Code"] for reason in reasons] == ["None", "ConditionalCheckFailed"]
    assert reasons[1]["Item"] == {"id": {"S": "a"}, "n": {"N": "1"}}
    assert "Item" not in dynamodb.get_item(TableName=table, Key={"id": {"S": "b"}})


@pytest.mark.parametrize("mode", [{"Mode": "INLINE"}, {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}])
def test_a_map_runs_each_of_its_items_in_a_loop_until_it_is_done(function, state_machine, mode) -> None:
    """As segments of a rebuild: what a task answers decides whether it is called again."""
    counter = function("""
        import os
        import tempfile

        def handler(event, context):
            place = f"{tempfile.gettempdir()}/{event['execution']}-{event['number']}"
            with open(place, "a") as file:
                file.write("x")
            return {"done": os.path.getsize(place) >= 2 + event["number"], "times": os.path.getsize(place)}
    """)
    parameters = {"number.$": "$.number", "execution.$": "$.execution"}
    loop = {
        "Work": {
            "Type": "Task",
            "Resource": counter.arn,
            "Parameters": parameters,
            "ResultPath": "$.told",
            "Next": "Told",
        },
        "Told": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.told.done", "BooleanEquals": True, "Next": "Over"}],
            "Default": "Work",
        },
        "Over": {"Type": "Pass", "OutputPath": "$.told.times", "End": True},
    }
    everything = {
        "Type": "Map",
        "ItemsPath": "$.numbers",
        "ItemSelector": {"number.$": "$$.Map.Item.Value", "execution.$": "$$.Execution.Name"},
        "ItemProcessor": {"ProcessorConfig": mode, "StartAt": "Work", "States": loop},
        "End": True,
    }
    execution = state_machine({"Map": everything}).start({"numbers": [0, 1, 2]})
    assert execution.output() == [2, 3, 4]
