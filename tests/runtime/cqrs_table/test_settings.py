import sys
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from serverless_patterns_runtime.claims.claim import Contended
from serverless_patterns_runtime.cqrs_table.aggregate import Aggregate, Schema, UnknownSchema
from serverless_patterns_runtime.cqrs_table.settings import WriteModel

from ..scripted_aws import ScriptedClient, dynamodb, error


class Time:
    def __init__(self) -> None:
        self.left = 10.0

    def remaining(self) -> float:
        return self.left

    def sleep(self, seconds: float) -> None:
        self.left -= seconds


def model(client: ScriptedClient, time: Time | None = None, schema: Schema | None = None) -> WriteModel:
    return WriteModel(client, "shop-orders", "order_id", schema or Schema(1), (time or Time()).sleep)


def image(key: str, version: int = 7, **state: Any) -> dict[str, Any]:
    return {"order_id": {"S": key}, "_aggregate": {"M": {"version": {"N": str(version)}}}, **state}


def page(*images: dict[str, Any], left: list[str] | None = None) -> dict[str, Any]:
    unprocessed = {"shop-orders": {"Keys": [{"order_id": {"S": key}} for key in left]}} if left else {}
    return {"Responses": {"shop-orders": list(images)}, "UnprocessedKeys": unprocessed}


def test_each_key_is_there_with_its_aggregate_or_none() -> None:
    client = dynamodb()
    client.script("BatchGetItem", page(image("b", n={"N": "1.50"}), image("a", m={"N": "3.0"})))
    found = model(client).read_aggregates(["a", "b", "c", "a"], remaining=Time().remaining)
    assert [*found] == ["a", "b", "c"]
    assert found["a"] == Aggregate("a", 7, {"order_id": "a", "m": 3})
    assert found["c"] is None
    (asked,) = client.requests("BatchGetItem")
    assert asked["RequestItems"]["shop-orders"]["ConsistentRead"] is True
    assert len(asked["RequestItems"]["shop-orders"]["Keys"]) == 3


def test_no_key_asks_nothing() -> None:
    client = dynamodb()
    assert model(client).read_aggregates([], remaining=Time().remaining) == {}
    assert client.calls == []


def test_what_dynamodb_leaves_is_asked_for_again() -> None:
    client, time = dynamodb(), Time()
    client.script(
        "BatchGetItem",
        page(image("a"), left=["b"]),
        error("BatchGetItem", "ProvisionedThroughputExceededException"),
        page(image("b")),
    )
    found = model(client, time).read_images(["a", "b"], remaining=time.remaining)
    assert found == {"a": image("a"), "b": image("b")}
    assert time.left < 10
    assert len(client.requests("BatchGetItem")[1]["RequestItems"]["shop-orders"]["Keys"]) == 1


def test_a_hundred_keys_are_one_request() -> None:
    client = dynamodb()
    client.always("BatchGetItem", page())
    found = model(client).read_images(map(str, range(201)), remaining=Time().remaining)
    assert len(found) == 201
    assert [len(r["RequestItems"]["shop-orders"]["Keys"]) for r in client.requests("BatchGetItem")] == [100, 100, 1]


def test_time_runs_out() -> None:
    client, time = dynamodb(), Time()
    client.always("BatchGetItem", page(left=["a"]))
    with pytest.raises(Contended):
        model(client, time).read_images(["a"], remaining=time.remaining)
    assert time.left > 0


def test_another_error_is_raised() -> None:
    client = dynamodb()
    client.script("BatchGetItem", error("BatchGetItem", "AccessDeniedException"))
    with pytest.raises(ClientError):
        model(client).read_images(["a"], remaining=Time().remaining)


def test_a_read_may_be_one_that_is_not_consistent() -> None:
    client = dynamodb()
    client.always("BatchGetItem", page())
    model(client).read_images(["a"], remaining=Time().remaining, consistent=False)
    assert client.requests("BatchGetItem")[0]["RequestItems"]["shop-orders"]["ConsistentRead"] is False


def upcast(state: dict[str, Any], schema: int) -> dict[str, Any]:
    return state | {"seen": [*state.get("seen", []), schema]}


def test_an_older_state_is_read_through_every_upcast() -> None:
    client = dynamodb()
    client.always("BatchGetItem", page(image("a")))
    found = model(client, schema=Schema(3, upcast)).read_aggregates(["a"], remaining=Time().remaining)
    assert found["a"] == Aggregate("a", 7, {"order_id": "a", "seen": [1, 2]})


@pytest.mark.parametrize(("written", "schema"), [(2, Schema(1)), (1, Schema(2))], ids=["newer", "no upcast"])
def test_a_state_of_an_unknown_schema_is_not_read(written: int, schema: Schema) -> None:
    client = dynamodb()
    item = image("a")
    item["_aggregate"]["M"]["schema"] = {"N": str(written)}
    client.always("BatchGetItem", page(item))
    with pytest.raises(UnknownSchema):
        model(client, schema=schema).read_aggregates(["a"], remaining=Time().remaining)
    assert model(client, schema=schema).read_images(["a"], remaining=Time().remaining) == {"a": item}


@pytest.mark.parametrize("named", ["", "orders_of_a_test:upcast"])
def test_the_environment_says_all_of_it(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("orders_of_a_test")
    module.upcast = upcast  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "orders_of_a_test", module)
    said = {"AGGREGATES_TABLE_NAME": "t", "AGGREGATE_KEY": "k", "SCHEMA_VERSION": "4", "UPCAST": named}
    for name, value in {**said, "AWS_DEFAULT_REGION": "eu-central-1"}.items():
        monkeypatch.setenv(name, value)
    read = WriteModel.from_environment()
    assert (read.table_name, read.key) == ("t", "k")
    assert read.schema == Schema(4, upcast if named else None)
