"""What each function behind an API may do: what the runtime calls and nothing else."""

from collections.abc import Callable

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_kms as kms

from serverless_patterns import LambdaAuthorizer, Route
from tests.template.apis import a_function, an_api, get, take
from tests.template.stacks import TABLE_KEY, a_handler, a_table, new_stack, resources, statements
from tests.template.test_load_leveled_queue_permissions import ITEMS, actions_on

EFFECTS = {"dynamodb:GetItem", "dynamodb:PutItem"}
LEASES = {"dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:UpdateItem"}


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        (lambda: Route("POST /orders", take()), EFFECTS),
        (lambda: Route("GET /orders", take()), EFFECTS),
        (lambda: Route("POST /orders", get()), LEASES),
        (lambda: Route("PUT /orders", get()), LEASES),
    ],
)
def test_claims_are_allowed_what_the_way_of_claiming_needs(route: Callable[[], Route], expected: set[str]) -> None:
    stack = new_stack()
    an_api(stack, route())
    assert actions_on(stack, "ApiClaims") == expected


def test_a_function_that_keeps_no_keys_may_not_touch_the_claims_of_others() -> None:
    stack = new_stack()
    api = an_api(stack, Route("POST /orders", take()), Route("GET /orders", get()))
    policies = {id: str(it["Properties"]["PolicyDocument"]) for id, it in resources(stack, "IAM::Policy").items()}
    assert any("ApiClaims" in text for id, text in policies.items() if "WebTake" in id)
    assert not any("ApiClaims" in text for id, text in policies.items() if "WebGet" in id)
    assert api.required_endpoints == ("dynamodb",)


def test_a_table_of_a_handler_is_its_own_alone() -> None:
    stack = new_stack()
    an_api(stack, Route("GET /orders", get(tables={"ORDERS": a_table(stack)})), Route("POST /orders", take()))
    assert actions_on(stack, "Orders") == ITEMS
    policies = {id: str(it["Properties"]["PolicyDocument"]) for id, it in resources(stack, "IAM::Policy").items()}
    assert [id for id, text in policies.items() if "OrdersA9B65338" in text and "WebGet" not in id] == []


def test_a_customer_key_comes_with_the_claims() -> None:
    stack = new_stack()
    an_api(stack, Route("POST /orders", get()), encryption_key=kms.Key(stack, "Key"))
    assert actions_on(stack, "Key") >= TABLE_KEY


def test_an_authorizer_may_do_nothing_but_log_and_trace() -> None:
    stack = new_stack()
    an_api(stack, Route("GET /orders", get()), authorizer=LambdaAuthorizer(a_handler("web:identify")))
    assert all_actions(stack) == {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }


def all_actions(stack: Stack) -> set[str]:
    return {action for statement in statements(stack) for action in statement["Action"]}


def test_no_action_and_no_resource_but_x_ray_s_is_a_wildcard() -> None:
    stack = new_stack()
    handler = take(tables={"ORDERS": a_table(stack)})
    an_api(stack, Route("POST /orders", handler), authorizer=LambdaAuthorizer(a_handler("web:identify")))
    assert not [action for action in all_actions(stack) if "*" in action]
    wild = {action for each in statements(stack) if "*" in str(each["Resource"]) for action in each["Action"]}
    assert {action.split(":")[0] for action in wild} == {"xray"}


def invoked(stack: Stack) -> list[str]:
    """What the gateway may invoke, by logical id."""
    return [it["Properties"]["FunctionName"]["Fn::GetAtt"][0] for it in resources(stack, "Lambda::Permission").values()]


def test_functions_whose_names_read_alike_have_a_permission_each() -> None:
    stack = Stack(App(), "Web")  # `Web/Get` reads like the handler `web:get`
    own = [a_function(stack, id) for id in ("getOrder", "get-order", "GetOrder", "Get")]
    routes = [Route(f"GET /{position}", function) for position, function in enumerate([*own, own[0]])]
    an_api(stack, *routes, Route("GET /handler", get()))
    assert sorted(invoked(stack)) == sorted(resources(stack, "Lambda::Function"))


def test_a_function_keeps_the_id_of_its_permission_when_others_come() -> None:
    def ids(*names: str) -> set[str]:
        stack = new_stack()
        an_api(stack, *(Route(f"GET /{name}", a_function(stack, name)) for name in names))
        return {*resources(stack, "Lambda::Permission")}

    assert ids("Other") < ids("Other", "getOrder", "get-order")
