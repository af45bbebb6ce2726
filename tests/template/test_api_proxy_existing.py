"""`ApiProxy` on a REST API that somebody else defined: what it adds, what it leaves alone, and how it gets live."""

import json
from typing import Any

import pytest
from aws_cdk import App, NestedStack, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam

from serverless_patterns import ApiProxy, Cors, HttpBackend, IamAuthorizer, LambdaAuthorizer, MockResponse, Route
from tests.template.apis import ORDER, a_function, an_api, get, methods, variables_of
from tests.template.stacks import a_handler, new_stack, resources, statements, the, warnings

HEALTH = Route("GET /health", MockResponse(), public=True)


def their_api(stack: Stack, id: str = "Theirs", **arguments: Any) -> apigateway.RestApi:
    """Somebody's API with `GET /orders`."""
    api = apigateway.RestApi(stack, id, **arguments)
    api.root.add_resource("orders").add_method("GET", authorization_type=apigateway.AuthorizationType.IAM)
    return api


def imported(stack: Stack, id: str = "Imported", **arguments: Any) -> apigateway.IRestApi:
    given = {"rest_api_id": "abc123", "root_resource_id": "root1", **arguments}
    return apigateway.RestApi.from_rest_api_attributes(stack, id, **given)


def attached(stack: Stack, *routes: Route, **arguments: Any) -> ApiProxy:
    return an_api(stack, *routes or (HEALTH,), **arguments)


def on_imported(*routes: Route, **arguments: Any) -> Stack:
    stack = new_stack()
    attached(stack, *routes, **{"rest_api": imported(stack), "stage_name": "prod", **arguments})
    return stack


def two_stacks() -> tuple[Stack, Stack]:
    stack = new_stack()
    return stack, Stack(stack.node.root, "Routes")  # pyright: ignore[reportArgumentType]


def the_deployment(stack: Stack) -> tuple[str, dict[str, Any]]:
    ((id, deployment),) = resources(stack, "ApiGateway::Deployment").items()
    return id, deployment


def method_ids(stack: Stack) -> set[str]:
    return {*resources(stack, "ApiGateway::Method")}


# In the stack of the API


def test_routes_join_the_api_and_nothing_of_its_owner_changes() -> None:
    stack, before = new_stack(), new_stack()
    attached(stack, HEALTH, Route("POST /orders", get(), body=ORDER, idempotency="off"), rest_api=their_api(stack))
    their_api(before)
    assert {*methods(stack)} == {"GET /orders", "POST /orders", "GET /health"}
    for type in ("RestApi", "Stage", "GatewayResponse", "Account", "DomainName", "UsagePlan"):
        ours, theirs = (resources(one, f"ApiGateway::{type}") for one in (stack, before))
        for one in (*ours.values(), *theirs.values()):
            one.get("Properties", {}).pop("DeploymentId", None)
        assert ours == theirs, type
    assert not resources(stack, "CloudWatch::Alarm")
    assert not [id for id in resources(stack, "Logs::LogGroup") if "AccessLogs" in id]


def test_the_apis_own_deployment_comes_after_every_route() -> None:
    stack = new_stack()
    attached(stack, HEALTH, Route("POST /orders", get(), idempotency="off"), rest_api=their_api(stack))
    _, deployment = the_deployment(stack)
    assert method_ids(stack) <= {*deployment["DependsOn"]}
    assert the(stack, "ApiGateway::Stage")["DeploymentId"] == {"Ref": the_deployment(stack)[0]}


@pytest.mark.parametrize(
    "changed",
    [
        MockResponse(201),
        HttpBackend("https://example.com/health"),
    ],
)
@pytest.mark.parametrize("where", ["here", "there", "imported"])
def test_a_changed_route_makes_a_new_deployment(where: str, changed: Any) -> None:
    def id_with(target: Any, *more: Route) -> str:
        stack, other = two_stacks()
        route = Route("GET /health", target, public=True)
        match where:
            case "here":
                attached(stack, route, *more, rest_api=their_api(stack))
            case "there":
                attached(other, route, *more, rest_api=their_api(stack))
            case _:
                attached(other, route, *more, rest_api=imported(stack), stage_name="prod")
        return the_deployment(stack if where == "here" else other)[0]

    assert id_with(MockResponse()) == id_with(MockResponse())
    assert id_with(changed) != id_with(MockResponse())
    assert id_with(MockResponse(), Route("GET /more", MockResponse())) != id_with(MockResponse())


