"""What each function behind an API may do: what the runtime calls and nothing else."""

from collections.abc import Callable

import pytest
from aws_cdk import Stack
from aws_cdk import aws_kms as kms

from serverless_patterns import LambdaAuthorizer, Route
from tests.template.apis import an_api, get, take
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
