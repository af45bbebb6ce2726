"""Shares, pins, counts and commands over a real table: by the router's own client and by the SDK, on one endpoint."""

import json
import os
import random
import time
from collections.abc import Generator
from typing import Any

import pytest

from serverless_patterns.testing import Cloud
from serverless_patterns_runtime.circuit_breaker import contract as breaker_contract
from serverless_patterns_runtime.circuit_breaker.state import State
from serverless_patterns_runtime.circuit_breaker.store import Store
from serverless_patterns_runtime.strangler_gateway import contract, metric_contract
from serverless_patterns_runtime.strangler_gateway.aws import LightDynamoDb, Service
from serverless_patterns_runtime.strangler_gateway.contract import Migration
from serverless_patterns_runtime.strangler_gateway.control_contract import Command
from serverless_patterns_runtime.strangler_gateway.controlling import Control
from serverless_patterns_runtime.strangler_gateway.pins import Pins
from serverless_patterns_runtime.strangler_gateway.shares import Shares
from tests.runtime.strangler_gateway.gateway import ROUTE, migration, route_settings
from tests.simulation.dynamodb_model import DynamoDB, Table


@pytest.fixture
def table(embedded_cloud: Cloud, fresh_name: str) -> Generator[str]:
    dynamodb = embedded_cloud.client("dynamodb")
    dynamodb.create_table(
        TableName=fresh_name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[
            {"AttributeName": contract.PARTITION_KEY, "KeyType": "HASH"},
            {"AttributeName": contract.SORT_KEY, "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": contract.PARTITION_KEY, "AttributeType": "S"},
            {"AttributeName": contract.SORT_KEY, "AttributeType": "S"},
        ],
    )
    dynamodb.get_waiter("table_exists").wait(TableName=fresh_name, WaiterConfig={"Delay": 1})
    yield fresh_name
    dynamodb.delete_table(TableName=fresh_name)


@pytest.fixture
def breakers(embedded_cloud: Cloud, fresh_name: str) -> Generator[str]:
    dynamodb, name = embedded_cloud.client("dynamodb"), f"{fresh_name}-breakers"
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": breaker_contract.PARTITION_KEY, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": breaker_contract.PARTITION_KEY, "AttributeType": "S"}],
    )
    dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    yield name
    dynamodb.delete_table(TableName=name)


class Gateway:
    """Routers of one table, each with a connection of its own; their caches are never fresh."""

    def __init__(self, cloud: Cloud, table: str, breakers: str, monkeypatch: pytest.MonkeyPatch) -> None:
        if cloud.endpoint_url is not None:
            monkeypatch.setenv("AWS_ENDPOINT_URL", cloud.endpoint_url)
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        self._cloud, self._table, self._breakers = cloud, table, breakers
        self.skipped = 0.0
        self._region = cloud.client("dynamodb").meta.region_name
        self.code: Migration = migration({ROUTE: route_settings(initial_percent=10.0)}, cache_seconds=0.0)
        self.told: list[tuple[str, str | None, BaseException | None]] = []

    def client(self) -> LightDynamoDb:
        return LightDynamoDb(Service("dynamodb", self._region, "amazonaws.com"), 5.0)

    def router(self) -> Shares:
        tell = lambda *what: self.told.append(what)  # noqa: E731
        return Shares(self.code, self._table, self.client(), time.time, random.Random(), tell)

    def pins(self) -> Pins:
        return Pins(self.client(), self._table, time.time)

    def opened(self, name: str) -> Store:
        """The store of a breaker that failed and opened just now."""
        store, now = Store(self.client(), self._breakers, name), time.time()
        store.open(store.count(State(), [now]), now, now)
        return store

    def asked(self, **command: Any) -> dict[str, Any]:
        dynamodb, clock = self._cloud.client("dynamodb"), lambda: time.time() + self.skipped
        control = Control(self.code, self._table, self._breakers, dynamodb, clock, random.Random())
        asked: Command = {"route": ROUTE, "by": "ann", "reason": "why", **command}  # type: ignore[typeddict-item]
        return json.loads(json.dumps(control.answer(asked)))


@pytest.fixture
def gateway(embedded_cloud: Cloud, table: str, breakers: str, monkeypatch: pytest.MonkeyPatch) -> Gateway:
    if not embedded_cloud.is_local and "AWS_ACCESS_KEY_ID" not in os.environ:
        pytest.skip("the router's client takes credentials from the environment alone")
    return Gateway(embedded_cloud, table, breakers, monkeypatch)


def test_what_a_command_sets_every_router_reads(gateway: Gateway) -> None:
    first, second = gateway.router(), gateway.router()
    assert (first.percent(ROUTE), second.percent(ROUTE)) == (10, 10)
    assert gateway.asked(action="set", percent=12.34)["changed"]
    assert (first.percent(ROUTE), second.percent(ROUTE)) == (12.34, 12.34)
    gateway.asked(action="kill")
    assert (first.percent(ROUTE), gateway.router().percent(ROUTE)) == (0, 0)
    gateway.asked(action="clear")
    assert first.percent(ROUTE) == 12.34
    (route,) = gateway.asked(action="list", history=True)["routes"]
    assert [entry["action"] for entry in route["history"]] == ["clear", "kill", "set"]
    assert gateway.told == []