@pytest.mark.parametrize("where", ["here", "imported"])
def test_a_changed_authorizer_makes_a_new_deployment(where: str) -> None:
    def id_with(header: str) -> str:
        stack = new_stack()
        authorizer = LambdaAuthorizer(a_handler("web:get"), header=header)
        api: dict[str, Any] = {"rest_api": their_api(stack)}
        if where == "imported":
            stack = new_stack()
            api = {"rest_api": imported(stack), "stage_name": "prod"}
        attached(stack, Route("GET /health", MockResponse()), authorizer=authorizer, **api)
        return the_deployment(stack)[0]

    assert id_with("Authorization") != id_with("X-Token")


def test_the_address_the_permission_and_the_grant_are_those_of_the_apis_stage() -> None:
    stack = new_stack()
    theirs = their_api(stack, deploy_options=apigateway.StageOptions(stage_name="v1"))
    api = attached(stack, Route("GET /things/{id}", get(), authorizer=IamAuthorizer()), rest_api=theirs)
    api.grant_invoke(iam.User(stack, "User"), "GET /things/{id}")
    assert stack.resolve(api.url) == stack.resolve(theirs.url)
    assert stack.resolve(api.url_for("GET /things/{id}", id="a b")) == stack.resolve(
        theirs.url_for_path("/things/a%20b")
    )
    assert api.rest_api is theirs
    assert api.function_for("GET /things/{id}") is api.functions["GET /things/{id}"]
    (granted,) = [one for one in statements(stack) if one["Action"] == ["execute-api:Invoke"]]
    (stage,) = resources(stack, "ApiGateway::Stage")
    assert granted["Resource"][0]["Fn::Join"][1][-3:] == ["/", {"Ref": stage}, "/GET/things/*"]
    assert "/v1/*/*" in json.dumps(the(stack, "Lambda::Permission")["SourceArn"])
    assert stack.resolve(api.metric_requests().dimensions) == stack.resolve(
        theirs.deployment_stage.metric_count().dimensions
    )
    assert [*api.openapi()["paths"]] == ["/things/{id}"]
    assert api.alarms == {}
    assert api.access_log_group is None


def test_two_of_them_share_paths_and_may_have_one_schema() -> None:
    stack = new_stack()
    theirs = their_api(stack)
    for method in ("POST", "PUT"):
        route = Route(f"{method} /orders", get(), body=ORDER, idempotency="off")
        an_api(stack, route, id=f"Api{method}", rest_api=theirs)
    names = [one["Properties"]["Name"] for one in resources(stack, "ApiGateway::Model").values()]
    assert len({*names}) == 2, "a name is taken once on an API"
    assert len(resources(stack, "ApiGateway::Resource")) == 1


def test_pages_are_answered_and_synth_says_what_they_cannot_read() -> None:
    stack = new_stack()
    attached(stack, HEALTH, rest_api=their_api(stack), cors=Cors(allow_origins=["https://shop.example.com"]))
    assert "OPTIONS /health" in methods(stack)
    assert any("cors does not reach the errors that the gateway itself answers" in one for one in warnings(stack))


# In another stack


def test_in_another_stack_only_that_one_depends_on_the_other() -> None:
    theirs, ours = two_stacks()
    api = their_api(theirs)
    attached(
        ours,
        Route("GET /orders/{id}", get()),
        Route("PUT /orders", get()),
        rest_api=api,
    )
    assert {*methods_below(ours)} == {"GET", "PUT"}
    assert len(resources(ours, "ApiGateway::Resource")) == 1, "/orders is there already"
    assert len(resources(theirs, "ApiGateway::Method")) == 1
    assert ours.dependencies == [theirs]
    assert theirs.dependencies == []


def methods_below(stack: Stack) -> list[str]:
    return [one["Properties"]["HttpMethod"] for one in resources(stack, "ApiGateway::Method").values()]


def test_in_another_stack_a_deployment_of_ours_moves_the_stage() -> None:
    theirs, ours = two_stacks()
    attached(ours, HEALTH, Route("GET /a", get()), rest_api=their_api(theirs))
    _, deployment = the_deployment(ours)
    assert deployment["Properties"]["StageName"] == "prod"
    assert {*deployment["DependsOn"]} >= method_ids(ours)
    assert deployment["DeletionPolicy"] == deployment["UpdateReplacePolicy"] == "Retain"


def test_a_nested_stack_is_another_stack() -> None:
    stack = new_stack()
    nested = NestedStack(stack, "Nested")
    attached(nested, HEALTH, rest_api=their_api(stack))
    assert the_deployment(nested)[1]["Properties"]["StageName"] == "prod"


