"""Commands on the endpoint's own DynamoDB: conflicts that really happen, and the model's word for them."""

import random
import time
import uuid
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import pytest

from serverless_patterns.testing import Cloud
from serverless_patterns_runtime import Command, Decision, Invocation, PermanentError
from serverless_patterns_runtime.claims.claim import Claim
from serverless_patterns_runtime.claims.commits import Commits
from serverless_patterns_runtime.claims.table import ClaimsTable
from serverless_patterns_runtime.cqrs_table.aggregate import Aggregate, Schema, condition_of
from serverless_patterns_runtime.cqrs_table.deciding import Commands
from serverless_patterns_runtime.cqrs_table.proposal import Decide
from serverless_patterns_runtime.cqrs_table.settings import WriteModel
from tests.simulation.aws_errors import ServiceError
from tests.simulation.dynamodb_model import DynamoDB, Table

KEY, AT_ONCE = "order_id", 20


class Tables(NamedTuple):
    aggregates: str
    claims: str


@pytest.fixture(scope="module")
def tables(embedded_cloud: Cloud) -> Generator[Tables]:
    dynamodb = embedded_cloud.client("dynamodb")
    made = Tables(f"orders-{uuid.uuid4()}", f"claims-{uuid.uuid4()}")
    for name, key in ((made.aggregates, KEY), (made.claims, "claim")):
        dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": key, "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        dynamodb.get_waiter("table_exists").wait(TableName=name)
    yield made
    for name in made:
        dynamodb.delete_table(TableName=name)


def decide(state: dict[str, Any] | None, command: Command) -> Decision:
    if command.name == "cancel":
        return Decision(None)
    if state is None and command.name != "place":
        raise PermanentError("there is none", status=404)
    by = [*(state or {"by": []})["by"], command.body]
    return Decision({"by": by}, result=len(by))


def commands(cloud: Cloud, tables: Tables) -> Commands:
    dynamodb = cloud.client("dynamodb")
    chance = random.Random()
    return Commands(
        WriteModel(dynamodb, tables.aggregates, KEY, Schema(1)),
        Decide(decide, "orders:decide", False),
        ClaimsTable(dynamodb, tables.claims, 1000, {}, time.time, time.sleep, chance),
        "Orders",
        (),
        lambda _: None,
    )


def do(orders: Commands, name: str, key: str, by: str, *, expected: int | None = None) -> Any:
    deadline = time.monotonic() + 60
    asked = orders.asked(f"{key} {by}", name, key, by, expected)
    return orders.execute(asked, Invocation.fake(remaining=lambda: deadline - time.monotonic()))


def test_commands_at_once_on_one_order_all_happen_once(embedded_cloud: Cloud, tables: Tables) -> None:
    orders = commands(embedded_cloud, tables)
    key = str(uuid.uuid4())
    names = [f"by-{number}" for number in range(AT_ONCE)]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        # Each of them twice, at the same time.
        done = list(threads.map(lambda by: do(orders, "place", key, by), [*names, *names]))
    assert sorted({one.answer["result"] for one in done}) == [*range(1, AT_ONCE + 1)]
    assert sum(one.replayed for one in done) == AT_ONCE
    found = orders.model.read_aggregates([key], remaining=lambda: 10.0)[key]
    assert found is not None
    assert found.state is not None
    assert sorted(found.state["by"]) == sorted(names)


def test_an_order_is_placed_deleted_and_placed_again(embedded_cloud: Cloud, tables: Tables) -> None:
    orders = commands(embedded_cloud, tables)
    key = str(uuid.uuid4())
    first = do(orders, "place", key, "a", expected=0).answer
    with pytest.raises(PermanentError, match="there is version"):
        do(orders, "add", key, "b", expected=first["version"] + 1)
    assert do(orders, "cancel", key, "c").answer["version"] == first["version"] + 1
    with pytest.raises(PermanentError, match="there is none"):
        do(orders, "add", key, "d")
    assert do(orders, "place", key, "e", expected=0).answer["version"] == first["version"] + 2
    assert do(orders, "place", key, "a", expected=0).answer == first


AT_FIVE = Aggregate("k", 5, {"n": 1}, 1)


@pytest.mark.parametrize("known", [None, AT_FIVE, Aggregate("k", 6, {}), Aggregate("k", None, {})], ids=str)
@pytest.mark.parametrize("there", ["nothing", "unversioned", "five"])
def test_the_model_refuses_a_change_as_the_endpoint_does(
    known: Aggregate | None, there: str, embedded_cloud: Cloud, tables: Tables
) -> None:
    endpoint: Any = embedded_cloud.client("dynamodb")
    model = DynamoDB({tables.aggregates: Table({KEY: "S"}), tables.claims: Table({"claim": "S"})}, time.time)
    claim = Commits(endpoint, tables.claims, 1000, {}, time.time, time.sleep, random.Random()).claim_item(
        Claim("Orders", str(uuid.uuid4()), "payload"), "owner", "{}"
    )
    five = AT_FIVE.image(KEY, Schema(1), "place")
    item = {"nothing": None, "unversioned": {KEY: {"S": "k"}, "n": {"N": "1"}}, "five": five}[there]
    change = {
        "Put": {
            "TableName": tables.aggregates,
            "Item": Aggregate("k", 7, {"n": 2}, 2).image(KEY, Schema(1), "add"),
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            **condition_of(known, KEY),
        }
    }
    said: list[Any] = []
    for dynamodb in (endpoint, model):
        dynamodb.delete_item(TableName=tables.aggregates, Key={KEY: {"S": "k"}})
        if item is not None:
            dynamodb.put_item(TableName=tables.aggregates, Item=item)
        try:
            dynamodb.transact_write_items(TransactItems=[claim, change])
            said.append("done")
        except ServiceError as error:
            said.append(_reasons(error.fields["CancellationReasons"]))
        except endpoint.exceptions.TransactionCanceledException as error:
            said.append(_reasons(error.response["CancellationReasons"]))
    assert said[0] == said[1]


def _reasons(reasons: list[dict[str, Any]]) -> list[tuple[Any, Any]]:
    return [(reason.get("Code"), reason.get("Item")) for reason in reasons]
