"""The route that takes commands: who is told what, by which status and headers."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serverless_patterns_runtime import Command, Decision, Invocation, PermanentError
from serverless_patterns_runtime.cqrs_table import contract
from serverless_patterns_runtime.cqrs_table.command_door import executed
from tests.simulation.aws_errors import ServiceError, client_error

from ..api_proxy.api import Answered, Api, route
from ..rest_api_events import event
from .orders import CLAIMS, ORDERS, Orders

PLACE, ADD = "POST /orders", "POST /orders/{order_id}/add"
OWN = {"idempotency": "required", "own_keys": True}


class Door:
    def __init__(self, orders: Orders | None = None, command: str = "", **settings: Any) -> None:
        self.orders = orders or Orders()
        self.command = command
        self.api = Api(self._take, routes={each: route(**OWN, **settings) for each in (PLACE, ADD)})
        self.api.clock = self.orders.clock
        self.api.edge = self.api.edge._replace(clock=self.orders.clock)

    def _take(self, request: Any, invocation: Invocation) -> Any:
        name = self.command or ("place" if request.route == PLACE else "add")
        return executed(request, invocation, self.orders.commands, name)

    def place(self, body: Any = None, *, key: str | None = "k-1", **more: Any) -> Answered:
        return self.api.send(event(PLACE, {"order_id": "o-1"} if body is None else body, key=key, **more))

    def add(self, body: Any, *, order: str = "o-1", key: str | None = "k-2", **headers: Any) -> Answered:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.api.send(event(ADD, body, params={"order_id": order}, key=key, headers=named))


def test_what_came_as_4_1_is_added_to_what_is_stored_as_4_1() -> None:
    door = Door()
    door.place({"order_id": "o-1", "total": 4.1})
    assert door.add({"amount": 0.2}).json["result"] == {"total": 4.3}
    item = door.orders.item()
    assert item is not None
    assert item["total"] == {"N": "4.3"}
    assert door.add({"amount": 0.2}).header("Idempotent-Replayed") == "true"


def test_the_answer_has_the_version_as_its_etag() -> None:
    door = Door()
    answer = door.place({"order_id": "o-1", "total": 2})
    version = door.orders.now
    assert (answer.status, answer.json) == (
        200,
        {"key": "o-1", "version": version, "token": f"{version}@o-1", "result": "placed"},
    )
    assert answer.header("ETag") == f'"{version}"'
    assert answer.header("Idempotent-Replayed") is None
    assert answer.header("Cache-Control") == "no-store"


def test_the_same_request_again_is_answered_alike_and_says_so() -> None:
    door = Door()
    first = door.place()
    again = door.place()
    assert (again.status, again.json, again.header("ETag")) == (200, first.json, first.header("ETag"))
    assert again.header("Idempotent-Replayed") == "true"
    assert door.api.metrics.counts == {"Succeeded": 1, "Replayed": 1}
    assert [line["outcome"] for line in door.api.log] == ["Succeeded", "Replayed"]


@pytest.mark.parametrize("body", [{"order_id": "o-1", "total": 9}, {"order_id": "o-2"}], ids=["body", "aggregate"])
def test_a_key_that_comes_with_another_command_is_422(body: Any) -> None:
    door = Door()
    door.place()
    assert door.place(body).status == 422
    assert len(door.orders.dynamodb.tables[ORDERS].items) == 1


def test_one_key_on_two_routes_is_two_commands() -> None:
    door = Door()
    door.place(key="k")
    assert door.add({"amount": 3}, key="k").json["result"] == {"total": 3}


def test_one_key_of_two_callers_is_two_commands() -> None:
    orders = Orders(lambda state, _: Decision({"n": (state or {"n": 0})["n"] + 1}))
    door = Door(orders, evidence="lambda")
    made = [event(PLACE, {"order_id": "o-1"}, key="k", evidence="lambda") for _ in range(2)]
    made[1]["requestContext"]["authorizer"]["principalId"] = "somebody-else"
    assert [door.api.send(one).header("Idempotent-Replayed") for one in made] == [None, None]
    assert orders.item()["n"] == {"N": "2"}  # type: ignore[index]


def test_the_function_is_told_who_asks() -> None:
    seen: list[Any] = []

    def decide(_: Any, command: Command) -> Decision:
        seen.append(command.caller)
        return Decision({})

    Door(Orders(decide), evidence="lambda").place(evidence="lambda")
    Door(Orders(decide)).place()
    assert seen[0].kind == "lambda"
    assert seen[1] is None


def test_without_a_key_the_caller_is_told_what_is_missing() -> None:
    door = Door()
    answer = door.place(key=None)
    assert (answer.status, door.orders.client.operations) == (400, [])
    assert "Idempotency-Key" in answer.problem["detail"]


def test_the_door_itself_asks_for_a_key_whatever_its_route_says() -> None:
    door = Door()
    door.api = Api(door._take, routes={PLACE: route(own_keys=True)})
    assert "needs an Idempotency-Key" in door.place(key=None).problem["detail"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"bytes", ""),
        ("{", "JSON"),
        ([], "order_id is text"),
        ({}, "order_id is text"),
        ({"order_id": 7}, "order_id is text"),
        ({"order_id": ""}, "order_id is text"),
        ({"order_id": "x" * 1025}, "order_id is text"),
        ({"order_id": {"S": "o-1"}}, "order_id is text"),
    ],
    ids=["bytes", "no JSON", "list", "without", "number", "empty", "long", "object"],
)
def test_what_names_no_aggregate_is_the_caller_s_mistake(body: Any, said: str) -> None:
    door = Door()
    answer = door.place(body)
    assert answer.status in (400, 415)
    assert said in answer.problem.get("detail", "")
    assert door.orders.client.operations == []


def test_bytes_are_no_command() -> None:
    door = Door(content="bytes")
    answer = door.place(b"bytes")
    assert (answer.status, answer.problem["detail"]) == (400, "the body is JSON")


def test_the_path_names_the_aggregate_and_the_body_may_not_name_another() -> None:
    door = Door()
    door.place()
    assert door.add({"amount": 1, "order_id": "o-1"}).status == 200
    answer = door.add({"amount": 1, "order_id": "o-2"}, key="k-3")
    assert (answer.status, answer.problem["detail"]) == (400, "the body's order_id is another one than the path's")


def test_a_body_is_not_needed_where_the_path_says_all() -> None:
    door = Door(Orders(lambda *_: Decision({})))
    assert door.add(None).status == 200


class TestConditions:
    def test_if_match_is_the_version_to_change(self) -> None:
        door = Door()
        tag = door.place().header("ETag")
        assert tag is not None
        assert door.add({"amount": 1}, If_Match=tag).status == 200
        stale = door.add({"amount": 1}, If_Match=tag, key="k-3")
        assert stale.status == 409
        assert stale.problem["detail"].startswith(
            f"expected version {tag[1:-1]} of this aggregate, and there is version"
        )

    def test_who_asks_again_is_told_again_although_the_version_is_another(self) -> None:
        door = Door()
        tag = door.place().header("ETag")
        first = door.add({"amount": 1}, If_Match=tag)
        assert door.add({"amount": 1}, If_Match=tag).json == first.json

    def test_another_if_match_under_one_key_is_another_command(self) -> None:
        door = Door()
        tag = door.place().header("ETag")
        door.add({"amount": 1}, If_Match=tag)
        assert door.add({"amount": 1}).status == 422

    def test_if_none_match_is_that_there_is_none(self) -> None:
        door = Door(Orders(lambda *_: Decision({})))
        assert door.place(headers={"If-None-Match": "*"}).status == 200
        assert door.place(headers={"If-None-Match": "*"}, key="k-2").status == 409

    @pytest.mark.parametrize(
        "headers",
        [
            {"If-Match": "7"},
            {"If-Match": 'W/"7"'},
            {"If-Match": '"7", "8"'},
            {"If-Match": "*"},
            {"If-Match": '"0"'},
            {"If-Match": '"07"'},
            {"If-Match": '"-1"'},
            {"If-Match": '"\u0667"'},
            {"If-Match": '"1e3"'},
            {"If-Match": '""'},
            {"If-Match": ""},
            {"If-Match": f'"{"9" * 400}"'},
            {"If-Match": ['"7"', '"7"']},
            {"If-Match": '"7"', "If-None-Match": "*"},
            {"If-None-Match": '"7"'},
            {"If-None-Match": ["*", "*"]},
        ],
        ids=str,
    )
    def test_any_other_condition_is_told_what_is_meant(self, headers: Mapping[str, Any]) -> None:
        door = Door()
        answer = door.place(headers=headers)
        assert (answer.status, door.orders.client.operations) == (400, [])
        assert "of a command is" in answer.problem["detail"] or "a command has one" in answer.problem["detail"]

    @given(st.text(max_size=30))
    def test_no_text_of_a_header_makes_it_fail(self, text: str) -> None:
        assert Door().place(headers={"If-Match": text}).status in (400, 409)


class TestRefusals:
    @pytest.mark.parametrize(
        ("error", "status", "detail"),
        [
            (PermanentError("not now"), 409, "not now"),
            (PermanentError("not yours", status=403), 403, "not yours"),
            (PermanentError("later", status=503), 503, "later"),
            (ValueError("secret"), 500, None),
        ],
        ids=["default", "status", "later", "a mistake"],
    )
    def test_by_the_function(self, error: Exception, status: int, detail: str | None) -> None:
        def decide(*_: Any) -> Any:
            raise error

        door = Door(Orders(decide))
        answer = door.place()
        assert (answer.status, answer.problem.get("detail")) == (status, detail)
        assert "secret" not in door.api.log_text
        assert door.orders.dynamodb.tables[CLAIMS].items == {}

    def test_of_an_unknown_command(self) -> None:
        answer = Door(command="ship").place()
        assert (answer.status, answer.problem["detail"]) == (
            400,
            "there is no such command: there are place, add, cancel",
        )

    def test_of_a_state_that_is_too_large(self) -> None:
        answer = Door(Orders(lambda *_: Decision({"x": "x" * 500_000}))).place()
        assert answer.status == 413
        assert "about 500,0" in answer.problem["detail"]

    def test_what_the_function_may_not_return_is_nothing_for_callers(self) -> None:
        door = Door(Orders(lambda *_: {"not": "a decision"}))
        answer = door.place()
        assert (answer.status, "detail" in answer.problem) == (500, False)
        assert "return Decision" in door.api.log_text

    def test_contention_says_when_to_come_again(self) -> None:
        door = Door()

        def conflict() -> None:
            door.orders.client.before["transact_write_items"] = [conflict]
            reasons = [{"Code": "None"}, {"Code": "TransactionConflict"}]
            error = ServiceError("TransactionCanceledException", CancellationReasons=reasons)
            raise client_error("dynamodb", "TransactWriteItems", error)

        conflict_first = door.orders.client.before.setdefault("transact_write_items", [])
        conflict_first.append(conflict)
        answer = door.place()
        assert (answer.status, answer.header("Retry-After")) == (503, "1")

    def test_hostile_json_is_a_refusal(self) -> None:
        door = Door()
        for body in (
            '{"order_id":"a","order_id":"b"}',
            '{"order_id":NaN}',
            "[" * 100 + "]" * 100,
            '{"order_id":"\\ud800"}',
        ):
            assert door.place(body).status == 400, body
        assert door.orders.client.operations == []

    def test_nothing_of_a_command_is_logged(self) -> None:
        door = Door()
        door.place({"order_id": "jane@example.com", "card": "card-of-jane"})
        door.place({"order_id": "jane@example.com", "card": "other-card-of-jane"})
        assert "jane" not in door.api.log_text
        assert "card-of" not in door.api.log_text


@settings(max_examples=40)
@given(
    st.dictionaries(
        st.sampled_from(["order_id", "total", "_aggregate", "x"]),
        st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(), st.lists),
        max_size=4,
    )
)
def test_no_body_makes_it_fail(body: dict[str, Any]) -> None:
    """What the function echoes is stored or refused: neither an exception nor an item that cannot be read."""
    orders = Orders(lambda _, command: Decision({k: v for k, v in command.body.items() if k != "_aggregate"}))
    answer = Door(orders).place(body)
    assert answer.status in (200, 400, 413, 500)
    if answer.status == 500:  # numbers and text that DynamoDB does not have
        assert orders.dynamodb.tables[ORDERS].items == {}
    if answer.status == 200:
        (key,) = orders.dynamodb.tables[ORDERS].items
        found = orders.model.read_aggregates(key, remaining=lambda: 5.0)[key[0]]
        assert found is not None
        assert found.version == answer.json["version"]


def test_the_contract_names_the_door() -> None:
    module, _, name = contract.COMMAND_DOOR.partition(":")
    assert (module, name) == (executed.__module__, "execute_request")
