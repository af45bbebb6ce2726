"""The command function, invoked directly: what is answered, what is refused, and what is raised."""

import io
import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serverless_patterns_runtime import Decision, PermanentError
from serverless_patterns_runtime.business_function.business_function import UnusableResult
from serverless_patterns_runtime.cqrs_table.command_handler import Edge, process
from serverless_patterns_runtime.resources import NO_RESOURCES
from serverless_patterns_runtime.telemetry import Logger
from tests.simulation.aws_errors import connection_lost

from ..consumer import Context, RecordedMetrics
from .orders import CLAIMS, Orders

_services = itertools.count(1)

PLACE = {"id": "id-1", "command": "place", "key": "o-1", "body": {"total": 3}}


class Direct:
    def __init__(self, orders: Orders | None = None) -> None:
        self.orders = orders or Orders()
        self.stream = io.StringIO()
        self.metrics = RecordedMetrics()
        logger = Logger(service=f"commands-{next(_services)}", stream=self.stream)
        self.edge = Edge(self.orders.commands, logger, self.metrics, NO_RESOURCES)

    def send(self, event: Any) -> Any:
        heard = json.loads(json.dumps(event))
        return json.loads(json.dumps(process(heard, Context(self.orders.clock, 25.0), self.edge)))

    @property
    def outcomes(self) -> list[str]:
        return [json.loads(line)["outcome"] for line in self.stream.getvalue().split("\n")[:-1]]


def test_a_command_is_answered() -> None:
    direct = Direct()
    version = direct.orders.now
    assert direct.send(PLACE) == {"key": "o-1", "version": version, "token": f"{version}@o-1", "result": "placed"}
    assert direct.outcomes == ["Succeeded"]


def test_what_came_as_4_1_is_added_to_what_is_stored_as_4_1() -> None:
    direct = Direct()
    direct.send(PLACE | {"body": {"total": 4.1}})
    add = {"id": "id-2", "command": "add", "key": "o-1", "body": {"amount": 0.2}}
    assert direct.send(add)["result"] == {"total": 4.3}
    assert direct.orders.item()["total"] == {"N": "4.3"}  # pyright: ignore[reportOptionalSubscript]
    assert direct.send(add)["replayed"] is True


def test_the_same_command_again_says_that_it_was_done() -> None:
    direct = Direct()
    first = direct.send(PLACE)
    assert direct.send(PLACE) == {**first, "replayed": True}
    assert direct.outcomes == ["Succeeded", "Replayed"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": ""}, "a command's id has 1 to 255"),
        ({"id": "x" * 256}, "got 256"),
        ({"id": 7}, "has a id, which is text"),
        ({"id": None}, "has a id, which is text"),
        ({"command": None}, "has a command, which is text"),
        ({"command": "ship"}, "there are place, add, cancel"),
        ({"key": 7}, "has a key, which is text"),
        ({"key": ""}, "order_id is text of 1 to 1,024 bytes"),
        ({"expected_version": "7"}, "expected_version is a whole number"),
        ({"expected_version": -1}, "expected_version is a whole number"),
        ({"expected_version": True}, "expected_version is a whole number"),
        ({"expected_version": 1.5}, "expected_version is a whole number"),
        ({"expectedVersion": 7}, "a command has no 'expectedVersion'"),
    ],
    ids=str,
)
def test_what_is_no_command_is_refused_with_the_reason(change: dict[str, Any], said: str) -> None:
    direct = Direct()
    answer = direct.send({**PLACE, **change})
    assert answer["status"] == 400
    assert said in answer["message"]
    assert direct.orders.dynamodb.tables[CLAIMS].items == {}


@pytest.mark.parametrize("event", [None, [], "place", 7, {}], ids=str)
def test_what_is_no_object_is_refused(event: Any) -> None:
    assert Direct().send(event)["status"] == 400


@given(
    st.fixed_dictionaries(
        {},
        optional={
            name: st.none() | st.integers() | st.text() | st.lists(st.text()) | st.just("place")
            for name in ("id", "command", "key", "body", "expected_version", "other")
        },
    )
)
def test_no_event_makes_it_fail(event: dict[str, Any]) -> None:
    orders = Orders(lambda *_: Decision({}))
    answer = process(event, Context(orders.clock, 25.0), Direct(orders).edge)
    assert "version" in answer or answer["status"] in (400, 409)  # type: ignore[typeddict-item]


def test_an_id_with_another_command_is_422() -> None:
    direct = Direct()
    direct.send(PLACE)
    answer = direct.send({**PLACE, "body": {"total": 4}})
    assert (answer["status"], answer["error"]) == (422, "IdempotencyKeyReused")


def test_a_refusal_of_the_function_is_answered_with_its_words() -> None:
    direct = Direct()
    direct.send(PLACE)
    assert direct.send({**PLACE, "id": "id-2"}) == {
        "status": 409,
        "error": "PermanentError",
        "message": "the order is placed already",
    }
    assert direct.outcomes == ["Succeeded", "Refused"]


@pytest.mark.parametrize(("expected", "status"), [(0, 409), (1, 409)])
def test_another_version_is_409(expected: int, status: int) -> None:
    direct = Direct()
    direct.send(PLACE)
    assert direct.send({**PLACE, "id": "id-2", "expected_version": expected})["status"] == status


def test_a_state_that_is_too_large_is_413() -> None:
    direct = Direct(Orders(lambda *_: Decision({"x": "x" * 500_000})))
    assert direct.send(PLACE)["status"] == 413


def test_the_function_s_mistake_is_raised_for_whoever_watches_it() -> None:
    direct = Direct(Orders(lambda *_: None))
    with pytest.raises(UnusableResult):
        direct.send(PLACE)
    assert direct.outcomes == ["Failed"]


def test_what_nobody_can_know_is_raised_and_the_same_command_settles_it() -> None:
    direct = Direct()

    def lost() -> None:
        raise connection_lost("dynamodb")

    direct.orders.client.after["transact_write_items"] = [lost]
    with pytest.raises(Exception, match="Connection was closed"):
        direct.send(PLACE)
    assert direct.send(PLACE)["replayed"] is True


def test_nothing_of_a_command_is_logged() -> None:
    def decide(*_: Any) -> Decision:
        raise PermanentError("no")

    direct = Direct(Orders(decide))
    direct.send({**PLACE, "key": "jane@example.com", "body": {"card": "4111"}})
    assert "jane" not in direct.stream.getvalue()
    assert "4111" not in direct.stream.getvalue()
