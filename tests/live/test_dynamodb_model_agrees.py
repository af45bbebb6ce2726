"""The simulation's DynamoDB model and a real endpoint give the same answers to the same generated requests.

What the simulation proves is as good as its model. On AWS (`LIVE_AWS=1`) this compares it with the service itself.
"""

import random
from collections.abc import Callable, Generator, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from serverless_patterns.testing import Cloud
from tests.simulation.aws_errors import ServiceError
from tests.simulation.dynamodb_model import DynamoDB, Table

OPERATIONS = 500
SEEDS = (1, 2)
KEYS = ("a", "b", "c")
ATTRIBUTES = ("n", "m", "word", "tags")

Answer = Mapping[str, Any]
Request = tuple[str, dict[str, Any]]


@pytest.fixture
def table_name(embedded_cloud: Cloud, fresh_name: str) -> Generator[str]:
    dynamodb = embedded_cloud.client("dynamodb")
    dynamodb.create_table(
        TableName=fresh_name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
    )
    dynamodb.get_waiter("table_exists").wait(TableName=fresh_name, WaiterConfig={"Delay": 1})
    yield fresh_name
    dynamodb.delete_table(TableName=fresh_name)


class Requests:
    """Requests over three keys, in every form that the runtime sends."""

    def __init__(self, chance: random.Random, table_name: str) -> None:
        self._chance = chance
        self._table_name = table_name

    def request(self) -> Request:
        kinds: list[Callable[[], Request]] = [
            self._put,
            self._update,
            self._delete,
            self._get,
            self._transaction,
            self._transaction,
            self._batch,
            self._batch,
        ]
        return self._chance.choice(kinds)()

    def _key(self) -> dict[str, Any]:
        return {"k": {"S": self._chance.choice(KEYS)}}

    def _value(self, attribute: str) -> dict[str, Any]:
        if attribute == "word":
            return {"S": self._chance.choice(("x", "xy", "z"))}
        if attribute == "tags":
            return {"NS": [str(number) for number in self._chance.sample(range(4), self._chance.randint(1, 2))]}
        return {"N": self._chance.choice(("0", "1", "-2", "3.5", "10"))}

    def _condition(self) -> tuple[str, dict[str, Any]]:
        """Over the attributes `n` and `word`, with every operator that the runtime writes."""
        choice = self._chance.choice
        number, word = self._value("n"), self._value("word")
        simple: list[tuple[str, dict[str, Any]]] = [
            ("attribute_exists(#n)", {}),
            ("attribute_not_exists(#n)", {}),
            (f"#n {choice(('=', '<>', '<', '<=', '>', '>='))} :number", {":number": number}),
            ("#n BETWEEN :low AND :high", {":low": {"N": "0"}, ":high": {"N": "5"}}),
            ("#n IN (:number, :one)", {":number": number, ":one": {"N": "1"}}),
            ("begins_with(#w, :word)", {":word": word}),
            ("contains(#w, :word)", {":word": word}),
            (f"size(#w) {choice(('=', '<', '>='))} :one", {":one": {"N": "1"}}),
        ]
        first, second = choice(simple), choice(simple)
        form = choice(("{0}", "NOT ({0})", "({0}) AND ({1})", "({0}) OR ({1})"))
        used = {**first[1], **(second[1] if "{1}" in form else {})}
        return form.format(first[0], second[0]), used

    def _guarded(self, request: dict[str, Any]) -> dict[str, Any]:
        """With a condition, and with the placeholders that are used and no others."""
        names, values = dict(request.pop("names", {})), dict(request.pop("values", {}))
        if self._chance.random() < 0.6 or "UpdateExpression" not in request | {"UpdateExpression": "Item" in request}:
            condition, more = self._condition()
            request["ConditionExpression"] = condition
            request["ReturnValuesOnConditionCheckFailure"] = self._chance.choice(("NONE", "ALL_OLD"))
            values |= more
            names |= {name: {"#n": "n", "#w": "word"}[name] for name in ("#n", "#w") if name in condition}
        if names:
            request["ExpressionAttributeNames"] = names
        if values:
            request["ExpressionAttributeValues"] = values
        return {"TableName": self._table_name, **request}

    def _put(self) -> Request:
        return "put_item", self._guarded({"Item": self._item()}) | {
            "ReturnValues": self._chance.choice(("NONE", "ALL_OLD"))
        }

    def _item(self) -> dict[str, Any]:
        chosen = self._chance.sample(ATTRIBUTES, self._chance.randint(0, 4))
        return self._key() | {name: self._value(name) for name in chosen}

    def _update(self) -> Request:
        wanted = self._chance.choice(("NONE", "ALL_OLD", "ALL_NEW"))
        return "update_item", self._guarded(self._updating()) | {"ReturnValues": wanted}

    def _updating(self) -> dict[str, Any]:
        forms: list[tuple[str, dict[str, str], dict[str, Any]]] = [
            ("SET #m = :m", {"#m": "m"}, {":m": self._value("m")}),
            ("ADD #m :m", {"#m": "m"}, {":m": self._value("m")}),
            ("ADD #t :t SET #m = :m", {"#t": "tags", "#m": "m"}, {":t": self._value("tags"), ":m": self._value("m")}),
            ("REMOVE #w", {"#w": "word"}, {}),
            ("SET #m = if_not_exists(#m, :m)", {"#m": "m"}, {":m": self._value("m")}),
            ("SET #m = #m + :m", {"#m": "m"}, {":m": self._value("m")}),
            ("ADD #t :m", {"#t": "tags"}, {":m": self._value("m")}),
            (
                "SET #m = if_not_exists(#m, :zero) + :m, #x = :m REMOVE #w, #t",
                {"#m": "m", "#x": "x", "#w": "word", "#t": "tags"},
                {":m": self._value("m"), ":zero": {"N": "0"}},
            ),
        ]
        expression, names, values = self._chance.choice(forms)
        return {"Key": self._key(), "UpdateExpression": expression, "names": names, "values": values}

    def _delete(self) -> Request:
        return "delete_item", self._guarded({"Key": self._key()}) | {
            "ReturnValues": self._chance.choice(("NONE", "ALL_OLD"))
        }

    def _get(self) -> Request:
        return "get_item", {"TableName": self._table_name, "Key": self._key(), "ConsistentRead": True}

    def _transaction(self) -> Request:
        actions = []
        for key in self._chance.sample(KEYS, self._chance.randint(1, 3)):
            kind = self._chance.choice(("Put", "Update", "Delete", "ConditionCheck"))
            if kind == "Put":
                request: dict[str, Any] = {"Item": self._item() | {"k": {"S": key}}}
            else:
                request = self._updating() if kind == "Update" else {"Key": {}}
                request["Key"] = {"k": {"S": key}}
            actions.append({kind: self._guarded(request)})
            if kind == "ConditionCheck" and "ConditionExpression" not in actions[-1][kind]:
                actions[-1][kind] |= {"ConditionExpression": "attribute_exists(k)"}
        return "transact_write_items", {"TransactItems": actions}

    def _batch(self) -> Request:
        statements = [self._statement(key) for key in self._chance.sample(KEYS, self._chance.randint(1, 3))]
        return "batch_execute_statement", {"Statements": statements}

    def _statement(self, key: str) -> dict[str, Any]:
        table, number, other = self._table_name, self._value("n"), self._value("m")
        operator = self._chance.choice(("=", "<", ">", "<>"))
        forms: list[tuple[str, list[Any]]] = [
            (f"INSERT INTO \"{table}\" VALUE {{'k': ?, 'n': ?}}", [{"S": key}, number]),
            (
                f'UPDATE "{table}" SET "m" = ? SET "n" = ? WHERE "k" = ? AND "n" {operator} ?',
                [other, number, {"S": key}, other],
            ),
            (f'UPDATE "{table}" SET "m" = ? WHERE "k" = ? AND "n" = ? AND "m" < ?', [other, {"S": key}, number, other]),
            (f'UPDATE "{table}" SET "m" = ? WHERE "k" = ?', [other, {"S": key}]),
            (f'DELETE FROM "{table}" WHERE "k" = ? AND "n" {operator} ?', [{"S": key}, number]),
        ]
        text, parameters = self._chance.choice(forms)
        return {
            "Statement": text,
            "Parameters": parameters,
            "ReturnValuesOnConditionCheckFailure": self._chance.choice(("NONE", "ALL_OLD")),
        }


