"""The route that shows one aggregate."""

from typing import Any

import pytest

from serverless_patterns_runtime import Decision
from serverless_patterns_runtime.cqrs_table import contract
from serverless_patterns_runtime.cqrs_table.get_door import shown
from tests.simulation.aws_errors import ServiceError, client_error

from ..api_proxy.api import Answered, Api, route
from ..rest_api_events import event
from .orders import ORDERS, Orders

GET = "GET /orders/{order_id}"


def get(orders: Orders, key: str = "o-1", **headers: Any) -> Answered:
    api = Api(lambda request, invocation: shown(request, invocation, orders.model), routes={GET: route(own_keys=True)})
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.send(event(GET, params={"order_id": key}, headers=named))


def test_the_state_has_its_version_as_its_etag_and_nothing_of_ours() -> None:
    orders = Orders()
    version = orders.do("place", {"total": 3})[0]["version"]
    answer = get(orders)
    assert (answer.status, answer.json) == (200, {"order_id": "o-1", "status": "placed", "total": 3})
    assert answer.header("ETag") == f'"{version}"'


def test_it_is_read_consistently_by_one_request() -> None:
    orders = Orders()
    asked: list[Any] = []
    orders.client.before["batch_get_item"] = []
    original = orders.dynamodb.batch_get_item
    orders.dynamodb.batch_get_item = lambda **request: (asked.append(request), original(**request))[1]  # type: ignore[method-assign]
    get(orders)
    (request,) = asked
    assert request["RequestItems"][ORDERS] == {"Keys": [{"order_id": {"S": "o-1"}}], "ConsistentRead": True}


@pytest.mark.parametrize("deleted", [False, True], ids=["never", "deleted"])
def test_what_is_not_there_is_404(deleted: bool) -> None:
    orders = Orders()
    if deleted:
        orders.do("place")
        orders.do("cancel", id="id-2")
    answer = get(orders)
    assert (answer.status, answer.header("ETag")) == (404, None)


def test_a_key_that_no_aggregate_has_is_404() -> None:
    orders = Orders()
    assert get(orders, "x" * 1025).status == 404
    assert orders.client.operations == []


def test_a_parameter_that_nobody_looks_at_is_400() -> None:
    orders = Orders()
    orders.do("place", {"total": 3})
    api = Api(lambda request, invocation: shown(request, invocation, orders.model), routes={GET: route(own_keys=True)})
    answer = api.send(event(GET, params={"order_id": "o-1"}, query={"min_version": "1@o-1"}))
    assert answer.status == 400
    assert answer.json["detail"] == "the query string has a parameter that there is not; there are none"


@pytest.mark.parametrize("said", ['"{}"', 'W/"{}"', '"1", "{}"'])
def test_who_has_it_already_is_told_so(said: str) -> None:
    orders = Orders()
    version = orders.do("place")[0]["version"]
    answer = get(orders, If_None_Match=said.format(version))
    assert (answer.status, answer.body, answer.header("ETag")) == (304, b"", f'"{version}"')
    assert get(orders, If_None_Match=said.format(version - 1)).status == 200


def test_an_item_without_a_version_is_shown_without_an_etag() -> None:
    orders = Orders()
    orders.put(order_id={"S": "o-1"}, total={"N": "1.50"})
    answer = get(orders)
    assert (answer.json, answer.header("ETag")) == ({"order_id": "o-1", "total": 1.5}, None)


def test_what_json_has_no_type_for_is_shown_all_the_same() -> None:
    orders = Orders(lambda *_: Decision({"tags": {"b", "a"}, "deep": [{"raw": b"\x00\xff", "n": {2, 1}}]}))
    orders.do("place")
    assert get(orders).json == {"order_id": "o-1", "tags": ["a", "b"], "deep": [{"raw": "AP8=", "n": [1, 2]}]}


def test_a_state_of_newer_code_is_nothing_for_callers() -> None:
    orders = Orders()
    orders.put(order_id={"S": "o-1"}, _aggregate={"M": {"version": {"N": "5"}, "schema": {"N": "2"}}})
    answer = get(orders)
    assert (answer.status, "detail" in answer.problem) == (500, False)


def test_a_table_that_has_no_time_says_when_to_come_again() -> None:
    orders = Orders()

    def throttled() -> None:
        orders.client.before["batch_get_item"] = [throttled]
        raise client_error("dynamodb", "BatchGetItem", ServiceError("ThrottlingException"))

    orders.client.before["batch_get_item"] = [throttled]
    deadline = orders.clock.now + 20
    api = Api(
        lambda request, invocation: shown(request, _Until(invocation, deadline, orders), orders.model),  # type: ignore[arg-type]
        routes={GET: route(own_keys=True)},
    )
    answer = api.send(event(GET, params={"order_id": "o-1"}))
    assert (answer.status, answer.header("Retry-After")) == (503, "1")


class _Until:
    """An invocation whose time runs by the table's clock."""

    def __init__(self, invocation: Any, deadline: float, orders: Orders) -> None:
        self.logger = invocation.logger
        self.remaining = lambda: deadline - orders.clock.now


def test_the_contract_names_the_door() -> None:
    module, _, name = contract.GET_DOOR.partition(":")
    assert (module, name) == (shown.__module__, "get_aggregate")
