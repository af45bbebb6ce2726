"""What each function of a gateway may do: what it calls, and nothing else."""

from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_kms as kms

from serverless_patterns import HttpBackend, Shadow
from tests.template.apis import a_function, get, take
from tests.template.gateways import a_gateway, a_route, three_stages
from tests.template.stacks import TABLE_KEY, new_stack, resources, statements


def allowed(stack: Stack, role: str) -> dict[str, set[str]]:
    """What a function's own policy allows: actions by the logical id, without its hash, of what they are allowed on."""
    found: dict[str, set[str]] = {}
    for id, policy in resources(stack, "IAM::Policy").items():
        if id.startswith(f"{role}RoleDefaultPolicy"):
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
                for resource in _listed(statement["Resource"]):
                    found.setdefault(_name(resource), set()).update(_listed(statement["Action"]))
    return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _name(resource: Any) -> str:
    return resource if isinstance(resource, str) else (resource.get("Fn::GetAtt") or [resource["Ref"]])[0][:-8]


ROUTING = {"dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"}
BREAKERS = {"dynamodb:GetItem", "dynamodb:UpdateItem"}
INVOKE = {"lambda:InvokeFunction"}


def test_the_router_may_read_and_count_and_call_the_new_side_of_what_is_migrating() -> None:
    stack = new_stack()
    a_gateway(stack, *three_stages())
    assert allowed(stack, "GatewayRouter") == {
        "GatewayControlTable": ROUTING,
        "GatewayBreakerTable": BREAKERS,
        "GatewayApiWebGet": INVOKE,
        "GatewayApiWebTake": INVOKE,
    }


def test_the_router_may_call_what_is_done_for_as_long_as_there_is_one_and_nothing_of_legacy_s() -> None:
    """What it may do changes before the stage does, which still sends it requests of the route."""
    stack = new_stack()
    others = a_route("POST /basket", take(), stage="done"), a_route("GET /a", a_function(stack), stage="legacy")
    a_gateway(stack, a_route(), *others)
    functions = {"GatewayApiWebGet", "GatewayApiWebTake"}
    assert {*allowed(stack, "GatewayRouter")} == {"GatewayControlTable", "GatewayBreakerTable", *functions}


def test_a_router_of_services_may_call_no_function() -> None:
    stack = new_stack()
    a_gateway(stack, a_route(target=HttpBackend("https://a.example/{id}")))
    assert {*allowed(stack, "GatewayRouter")} == {"GatewayControlTable", "GatewayBreakerTable"}


def test_the_shadow_may_call_the_new_side_of_its_routes_and_nothing_else() -> None:
    stack = new_stack()
    a_gateway(stack, a_route(shadow=Shadow()), a_route("POST /basket", take()))
    assert allowed(stack, "GatewayShadow") == {"GatewayApiWebGet": INVOKE}
    assert allowed(stack, "GatewayRouter")["GatewayShadow"] == INVOKE


def test_commands_and_sweeps_may_change_the_table_and_forget_breakers_and_nothing_else() -> None:
    stack = new_stack()
    a_gateway(stack)
    assert allowed(stack, "GatewayControl") == {
        "GatewayControlTable": {"dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem"},
        "GatewayBreakerTable": {"dynamodb:DeleteItem", "dynamodb:Scan"},
    }


def test_the_new_side_may_not_touch_percentages() -> None:
    stack = new_stack()
    a_gateway(stack, a_route("POST /basket", take()))
    assert {*allowed(stack, "GatewayApiWebTake")} == {"GatewayApiClaims"}


def test_a_customer_key_comes_with_the_tables_to_those_who_use_them() -> None:
    stack = new_stack()
    a_gateway(stack, a_route(target=get()), encryption_key=kms.Key(stack, "Key"))
    for role in ("GatewayRouter", "GatewayControl"):
        assert allowed(stack, role)["Key"] >= TABLE_KEY


@pytest.mark.parametrize("always_route", [False, True])
def test_no_action_and_no_resource_but_x_ray_s_is_a_wildcard(always_route: bool) -> None:
    stack = new_stack()
    a_gateway(stack, a_route(shadow=Shadow()), *three_stages()[1:], always_route=always_route)
    assert not [action for one in statements(stack) for action in one["Action"] if "*" in action]
    wild = {action for one in statements(stack) if "*" in str(one["Resource"]) for action in one["Action"]}
    assert {action.split(":")[0] for action in wild} == {"xray"}
