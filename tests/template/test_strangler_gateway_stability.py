"""Stages and the order of routes change what they are about; what holds data keeps its logical id through all of it."""

import json
import re
from typing import Any

import pytest
from aws_cdk import Stack
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from serverless_patterns import HttpBackend, LambdaAuthorizer, MigratedRoute, Shadow
from tests.template.apis import get, take
from tests.template.gateways import a_gateway, a_route, three_stages
from tests.template.stacks import a_handler, a_table, new_stack
from tests.template.test_stability import FLAGS, masked, resources_of

# Renaming one of these forgets percentages, kills, pins or keys, or changes the address, of everybody who updates.
STATEFUL = {
    "GatewayApiClaims59A34019": "AWS::DynamoDB::Table",
    "GatewayApiRestApi04D7CB04": "AWS::ApiGateway::RestApi",
    "GatewayBreakerTable95A5CC60": "AWS::DynamoDB::Table",
    "GatewayControlTable5D675111": "AWS::DynamoDB::Table",
}


def an_ordinary_stack(context: dict[str, Any] | None = None) -> Stack:
    stack = new_stack(context)
    a_gateway(
        stack,
        a_route("GET /profile/{id}", get(tables={"ORDERS": a_table(stack)}), shadow=Shadow(compare=["$.name"])),
        a_route("POST /basket", take()),
        a_route("GET /prices/{day}", HttpBackend("https://prices.example.com/{day}"), stage="done"),
        auth=LambdaAuthorizer(a_handler("web:identify")),
        force_header="X-Side",
    )
    return stack


def holding(stack: Stack) -> dict[str, str]:
    types = {*STATEFUL.values()}
    return {
        id: it["Type"] for id, it in resources_of(stack).items() if it["Type"] in types and id.startswith("Gateway")
    }


@pytest.mark.parametrize("context", [{}, FLAGS], ids=["no flags", "all flags"])
def test_what_holds_data_or_an_address_keeps_its_logical_id(context: dict[str, Any]) -> None:
    assert holding(an_ordinary_stack(context)) == STATEFUL


def test_feature_flags_change_no_resource_of_ours() -> None:
    without, with_flags = (masked(an_ordinary_stack(context)) for context in ({}, FLAGS))
    assert with_flags == without


def test_the_order_of_routes_changes_nothing() -> None:
    templates: list[dict[str, Any]] = []
    for turned in (False, True):
        stack = new_stack()
        routes = three_stages()
        a_gateway(stack, *(reversed(routes) if turned else routes))
        templates.append(resources_of(stack))
    assert templates[0] == templates[1]


def stack_with(stage: Any, *more: MigratedRoute) -> dict[str, Any]:
    stack = new_stack()
    a_gateway(stack, a_route("POST /basket", take(), stage=stage), *more)
    return resources_of(stack)


def test_a_route_that_is_done_keeps_its_function_and_its_claims_as_they_were() -> None:
    """Another route is migrating, so that the router stays and may call it all the same: one integration changes."""
    other = a_route("GET /profile/{id}")
    before, after = stack_with("migrating", other), stack_with("done", other)
    changed = {id for id in {*before, *after} if before.get(id) != after.get(id)}
    types = sorted({it["Type"] for id in changed for it in (before.get(id) or after[id],)})
    assert types == [
        "AWS::ApiGateway::Deployment",
        "AWS::ApiGateway::Method",
        "AWS::ApiGateway::Stage",
        "AWS::Lambda::Function",
    ]
    functions = {id[:-8] for id in changed if (before.get(id) or after[id])["Type"] == "AWS::Lambda::Function"}
    assert functions == {"GatewayControl", "GatewayRouter"}, "their file names the routes"
    methods = [id for id in changed if (before.get(id) or after[id])["Type"] == "AWS::ApiGateway::Method"]
    assert len(methods) == 1
    (method,) = methods
    was, is_now = before[method]["Properties"], after[method]["Properties"]
    assert {name for name in {*was, *is_now} if was.get(name) != is_now.get(name)} == {"Integration"}


def test_the_last_route_that_is_done_takes_the_router_and_its_tables_away_and_nothing_else_of_its_own() -> None:
    before, after = stack_with("migrating"), stack_with("done")
    kept = {id: it for id, it in after.items() if "ApiWebTake" in id or "ApiClaims" in id}
    assert kept == {id: it for id, it in before.items() if "ApiWebTake" in id or "ApiClaims" in id}
    gone = {re.sub(r"[0-9A-F]{8}$", "", id) for id in before if id not in after and "Deployment" not in id}
    assert gone == {
        "GatewayBreakerTable",
        "GatewayControl",
        "GatewayControlLogs",
        "GatewayControlRole",
        "GatewayControlRoleDefaultPolicy",
        "GatewayControlTable",
        "GatewayNewSideErrorsAlarm",
        "GatewayRolledBackAlarm",
        "GatewayRouteStoreUnavailableAlarm",
        "GatewayRouter",
        "GatewayRouterLogs",
        "GatewayRouterPermission",
        "GatewayRouterRole",
        "GatewayRouterRoleDefaultPolicy",
        "GatewaySweep",
        "GatewaySweepAllowEventRuleShopGatewayControlE48D0F78",
    }


def test_another_route_leaves_the_functions_of_the_others_alone() -> None:
    before, after = stack_with("migrating"), stack_with("migrating", a_route("GET /profile/{id}"))
    assert {id: it for id, it in before.items() if "ApiWebTake" in id} == {
        id: it for id, it in after.items() if "ApiWebTake" in id
    }
    assert {id for id in before if id not in after and "Deployment" not in id} == set()


def test_what_code_says_first_is_in_the_functions_file_and_moves_no_table() -> None:
    stacks = [stack_with("migrating", a_route("GET /a", initial_percent=percent)) for percent in (5, 50)]
    changed = {id[:-8] for id in stacks[0] if stacks[0][id] != stacks[1].get(id)}
    assert changed == {"GatewayControl", "GatewayRouter"}


def test_the_same_gateway_gives_the_same_template_twice() -> None:
    assert resources_of(an_ordinary_stack()) == resources_of(an_ordinary_stack())


def test_two_gateways_of_one_stack_share_nothing() -> None:
    stack = new_stack()
    a_gateway(stack, id="One")
    a_gateway(stack, id="Two")
    ids = [id for id, it in resources_of(stack).items() if it["Type"] == "AWS::DynamoDB::Table"]
    assert sorted(id[:-8] for id in ids) == ["OneBreakerTable", "OneControlTable", "TwoBreakerTable", "TwoControlTable"]


def test_the_template_reads_like_this(snapshot: SnapshotAssertion) -> None:
    """The few words that a reviewer sees change; what they mean is held by the other tests."""
    kept = (
        "ApiGateway::",
        "Lambda::Function",
        "Lambda::Permission",
        "Lambda::EventInvokeConfig",
        "DynamoDB::Table",
        "Events::Rule",
    )
    ours = {
        id: it for id, it in masked(an_ordinary_stack()).items() if it["Type"].removeprefix("AWS::").startswith(kept)
    }
    text = re.sub(r"(RestApiDeployment[0-9A-F]{8})[0-9a-f]{32}", r"\1<hash>", json.dumps(ours))
    assert json.loads(text) == snapshot.use_extension(JSONSnapshotExtension)