def test_routers_roll_back_once_by_counts_that_add_up(gateway: Gateway) -> None:
    routers = [gateway.router() for _ in range(3)]
    for router in routers:
        assert router.percent(ROUTE) == 10
    for number in range(60):
        routers[number % 3].note(ROUTE, True)
    assert [router.percent(ROUTE) for router in routers] == [0, 0, 0]
    (route,) = gateway.asked(action="list", history=True)["routes"]
    assert (route["by"], route["killed"], len(route["history"])) == ("rollback", True, 1)
    assert "50 of 50 requests failed" in route["reason"]
    assert {(metric, error) for metric, _, error in gateway.told} == {(metric_contract.METRIC_ROLLED_BACK, None)}


def test_a_removed_route_and_its_breaker_are_forgotten_and_what_came_back_is_not(gateway: Gateway) -> None:
    listed = gateway.code
    gateway.asked(action="kill")
    gone, kept = gateway.opened(ROUTE), gateway.opened("GET /kept")
    gateway.code = migration({"GET /kept": route_settings()})
    assert gateway.asked(action="sweep")["missing"] == [ROUTE]
    assert gateway.asked(action="sweep")["changed"] is False
    gateway.code = listed
    assert gateway.asked(action="sweep")["back"] == [ROUTE]
    gateway.code = migration({"GET /kept": route_settings()})
    gateway.asked(action="sweep")
    gateway.skipped = contract.REMOVED_KEPT_SECONDS + 1.0
    swept = gateway.asked(action="sweep")
    assert (swept["forgotten"], swept["breakers"]) == ([ROUTE], [ROUTE])
    assert gateway.asked(action="sweep")["changed"] is False
    assert (gone.read(), kept.read().open) == (State(), True)
    gateway.code = listed
    (route,) = gateway.asked(action="list", history=True)["routes"]
    assert (route["percent"], route["killed"]) == (10, False)
    assert [entry["action"] for entry in route["history"]] == ["sweep", "kill"]


def test_a_key_stays_where_it_was_first_sent(gateway: Gateway) -> None:
    first, second = gateway.pins(), gateway.pins()
    assert first.side("POST /orders", "k", "new") == "new"
    assert second.side("POST /orders", "k", "legacy") == "new"
    assert second.side("POST /orders", "other", "legacy") == "legacy"


def test_the_model_answers_a_query_as_the_endpoint_does(embedded_cloud: Cloud, table: str) -> None:
    endpoint = embedded_cloud.client("dynamodb")
    model = DynamoDB({table: Table({contract.PARTITION_KEY: "S", contract.SORT_KEY: "S"})}, lambda: 0.0)
    for kind, entry in (("a", "2"), ("a", "10"), ("b", "1"), ("a", "é"), ("a", "Z"), ("a", "a#1")):
        item = {contract.PARTITION_KEY: {"S": kind}, contract.SORT_KEY: {"S": entry}, "n": {"N": "1.50"}}
        endpoint.put_item(TableName=table, Item=item)
        model.put_item(TableName=table, Item=item)
    for more in ({}, {"ScanIndexForward": False}, {"Limit": 2}, {"Limit": 2, "ScanIndexForward": False}, {"Limit": 9}):
        request: dict[str, Any] = {
            "TableName": table,
            "KeyConditionExpression": "#kind = :kind",
            "ExpressionAttributeNames": {"#kind": contract.PARTITION_KEY},
            "ExpressionAttributeValues": {":kind": {"S": "a"}},
            "ConsistentRead": True,
            **more,
        }
        while True:
            theirs, ours = endpoint.query(**request), model.query(**request)
            assert theirs["Items"] == ours["Items"]
            assert theirs.get("LastEvaluatedKey") == ours.get("LastEvaluatedKey")
            if "LastEvaluatedKey" not in ours:
                break
            request["ExclusiveStartKey"] = ours["LastEvaluatedKey"]


def test_the_model_answers_a_scan_as_the_endpoint_does(embedded_cloud: Cloud, breakers: str) -> None:
    endpoint = embedded_cloud.client("dynamodb")
    model = DynamoDB({breakers: Table({breaker_contract.PARTITION_KEY: "S"})}, lambda: 0.0)
    for name in ("GET /a", "POST /b", "ANY /c/{proxy+}"):
        item = {breaker_contract.PARTITION_KEY: {"S": name}, "failures": {"L": [{"N": "1.5"}]}}
        endpoint.put_item(TableName=breakers, Item=item)
        model.put_item(TableName=breakers, Item=item)
    theirs, ours = (it.scan(TableName=breakers, ConsistentRead=True) for it in (endpoint, model))
    in_order = [sorted(answer["Items"], key=str) for answer in (theirs, ours)]
    assert in_order[0] == in_order[1]
    assert "LastEvaluatedKey" not in theirs
    assert "LastEvaluatedKey" not in ours
