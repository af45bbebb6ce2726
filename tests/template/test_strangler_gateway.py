"""What CloudFormation is told of a StranglerGateway: where each request goes, and what the router knows."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, CfnParameter, Duration, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk.assertions import Annotations, Match, Template

from serverless_patterns import (
    Defaults,
    Domain,
    HttpBackend,
    IamAuthorizer,
    LambdaAuthorizer,
    MigratedRoute,
    Rollback,
    Shadow,
    Sticky,
    Throttle,
    _layer,
)
from tests.template.apis import ORDER, a_function, functions, get, methods, take, the_routes, the_stage, variables_of
from tests.template.gateways import URL, a_gateway, a_route, legacy, the_migration, three_stages
from tests.template.stacks import a_handler, new_stack, refusal, resources, the, warnings

NAME = "Shop-Gateway-71B805B8"
"""By default, made of the path. Another one would place every caller anew."""


def integration(stack: Stack, route: str) -> dict[str, Any]:
    return methods(stack)[route]["Integration"]


def goes_to(stack: Stack, route: str) -> str:
    """`legacy`, or the logical id of the function without its hash."""
    found = integration(stack, route)
    if found["Type"] == "HTTP_PROXY":
        return "legacy"
    (id,) = [part["Fn::GetAtt"][0] for part in found["Uri"]["Fn::Join"][1] if "Fn::GetAtt" in part]
    return id[:-8]


def where(*routes: MigratedRoute, **arguments: Any) -> dict[str, str]:
    stack = new_stack()
    a_gateway(stack, *routes, **arguments)
    return {route: goes_to(stack, route) for route in methods(stack)}


def test_each_stage_goes_where_it_says_and_everything_else_to_legacy() -> None:
    assert where(*three_stages()) == {
        "ANY /": "legacy",
        "ANY /basket": "legacy",
        "ANY /basket/{proxy+}": "legacy",
        "ANY /catalogue": "legacy",
        "ANY /catalogue/{proxy+}": "legacy",
        "ANY /profile": "legacy",
        "ANY /profile/{id}": "legacy",
        "ANY /profile/{id}/{proxy+}": "legacy",
        "ANY /{proxy+}": "legacy",
        "GET /catalogue": "GatewayApiWebGet",
        "GET /profile/{id}": "GatewayRouter",
        "POST /basket": "GatewayRouter",
    }


def test_always_route_sends_what_is_legacy_s_through_the_router_and_what_is_done_not() -> None:
    found = where(*three_stages(), always_route=True)
    assert {route for route, to in found.items() if to != "GatewayRouter"} == {"GET /catalogue"}


def test_a_router_may_have_nothing_to_decide() -> None:
    stack = new_stack()
    a_gateway(stack, routes=[], always_route=True)
    assert {goes_to(stack, route) for route in methods(stack)} == {"GatewayRouter"}
    assert the_migration(stack)["routes"] == {}
    assert variables_of(stack, "GatewayRouter")["TARGETS"] == "{}"


def test_a_route_that_takes_every_method_leaves_none_to_legacy() -> None:
    found = where(a_route("ANY /basket/{proxy+}"), a_route("ANY /"))
    assert found == {
        "ANY /": "GatewayRouter",
        "ANY /basket": "legacy",
        "ANY /basket/{proxy+}": "GatewayRouter",
        "ANY /{proxy+}": "legacy",
    }


def test_where_a_parameter_stands_at_the_top_it_catches_the_rest() -> None:
    assert {*where(a_route("GET /{page}"))} == {"ANY /", "ANY /{page}", "ANY /{page}/{proxy+}", "GET /{page}"}


@pytest.mark.parametrize("stage", ["migrating", "done"])
@pytest.mark.parametrize(
    ("wide", "own"),
    [
        ("GET /profile/{id}", "GET /profile/me"),
        ("ANY /orders/{proxy+}", "GET /orders/report"),
        ("ANY /orders/{proxy+}", "GET /orders/of/{day}"),
    ],
)
def test_what_is_said_to_be_legacy_s_stays_so_whatever_wider_route_moves(stage: Any, wide: str, own: str) -> None:
    found = where(a_route(wide, stage=stage), a_route(own, stage="legacy"))
    assert found.get(own, found[f"ANY {own.partition(' ')[2]}"]) == "legacy"
    assert found[wide] != "legacy"


@pytest.mark.parametrize(("stage", "to"), [("migrating", "GatewayRouter"), ("done", "GatewayApiWebTake")])
def test_what_a_closer_route_leaves_is_the_wider_one_s_that_has_moved(stage: Any, to: str) -> None:
    stack = new_stack()
    whole = a_route("ANY /orders/{proxy+}", take(), stage=stage)
    gateway = a_gateway(stack, whole, a_route("GET /orders/report", stage="done"))
    assert {route: goes_to(stack, route) for route in methods(stack)} == {
        "ANY /": "legacy",
        "ANY /orders": "legacy",
        "ANY /orders/report": to,
        "ANY /orders/report/{proxy+}": to,
        "ANY /orders/{proxy+}": to,
        "ANY /{proxy+}": "legacy",
        "GET /orders/report": "GatewayApiWebGet",
    }
    told = the_routes(stack, "GatewayApiWebTake")
    assert {route: said.get("stands_for") for route, said in told.items()} == {
        "ANY /orders/report": whole.route,
        "ANY /orders/report/{proxy+}": whole.route,
        "ANY /orders/{proxy+}": None,
    }
    assert {*gateway.functions} == {whole.route, "GET /orders/report"}, "what was listed, and nothing else"


def test_the_router_is_told_whose_a_route_is_that_nobody_has_listed() -> None:
    stack = new_stack()
    legacy_s = a_route("PUT /orders/report", stage="legacy")
    a_gateway(stack, a_route("ANY /orders/{proxy+}", take()), legacy_s, always_route=True)
    assert the_migration(stack).get("left") == {
        "ANY /orders/report": "ANY /orders/{proxy+}",
        "ANY /orders/report/{proxy+}": "ANY /orders/{proxy+}",
        "PUT /orders/report": "",
    }


def test_a_service_that_stands_elsewhere_is_called_by_its_own_parameters() -> None:
    stack = new_stack()
    service = HttpBackend("https://orders.example.com/v2/{shop}/{proxy}")
    a_gateway(stack, a_route("ANY /{shop}/orders/{proxy+}", service, stage="done"), a_route("GET /main/orders/report"))
    assert {
        route: integration(stack, route)["Uri"] for route in methods(stack) if route.startswith("ANY /main/orders/")
    } == {
        "ANY /main/orders/report": "https://orders.example.com/v2/main/report",
        "ANY /main/orders/report/{proxy+}": "https://orders.example.com/v2/main/report/{proxy}",
        "ANY /main/orders/{proxy+}": "https://orders.example.com/v2/main/{proxy}",
    }


def test_a_variable_child_is_there_before_its_route_moves() -> None:
    """API Gateway has one for each resource, and CloudFormation makes the next before it takes the last away."""
    routes = [
        "GET /{page}",
        "GET /profile/avatar",
        "GET /profile/{id}",
        "PUT /profile/{id}/{part}",
        "ANY /files/{name+}",
    ]
    seen: dict[str, str] = {}
    for moved in range(len(routes) + 1):
        found = where(*(a_route(text, stage="done" if at < moved else "legacy") for at, text in enumerate(routes)))
        for path in (route.partition(" ")[2] for route in found):
            parts = path.split("/")
            for at, part in enumerate(parts):
                if part.startswith("{"):
                    assert seen.setdefault("/".join(parts[:at]), part) == part


def test_a_parameter_named_proxy_is_left_its_name() -> None:
    assert "ANY /{proxy}/{proxy_+}" in where(a_route("GET /{proxy}"))


def test_legacy_is_called_with_the_same_path_within_its_own_time() -> None:
    stack = new_stack()
    backend = legacy(url=f"{URL}:8443/shop/", timeout=Duration.seconds(10), headers={"X-Tenant": "shop"})
    a_gateway(stack, a_route(), legacy=backend)
    assert integration(stack, "ANY /profile/{id}/{proxy+}") == {
        "IntegrationHttpMethod": "ANY",
        "RequestParameters": {
            "integration.request.path.id": "method.request.path.id",
            "integration.request.path.proxy": "method.request.path.proxy",
            "integration.request.header.X-Forwarded-Host": "context.domainName",
            "integration.request.header.X-Forwarded-Prefix": "'/live'",
            "integration.request.header.X-Tenant": "'shop'",
        },
        "TimeoutInMillis": 10_000,
        "Type": "HTTP_PROXY",
        "Uri": f"{URL}:8443/shop/profile/{{id}}/{{proxy}}",
    }
    assert integration(stack, "ANY /")["Uri"] == f"{URL}:8443/shop/"
    assert variables_of(stack, "GatewayRouter")["LEGACY_URL"] == f"{URL}:8443/shop"


def test_without_anything_to_route_there_is_no_router_and_no_table() -> None:
    stack = new_stack()
    gateway = a_gateway(stack, a_route(stage="done"), a_route("GET /later", stage="legacy"))
    assert [*functions(stack)] == ["GatewayApiWebGet"]
    assert resources(stack, "DynamoDB::Table") == {}
    assert {*gateway.alarms} == {"ServerErrors", "Latency"}
    nothing = (gateway.router_function, gateway.control_function, gateway.shadow_function, gateway.control_table)
    assert (*nothing, gateway.breaker_table, gateway.dashboard) == (None,) * 6
    assert gateway.required_endpoints == ()


def test_a_gateway_may_begin_with_no_route_at_all() -> None:
    assert where(routes=[]) == {"ANY /": "legacy", "ANY /{proxy+}": "legacy"}


def test_legacy_s_routes_define_nothing_of_the_new_side() -> None:
    stack = new_stack()
    a_gateway(stack, a_route(stage="legacy"))
    assert functions(stack) == {}
    assert [*methods(stack)] == ["ANY /", "ANY /{proxy+}"]


def test_every_body_is_bytes_and_the_gateway_validates_none() -> None:
    stack = new_stack()
    a_gateway(stack, a_route("POST /orders", take(), body=ORDER), a_route("GET /done", stage="done"))
    assert the(stack, "ApiGateway::RestApi")["BinaryMediaTypes"] == ["*/*"]
    assert "RequestModels" not in methods(stack)["POST /orders"]
    assert resources(stack, "ApiGateway::RequestValidator") == {}
    assert resources(stack, "ApiGateway::Model") == {}
    assert "body" in the_routes(stack, "GatewayApiWebTake")["POST /orders"]
    assert variables_of(stack, "GatewayApiWebTake")["BINARY_MEDIA_TYPES"] == "*/*"


def test_a_required_query_is_asked_for_by_the_function_alone() -> None:
    stack = new_stack()
    page = {"type": "object", "required": ["page"], "properties": {"page": {"type": "integer"}}}
    a_gateway(stack, a_route("GET /orders", query=page))
    assert "RequestParameters" not in methods(stack)["GET /orders"]
    assert the_routes(stack, "GatewayApiWebGet")["GET /orders"].get("query_types") == {"page": "integer"}


def test_the_router_is_told_of_every_route_that_is_migrating() -> None:
    stack, read = new_stack(), get()
    routes = [
        a_route(
            "GET /profile/{id}",
            read,
            initial_percent=12.5,
            generation=3,
            sticky=Sticky(header="X-Device"),
            shadow=Shadow(percent=10, compare=["$.name", "$.lines[*].price"]),
            rollback=Rollback(max_error_percent=1, min_requests=20, window=Duration.minutes(2)),
            timeout=Duration.millis(1500),
        ),
        a_route("POST /basket", take(), rollback=None),
        a_route("GET /prices/{day}", HttpBackend("https://prices.example.com/v1/{day}"), fallback=False),
        a_route("GET /catalogue", read, stage="done"),
        a_route("GET /stock", HttpBackend("https://stock.example.com"), stage="done"),
        a_route("GET /plain", HttpBackend("http://a.example.com", allow_plain_http=True), stage="done"),
        a_route("GET /token", HttpBackend(CfnParameter(stack, "Url").value_as_string), stage="done"),
        a_route("GET /reports", stage="legacy"),
    ]
    a_gateway(
        stack, *routes, sticky=Sticky(cookie="session"), force_header="X-Side", max_body_bytes=1000,
        integration_timeout=Duration.seconds(20), legacy=legacy(timeout=Duration.seconds(12), headers={"X-A": "b"}),
    )  # fmt: skip
    breaker = {"failure_threshold": 5, "window_seconds": 60.0, "open_seconds": 30.0, "cache_seconds": 5.0}
    assert the_migration(stack) == {
        "gateway": NAME,
        "cookie": f"side-{NAME}",
        "cache_seconds": 5.0,
        "deadline_seconds": 20.0,
        "max_body_bytes": 1000,
        "legacy_timeout_seconds": 12.0,
        "legacy_headers": {"X-A": "b"},
        "loopback": False,
        "private": False,
        "base_path": "",
        "pin_seconds": 691_200,
        "force_header": "X-Side",
        "done": {"GET /catalogue": {"function": "WebGet"}, "GET /stock": {"url": "https://stock.example.com"}},
        "elsewhere": ["GET /plain", "GET /token"],
        "legacy": ["GET /reports"],
        "left": {},
        "routes": {
            "GET /profile/{id}": {
                "generation": 3,
                "initial_percent": 12.5,
                "function": "WebGet",
                "timeout_seconds": 1.5,
                "sticky": {"header": "X-Device"},
                "fallback": True,
                "rollback": {"max_error_percent": 1, "min_requests": 20, "window_seconds": 120},
                "breaker": breaker,
                "shadow": {"percent": 10, "compare": ["$.name", "$.lines[*].price"], "declared": False},
            },
            "POST /basket": {
                "generation": 1,
                "initial_percent": 0,
                "function": "WebTake",
                "timeout_seconds": 10.0,
                "sticky": {"cookie": "session"},
                "fallback": False,
                "breaker": breaker,
            },
            "GET /prices/{day}": {
                "generation": 1,
                "initial_percent": 0,
                "url": "https://prices.example.com/v1/{day}",
                "timeout_seconds": 10.0,
                "sticky": {"cookie": "session"},
                "fallback": False,
                "rollback": {"max_error_percent": 2, "min_requests": 50, "window_seconds": 60},
                "breaker": breaker,
            },
        },
    }
    assert the_migration(stack, "GatewayControl") == the_migration(stack, "GatewayShadow") == the_migration(stack)


def test_the_router_knows_functions_by_ids_and_the_shadow_those_of_its_routes() -> None:
    stack = new_stack()
    a_gateway(stack, a_route(shadow=Shadow()), a_route("POST /basket", take()))
    router, shadow = variables_of(stack, "GatewayRouter"), variables_of(stack, "GatewayShadow")
    assert named(router["TARGETS"]) == {"WebGet": "GatewayApiWebGet", "WebTake": "GatewayApiWebTake"}
    assert named(shadow["TARGETS"]) == {"WebGet": "GatewayApiWebGet"}
    assert router["SHADOW_FUNCTION"]["Ref"].startswith("GatewayShadow")
    assert shadow["SHADOW_FUNCTION"] == ""
    config = the(stack, "Lambda::EventInvokeConfig")
    assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (0, 60)


def test_a_route_that_is_done_calls_its_alias_and_the_router_that_too() -> None:
    """Until the stage is deployed API Gateway still sends its requests to a router that is there already."""
    stack = new_stack()
    warm = a_route("POST /basket", take(provisioned_concurrent_executions=2), stage="done")
    a_gateway(stack, a_route(), warm, a_route("GET /own", a_function(stack), stage="done"))
    assert {*the_migration(stack)["done"]} == {"POST /basket", "GET /own"}  # pyright: ignore[reportTypedDictNotRequiredAccess]
    targets = json.dumps(variables_of(stack, "GatewayRouter")["TARGETS"])
    assert "GatewayApiWebTakeLive" in targets
    assert "GatewayApiWebTakeLive" in json.dumps(integration(stack, "POST /basket")["Uri"])
    assert "Router" not in json.dumps(integration(stack, "GET /own")["Uri"])


def named(targets: Any) -> dict[str, str]:
    """What `TARGETS` holds once CloudFormation has filled it in with logical ids, their hashes cut off."""
    parts = targets["Fn::Join"][1]
    return json.loads("".join(part if isinstance(part, str) else part["Ref"][:-8] for part in parts))


def test_a_function_that_is_kept_warm_is_called_by_its_alias() -> None:
    stack = new_stack()
    a_gateway(stack, a_route(target=get(provisioned_concurrent_executions=2)))
    targets = json.dumps(variables_of(stack, "GatewayRouter")["TARGETS"])
    assert "GatewayApiWebGetLive" in targets


def test_functions_that_exist_are_called_as_they_were_given() -> None:
    stack = new_stack()
    arn = "arn:aws:lambda:eu-west-1:111122223333:function:profiles"
    theirs = lambda_.Function.from_function_arn(stack, "Theirs", arn)
    own = a_function(stack)
    gateway = a_gateway(stack, a_route(target=theirs), a_route("GET /own", own))
    targets = variables_of(stack, "GatewayRouter")["TARGETS"]
    assert arn in json.dumps(targets)
    assert gateway.function_for("GET /own").node.path == own.node.path
    assert {*the_migration(stack)["routes"]} == {"GET /own", "GET /profile/{id}"}


def test_the_gateway_may_call_each_function_before_the_stage_sends_it_anything() -> None:
    stack = new_stack()
    a_gateway(stack, *three_stages())
    found = resources(stack, "Lambda::Permission").items()
    permissions = {id: it for id, it in found if it["Properties"]["Principal"] == "apigateway.amazonaws.com"}
    names = {id[:-8] for id in permissions}
    assert names == {"GatewayRouterPermission", "GatewayApiWebGetPermission", "GatewayApiWebTakePermission"}
    for permission in permissions.values():
        assert json.dumps(permission["Properties"]["SourceArn"]).endswith('"/live/*/*"]]}')
    (deployment,) = resources(stack, "ApiGateway::Deployment").values()
    assert {*permissions} <= {*deployment["DependsOn"]}


def test_once_a_day_the_control_function_is_told_to_sweep_and_nothing_else_by_that_rule_alone() -> None:
    stack = new_stack()
    a_gateway(stack)
    ((name, rule),) = resources(stack, "Events::Rule").items()
    (target,) = rule["Properties"]["Targets"]
    (control,) = [id for id in resources(stack, "Lambda::Function") if id.startswith("GatewayControl")]
    assert (rule["Properties"]["ScheduleExpression"], rule["Properties"]["State"]) == ("rate(1 day)", "ENABLED")
    assert target["Arn"] == {"Fn::GetAtt": [control, "Arn"]}
    assert json.loads(target["Input"]) == {"action": "sweep"}
    found = [it["Properties"] for it in resources(stack, "Lambda::Permission").values()]
    (permission,) = [it for it in found if it["Principal"] == "events.amazonaws.com"]
    assert permission["FunctionName"] == {"Fn::GetAtt": [control, "Arn"]}
    assert permission["SourceArn"] == {"Fn::GetAtt": [name, "Arn"]}


def test_without_a_router_nothing_is_swept() -> None:
    stack = new_stack()
    a_gateway(stack, a_route(stage="done"), a_route("GET /old", stage="legacy"))
    assert not resources(stack, "Events::Rule")


@pytest.mark.parametrize("stage", ["migrating", "done"])
def test_the_gateway_may_call_the_new_side_itself_in_both_stages(stage: Any) -> None:
    stack = new_stack()
    a_gateway(stack, a_route(stage=stage))
    assert [id for id in resources(stack, "Lambda::Permission") if "WebGetPermission" in id]


def test_behind_a_vpc_link_legacy_is_called_through_it_and_the_router_runs_there() -> None:
    stack = new_stack()
    link = apigateway.VpcLink.from_vpc_link_id(stack, "Link", "link-1")
    vpc = ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id="vpc-1", availability_zones=["a"], private_subnet_ids=["subnet-1"]
    )
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-1")
    a_gateway(stack, legacy=legacy(vpc_link=link, vpc=vpc, security_groups=[group]))
    found = integration(stack, "ANY /{proxy+}")
    assert found["ConnectionType"] == "VPC_LINK"
    assert found["ConnectionId"] == "link-1"
    assert functions(stack)["GatewayRouter"]["VpcConfig"] == {"SecurityGroupIds": ["sg-1"], "SubnetIds": ["subnet-1"]}
    assert "VpcConfig" not in functions(stack)["GatewayControl"]
    assert the_migration(stack)["private"] is True
    assert any("route to dynamodb, lambda" in text for text in warnings(stack))


def test_behind_a_vpc_link_the_app_s_own_vpc_reaches_what_is_private_too() -> None:
    stack = new_stack()
    link = apigateway.VpcLink.from_vpc_link_id(stack, "Link", "link-1")
    vpc = ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id="vpc-1", availability_zones=["a"], private_subnet_ids=["subnet-1"]
    )
    Defaults.of(stack).set(vpc=vpc)
    a_gateway(stack, legacy=legacy(vpc_link=link))
    assert the_migration(stack)["private"] is True


def test_with_legacy_s_own_checks_every_route_is_public_and_its_header_is_nobody_else_s() -> None:
    stack = new_stack()
    a_gateway(stack, *three_stages())
    assert {method["AuthorizationType"] for method in methods(stack).values()} == {"NONE"}


@pytest.mark.parametrize(
    ("authorizer", "kind"),
    [(IamAuthorizer, "AWS_IAM"), (lambda: LambdaAuthorizer(a_handler("web:identify")), "CUSTOM")],
)
def test_an_authorizer_is_asked_about_every_request_legacy_s_too(authorizer: Any, kind: str) -> None:
    stack = new_stack()
    a_gateway(stack, *three_stages(), auth=authorizer())
    assert {method["AuthorizationType"] for method in methods(stack).values()} == {kind}


def test_functions_run_on_this_machine_in_a_test_alone() -> None:
    stack = new_stack({"serverless-patterns:local": "true"})
    a_gateway(stack, legacy=legacy(url="http://127.0.0.1:8080"))
    assert the_migration(stack)["loopback"] is True


def test_tables_hold_what_routers_and_commands_share() -> None:
    stack = new_stack()
    a_gateway(stack)
    control = the(stack, "DynamoDB::Table", "ControlTable")
    assert [key["AttributeName"] for key in control["KeySchema"]] == ["kind", "entry"]
    assert control["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    breakers = the(stack, "DynamoDB::Table", "BreakerTable")
    assert [key["AttributeName"] for key in breakers["KeySchema"]] == ["breaker"]


@pytest.mark.parametrize(("days", "pinned"), [(1, 8), (7, 8), (30, 31)])
def test_a_key_is_pinned_for_longer_than_the_new_side_remembers_it(days: int, pinned: int) -> None:
    stack = new_stack()
    a_gateway(stack, claims_retention=Duration.days(days))
    assert the_migration(stack).get("pin_seconds") == Duration.days(pinned).to_seconds()


def test_claims_of_the_new_side_go_by_the_gateway_s_name() -> None:
    stack = new_stack()
    a_gateway(stack, a_route("POST /basket", take()))
    assert variables_of(stack, "GatewayApiWebTake")["CLAIMS_NAMESPACE"] == "Gateway"


@pytest.mark.parametrize("stage", ["migrating", "done"])
@pytest.mark.parametrize(
    ("route", "asked", "mode"),
    [
        ("POST /basket", None, "optional"),
        ("PATCH /basket", None, "optional"),
        ("PUT /basket", None, "optional"),
        ("GET /basket", None, "off"),
        ("POST /basket", "required", "required"),
    ],
)
def test_callers_of_legacy_s_who_send_no_key_are_not_refused(stage: Any, route: str, asked: Any, mode: str) -> None:
    stack = new_stack()
    a_gateway(stack, a_route(route, take(), stage=stage, idempotency=asked))
    assert the_routes(stack, "GatewayApiWebTake")[route]["idempotency"] == mode


def test_the_name_is_data_of_its_own() -> None:
    stack = new_stack()
    gateway = a_gateway(stack, namespace="shop")
    assert (the_migration(stack)["gateway"], the_migration(stack)["cookie"]) == ("shop", "side-shop")
    assert gateway.metric_requests("GET /profile/{id}", "new").dimensions == {
        "gateway": "shop",
        "route": "GET /profile/{id}",
        "side": "new",
    }


def test_below_a_domain_s_path_both_sides_know_what_stands_before_every_other() -> None:
    stack = new_stack()
    certificate = acm.Certificate(stack, "Certificate", domain_name="api.example.com")
    gateway = a_gateway(stack, domain=Domain("api.example.com", certificate, "shop"))
    assert the_migration(stack)["base_path"] == "/shop"
    told = integration(stack, "ANY /")["RequestParameters"]
    assert told["integration.request.header.X-Forwarded-Prefix"] == "'/shop'"
    assert gateway.url_for("GET /profile/{id}", id=5) == "https://api.example.com/shop/profile/5"


def test_legacy_is_told_the_gateway_s_address_and_of_no_stage_where_a_domain_hides_it() -> None:
    stack = new_stack()
    certificate = acm.Certificate(stack, "Certificate", domain_name="api.example.com")
    a_gateway(stack, domain=Domain("api.example.com", certificate))
    assert integration(stack, "ANY /")["RequestParameters"] == {
        "integration.request.header.X-Forwarded-Host": "context.domainName"
    }


def test_a_throttle_is_for_both_sides_of_its_route() -> None:
    stack = new_stack()
    a_gateway(stack, a_route(throttle=Throttle(rate=1, burst=2)))
    settings = the_stage(stack)["MethodSettings"]
    assert {one["ThrottlingRateLimit"] for one in settings} == {1000, 1}


def test_alarms_tell_of_rollbacks_errors_and_a_store_that_is_away() -> None:
    stack = new_stack()
    gateway = a_gateway(stack)
    assert {*gateway.alarms} == {"Latency", "NewSideErrors", "RolledBack", "RouteStoreUnavailable", "ServerErrors"}
    rate = the(stack, "CloudWatch::Alarm", "NewSideErrors")
    assert (rate["Statistic"], rate["Threshold"], rate["MetricName"]) == ("Average", 0.05, "RoutedErrors")
    assert {one["Name"]: one["Value"] for one in rate["Dimensions"]} == {"gateway": NAME, "side": "new"}


def test_critical_alarms_are_rollbacks_and_errors_of_the_api() -> None:
    stack = new_stack()
    Defaults.of(stack).set(alarms="critical")
    assert {*a_gateway(stack).alarms} == {"RolledBack", "ServerErrors"}


def test_no_alarm_needs_metric_math() -> None:
    stack = new_stack()
    a_gateway(stack)
    assert [id for id, it in resources(stack, "CloudWatch::Alarm").items() if "Metrics" in it["Properties"]] == []


def test_the_dashboard_has_a_row_for_each_route_and_is_there_when_asked_for() -> None:
    stack = new_stack()
    a_gateway(stack, *three_stages(), a_route("GET /shadowed", shadow=Shadow()), dashboard=True)
    body = json.dumps(the(stack, "CloudWatch::Dashboard")["DashboardBody"])
    assert body.count("share of the new side") == 3
    assert body.count("copies compared, and different") == 1
    assert ("ShadowCompared" in body, "ShadowDifferent" in body) == (True, True)
    assert resources(stack_without_dashboard(), "CloudWatch::Dashboard") == {}


def test_a_route_that_nobody_has_listed_has_no_metrics() -> None:
    gateway = a_gateway(new_stack(), *three_stages())
    assert "did you mean 'GET /catalogue'" in refusal(lambda: gateway.metric_fell_back("GET /catalog"))
    assert gateway.metric_requests("GET /reports/{day}", "new").metric_name == "RoutedRequests"
    assert gateway.metric_requests("*", "legacy").dimensions["route"] == "*"


def stack_without_dashboard() -> Stack:
    stack = new_stack()
    a_gateway(stack)
    return stack


def test_who_commands_may_ask_the_control_function_and_nothing_else() -> None:
    from aws_cdk import aws_iam as iam

    stack = new_stack()
    role = iam.Role(stack, "OnCall", assumed_by=iam.AccountRootPrincipal())  # pyright: ignore
    a_gateway(stack).grant_control(role)
    policy = the(stack, "IAM::Policy", "OnCall")["PolicyDocument"]["Statement"]
    assert [one["Action"] for one in policy] == [["lambda:GetFunctionConfiguration", "lambda:InvokeFunction"]]
    assert policy[0]["Resource"]["Fn::GetAtt"][0].startswith("GatewayControl")


def test_nobody_commands_a_gateway_without_a_router() -> None:
    stack = new_stack()
    gateway = a_gateway(stack, a_route(stage="done"))
    text = refusal(lambda: gateway.grant_control(gateway.function_for("GET /profile/{id}")))
    assert text == (
        "Shop/Gateway: grant_control() must find a route that is migrating, got none: "
        "what is legacy's or done is changed by a deployment"
    )


def test_every_listed_route_has_an_address_whatever_its_stage() -> None:
    stack = new_stack()
    gateway = a_gateway(stack, *three_stages())
    assert gateway.url_for("GET /profile/{id}", id="a/b").endswith("/profile/a%2Fb")
    assert gateway.url_for("GET /reports/{day}", day=1).endswith("/reports/1")
    assert "did you mean 'GET /catalogue'" in refusal(lambda: gateway.url_for("GET /catalog"))
    assert "must be one of" in refusal(lambda: gateway.function_for("GET /reports/{day}"))


def test_a_token_may_say_where_legacy_is() -> None:
    stack = new_stack()
    url = CfnParameter(stack, "Legacy").value_as_string
    a_gateway(stack, legacy=legacy(url=url))
    assert variables_of(stack, "GatewayRouter")["LEGACY_URL"] == {"Ref": "Legacy"}
    assert Template.from_stack(stack)


def test_gateways_of_two_stacks_have_two_names_in_metrics() -> None:
    app = App()
    names = [a_gateway(Stack(app, id)).metric_requests("GET /profile/{id}", "new").dimensions for id in ("One", "Two")]
    assert names[0] != names[1]


def test_a_function_that_runs_on_when_nobody_waits_is_warned_of() -> None:
    stack = new_stack()
    slow = a_function(stack, timeout=Duration.seconds(20))
    routes = [a_route(target=get(timeout=Duration.seconds(12))), a_route("GET /b", slow, timeout=Duration.seconds(20))]
    a_gateway(stack, *routes, a_route("GET /c", slow, stage="done"))
    assert [text for text in warnings(stack) if "waits" in text] == [
        "routes['GET /profile/{id}'] waits 10 seconds for a function that may run for 12: it goes on working while "
        "legacy, or an error, has answered. Give it less, or the route more"
    ]


def test_a_key_that_legacy_s_callers_never_had_to_send_is_warned_of() -> None:
    stack = new_stack()
    asked = [a_route("POST /basket", take(), idempotency="required"), a_route("POST /a", take())]
    a_gateway(stack, *asked, a_route("POST /b", take(), stage="done", idempotency="required"))
    assert [text for text in warnings(stack) if "requires an Idempotency-Key" in text] == [
        "routes['POST /basket'] requires an Idempotency-Key of callers that legacy has served without one: the new "
        "side tells them 400, and neither falls back nor goes back for it. Leave idempotency out until the route is "
        "done, unless all of them send one"
    ]


def test_a_layer_without_bytecode_is_warned_of_in_words_for_functions_of_ours_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copy(Path(_layer.__file__).parent / "_layers/layer-source.zip", tmp_path)
    monkeypatch.setattr(_layer, "_LAYERS", tmp_path)
    stack = new_stack()
    a_gateway(stack)
    said = Match.string_like_regexp(r".*is, or run functions of yours on another, by Handler\(runtime=\.\.\.\).*")
    assert Annotations.from_stack(stack).find_warning("*", said)


def test_what_is_measured_of_no_route_is_refused_with_the_one_that_was_meant() -> None:
    gateway = a_gateway(new_stack())
    asked: list[Callable[[str], object]] = [
        gateway.metric_fell_back,
        gateway.metric_shadow_different,
        lambda route: gateway.metric_requests(route, "new"),
        lambda route: gateway.metric_errors(route, "new"),
        lambda route: gateway.metric_latency(route, "new"),
    ]
    for ask in asked:
        with pytest.raises(ValueError, match=re.escape("(did you mean 'GET /profile/{id}'?)")):
            ask("GET /profil/{id}")


def test_defaults_hold_for_everything_that_it_defines() -> None:
    stack = new_stack()
    vpc = ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id="vpc-1", availability_zones=["a"], private_subnet_ids=["subnet-1"]
    )
    Defaults.of(stack).set(
        removal_policy=RemovalPolicy.DESTROY,
        vpc=vpc,
        log_retention=logs.RetentionDays.ONE_WEEK,
        tracing=lambda_.Tracing.DISABLED,
        environment={"STAGE": "test"},
    )
    a_gateway(stack, a_route(shadow=Shadow()))
    assert {it["DeletionPolicy"] for it in resources(stack, "DynamoDB::Table").values()} == {"Delete"}
    assert {it["Properties"]["RetentionInDays"] for it in resources(stack, "Logs::LogGroup").values()} == {7}
    for id, function in functions(stack).items():
        assert "VpcConfig" in function, id
        assert "TracingConfig" not in function, id
        assert function["Environment"]["Variables"]["STAGE"] == "test", id
    assert the_migration(stack)["private"] is False, "who said nothing of legacy's network has not allowed it"