def test_an_api_that_somebody_deploys_by_hand_gets_a_deployment_of_ours_after_its_stage() -> None:
    stack = new_stack()
    theirs = their_api(stack, deploy=False)
    by_hand = apigateway.Deployment(stack, "ByHand", api=theirs)
    theirs.deployment_stage = apigateway.Stage(stack, "Stage", deployment=by_hand, stage_name="v1")
    attached(stack, HEALTH, rest_api=theirs)
    ours = [one for id, one in resources(stack, "ApiGateway::Deployment").items() if id.startswith("ApiDeployment")]
    (stage,) = resources(stack, "ApiGateway::Stage")
    assert len(ours) == 1
    assert stage in ours[0]["DependsOn"]
    assert ours[0]["Properties"]["StageName"] == "v1"


# Imported


def test_an_imported_api_gets_methods_and_a_deployment_that_stays() -> None:
    stack = on_imported(HEALTH, Route("POST /payments", get(), body=ORDER, idempotency="off"))
    _, deployment = the_deployment(stack)
    assert {*methods_below(stack)} == {"GET", "POST"}
    assert deployment["Properties"]["RestApiId"] == "abc123"
    assert deployment["Properties"]["StageName"] == "prod"
    assert {*deployment["DependsOn"]} >= method_ids(stack)
    assert deployment["DeletionPolicy"] == deployment["UpdateReplacePolicy"] == "Retain"
    for type in ("RestApi", "Stage", "GatewayResponse"):
        assert not resources(stack, f"ApiGateway::{type}")
    assert not resources(stack, "CloudWatch::Alarm")


def test_of_an_imported_api_everything_names_its_id_and_its_stage() -> None:
    stack = new_stack()
    given = imported(stack, rest_api_name="front-door")
    api = attached(stack, Route("GET /a/{id}", get(), authorizer=IamAuthorizer()), rest_api=given, stage_name="prod")
    api.grant_invoke(iam.User(stack, "User"), "GET /a/{id}")
    assert stack.resolve(api.url)["Fn::Join"][1][0] == "https://abc123.execute-api."
    assert json.dumps(stack.resolve(api.url_for("GET /a/{id}", id=1))).endswith('/prod/a/1"]]}')
    assert ":abc123/prod/*/*" in json.dumps(the(stack, "Lambda::Permission")["SourceArn"])
    (granted,) = [one for one in statements(stack) if one["Action"] == ["execute-api:Invoke"]]
    assert ":abc123/prod/GET/a/*" in json.dumps(granted["Resource"])
    for metric in (api.metric_requests(), api.metric_client_errors(), api.metric_server_errors(), api.metric_latency()):
        assert metric.dimensions == {"ApiName": "front-door", "Stage": "prod"}
    assert api.rest_api is given


def test_bytes_go_to_an_imported_api_that_is_said_to_take_them() -> None:
    route = Route("PUT /picture", get(), body=bytes)
    assert on_imported(route, binary_media_types=["image/png"])


def test_several_on_one_imported_api_are_deployed_one_after_the_other() -> None:
    stack = new_stack()
    for name in ("One", "Two"):
        route = Route(f"GET /{name}", a_function(stack, f"{name}Function"))
        given = imported(stack, f"Imported{name}")
        an_api(stack, route, id=name, rest_api=given, stage_name="prod")
    one, two = (
        next((id, it) for id, it in resources(stack, "ApiGateway::Deployment").items() if id.startswith(f"{name}Depl"))
        for name in ("One", "Two")
    )
    assert one[0] in two[1]["DependsOn"]
    assert method_ids(stack) <= {*one[1]["DependsOn"]}
    assert method_ids(stack) <= {*two[1]["DependsOn"]}


def test_the_same_app_can_be_made_twice() -> None:
    for _ in range(2):
        assert isinstance(on_imported(HEALTH).node.root, App)


def test_functions_are_told_what_the_owner_s_api_takes_for_bytes() -> None:
    ours, imports = new_stack(), new_stack()
    theirs = their_api(ours, binary_media_types=["image/png", "application/pdf"])
    attached(ours, Route("PUT /picture", get(), body=bytes), rest_api=theirs)
    assert variables_of(ours, "ApiWebGet")["BINARY_MEDIA_TYPES"] == "image/png,application/pdf"
    more = {"stage_name": "live", "binary_media_types": ["image/png"]}
    attached(imports, Route("PUT /picture", get(), body=bytes), rest_api=imported(imports), **more)
    assert variables_of(imports, "ApiWebGet")["BINARY_MEDIA_TYPES"] == "image/png"
