"""Faults on the wire do what they say, and a fault that did nothing fails its test."""

import time
from collections.abc import Callable

import pytest

from serverless_patterns.testing import CloudError, Fault, FaultNotFired

WRITER = """
    import boto3, os
    from botocore.config import Config

    once = Config(retries={"total_max_attempts": int(os.environ["ATTEMPTS"])})
    dynamodb = boto3.client("dynamodb", config=once)

    def handler(event, context):
        try:
            dynamodb.put_item(TableName=os.environ["TABLE"], Item={"id": {"S": event["id"]}})
        except Exception as error:
            return type(error).__name__
"""


@pytest.fixture
def writer(function, table):
    return lambda attempts=1: function(WRITER, environment={"TABLE": table, "ATTEMPTS": str(attempts)})


@pytest.fixture
def stored(cloud, table):
    return lambda: {item["id"]["S"] for item in cloud.client("dynamodb").scan(TableName=table)["Items"]}


def test_a_lost_answer_is_an_error_to_the_function_and_the_write_is_there(cloud, writer, stored) -> None:
    with cloud.faults.inject(Fault.lost_answer("dynamodb", "PutItem", times=1)):
        assert writer().invoke(id="a") == "ConnectionClosedError"
    assert stored() == {"a"}


def test_a_refused_call_is_an_error_to_the_function_and_nothing_is_written(cloud, writer, stored) -> None:
    with cloud.faults.inject(Fault.refused("dynamodb", "PutItem", times=1)):
        assert writer().invoke(id="a") in ("ConnectionClosedError", "ConnectionError")
    assert stored() == set()


def test_a_throttled_call_gets_the_services_own_exception_and_nothing_is_written(cloud, writer, stored) -> None:
    with cloud.faults.inject(Fault.throttled("dynamodb", "PutItem", times=1)):
        assert writer().invoke(id="a") == "ProvisionedThroughputExceededException"
    assert stored() == set()


def test_an_error_carries_its_members(cloud, function, table) -> None:
    transaction = function(
        """
        import boto3, os
        from botocore.config import Config

        dynamodb = boto3.client("dynamodb", config=Config(retries={"total_max_attempts": 1}))

        def handler(event, context):
            put = {"TableName": os.environ["TABLE"], "Item": {"id": {"S": "a"}}}
            try:
                dynamodb.transact_write_items(TransactItems=[{"Put": put}])
            except dynamodb.exceptions.TransactionCanceledException as error:
                return [reason["Code"] for reason in error.response["CancellationReasons"]]
        """,
        environment={"TABLE": table},
    )
    conflict = {"CancellationReasons": [{"Code": "TransactionConflict", "Message": "busy"}]}
    fault = Fault.error("dynamodb", "TransactWriteItems", "TransactionCanceledException", members=conflict, times=1)
    with cloud.faults.inject(fault):
        assert transaction.invoke() == ["TransactionConflict"]


def test_a_slow_call_takes_its_time_and_then_effect(cloud, writer, stored) -> None:
    slow = writer()
    slow.invoke(id="warm")
    with cloud.faults.inject(Fault.slow("dynamodb", "PutItem", seconds=0.5)):
        started = time.monotonic()
        assert slow.invoke(id="a") is None
        assert time.monotonic() - started >= 0.5
    assert stored() == {"warm", "a"}


def test_the_sdk_absorbs_fewer_faults_than_it_makes_attempts(cloud, writer, stored) -> None:
    with cloud.faults.inject(Fault.throttled("dynamodb", "PutItem", times=2)) as injection:
        assert writer(attempts=3).invoke(id="a") is None
        assert injection.fired() == 2
    assert stored() == {"a"}


def test_a_fault_that_met_no_call_fails_the_test(cloud, writer) -> None:
    with (
        pytest.raises(FaultNotFired, match=r"PutItem.*met 1 of 2 calls"),
        cloud.faults.inject(Fault.throttled("dynamodb", "PutItem", times=2)),
    ):
        writer().invoke(id="a")


def test_a_fault_that_met_no_call_says_which_calls_were_seen(cloud, writer) -> None:
    def message(do: Callable[[], object]) -> str:
        with pytest.raises(FaultNotFired) as raised, cloud.faults.inject(fault):
            do()
        return str(raised.value)

    target = writer()
    fault = Fault.throttled("sqs", "SendMessage")
    missed = f"injected, but the function made too few such calls:\n{fault}: met 0 of at least 1 calls\n"
    seen = "calls that the proxy has seen since then, of any operation: dynamodb 1"
    assert message(lambda: target.invoke(id="a")) == missed + seen
    nothing = "since then the proxy has seen no call at all: does the function run?"
    assert message(lambda: None) == missed + nothing


def test_a_fault_meets_only_the_calls_it_names(cloud, writer) -> None:
    elsewhere = Fault.throttled("dynamodb", "PutItem", resource="another-table")
    by_content = Fault.throttled("dynamodb", "PutItem", body="Item.id.S == 'b'", times=1)
    injection = cloud.faults.install(elsewhere, by_content)
    try:
        target = writer()
        assert target.invoke(id="a") is None
        assert target.invoke(id="b") == "ProvisionedThroughputExceededException"
    finally:
        injection.clear()
    assert (injection.fired(elsewhere), injection.fired(by_content)) == (0, 1)


def test_faults_follow_each_other_and_end_with_their_block(cloud, writer, stored) -> None:
    target = writer()
    outer = Fault.refused("dynamodb", "PutItem", times=1)
    with cloud.faults.inject(outer):
        with cloud.faults.inject(Fault.throttled("dynamodb", "PutItem", times=1)) as inner:
            target.invoke(id="a")
            assert inner.fired() == 0, "the first that fits is met first"
            assert target.invoke(id="b") == "ProvisionedThroughputExceededException"
        assert target.invoke(id="c") is None
    assert target.invoke(id="d") is None
    assert stored() == {"c", "d"}


def test_a_fault_that_cannot_be_understood_is_refused(cloud) -> None:
    with (
        pytest.raises(CloudError, match=r"answers \d+ to PATCH"),
        cloud.faults.inject(Fault.refused("sqs", "SendMessage", body="][")),
    ):
        pass