def answer_of(call: Callable[..., Any], arguments: dict[str, Any]) -> Answer:
    """What the caller learns, without what may differ: texts of messages, request ids, the order within sets."""
    try:
        response = call(**arguments)
    except ServiceError as error:
        return _compared({"error": error.code, **error.fields})
    except ClientError as error:
        fields = {name: error.response[name] for name in ("CancellationReasons", "Item") if name in error.response}
        return _compared({"error": error.response["Error"]["Code"], **fields})
    return _compared(response)


def _compared(value: Any) -> Any:
    if isinstance(value, Mapping):
        ignored = {"Message", "message", "ResponseMetadata", "TableName"}
        return {name: _compared(content) for name, content in sorted(value.items()) if name not in ignored}
    if isinstance(value, list):
        members = [_compared(member) for member in value]
        return sorted(members) if members and isinstance(members[0], str) else members
    return value


@pytest.mark.parametrize("seed", SEEDS)
def test_the_model_and_the_endpoint_give_the_same_answers(embedded_cloud: Cloud, table_name: str, seed: int) -> None:
    endpoint = embedded_cloud.client("dynamodb")
    model = DynamoDB({table_name: Table({"k": "S"})}, lambda: 0.0)
    requests = Requests(random.Random(seed), table_name)
    answered: set[str] = set()
    for number in range(OPERATIONS):
        method, arguments = requests.request()
        expected = answer_of(getattr(endpoint, method), arguments)
        actual = answer_of(getattr(model, method), arguments)
        assert actual == expected, f"seed {seed}, request {number}: {method} {arguments}"
        answered.add(f"{method} {expected.get('error', 'ok')}")
    assert answered >= {
        "put_item ConditionalCheckFailedException",
        "update_item ValidationException",
        "delete_item ConditionalCheckFailedException",
        "transact_write_items TransactionCanceledException",
        "transact_write_items ok",
        "batch_execute_statement ok",
    }
