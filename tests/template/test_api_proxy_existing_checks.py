"""What cannot hold for an API that is not ours is refused at synth, with the argument and the fix."""

from collections.abc import Callable
from typing import Any

import pytest
from aws_cdk import Duration, Environment, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk.assertions import Template

from serverless_patterns import ApiProxy, Cors, Domain, MockResponse, Route, Throttle, UsagePlan
from tests.template.apis import ORDER, a_function, an_api, get, methods
from tests.template.stacks import new_stack, refusal
from tests.template.test_api_proxy_existing import HEALTH, attached, imported, on_imported, their_api, two_stacks

CERTIFICATE: Any = object()
CORS = Cors(allow_origins=["https://shop.example.com"])


def on_theirs(*routes: Route, api: Callable[[Stack], Any] = their_api, **arguments: Any) -> ApiProxy:
    stack = new_stack()
    return attached(stack, *routes, rest_api=api(stack), **arguments)


@pytest.mark.parametrize(
    ("argument", "value", "fix"),
    [
        ("throttle", Throttle(rate=1, burst=1), "set throttling_rate_limit where the stage is defined"),
        ("access_logs", True, "give the stage an access_log_destination where it is defined"),
        ("access_logs", False, "give the stage an access_log_destination where it is defined"),
        ("web_acl", "arn:aws:wafv2:x", "associate it where the stage is defined"),
        ("alarms", "all", "make your own from metric_server_errors()"),
        ("domain", Domain("api.example.com", CERTIFICATE), "map it to the stage where the API is defined"),
        ("usage_plans", [UsagePlan("free", keys=[])], "api_key_required=True works with them"),
        ("alarm_actions", [], "make your own from metric_server_errors()"),
        ("max_latency", Duration.seconds(5), "make your own from metric_latency()"),
    ],
)
@pytest.mark.parametrize("where", ["here", "imported"])
def test_what_is_the_owners_is_not_taken(where: str, argument: str, value: Any, fix: str) -> None:
    made = on_theirs if where == "here" else on_imported
    text = refusal(lambda: made(HEALTH, **{argument: value}))
    assert f"Shop/Api: {argument} must be left out with rest_api, got " in text
    assert text.splitlines()[0].endswith(fix)


def test_keys_are_metered_by_the_plans_that_the_owner_has() -> None:
    stack = new_stack()
    attached(stack, Route("GET /a", MockResponse(), api_key_required=True), rest_api=their_api(stack))
    assert methods(stack)["GET /a"]["ApiKeyRequired"] is True


def test_a_throttle_of_a_route_is_the_owners_too() -> None:
    route = Route("GET /health", MockResponse(), throttle=Throttle(rate=1, burst=1))
    assert "routes['GET /health'] throttle must be left out with rest_api" in refusal(lambda: on_theirs(route))


@pytest.mark.parametrize(("argument", "value"), [("stage_name", "live"), ("binary_media_types", ["image/png"])])
def test_what_can_be_seen_is_not_said(argument: str, value: Any) -> None:
    assert f"{argument} must be left out with rest_api" in refusal(lambda: on_theirs(HEALTH, **{argument: value}))


def test_an_api_without_its_root_is_refused_with_the_import_that_knows_it() -> None:
    def made() -> object:
        stack = new_stack()
        return attached(stack, rest_api=apigateway.RestApi.from_rest_api_id(stack, "Id", "abc123"), stage_name="prod")

    text = refusal(made)
    assert "rest_api must know its root resource, got one of from_rest_api_id" in text
    assert "RestApi.from_rest_api_attributes(rest_api_id=..., root_resource_id=...)" in text


@pytest.mark.parametrize(("stage_name", "must"), [(None, "be given for an imported"), ("a b", "be 1 to 128 letters")])
def test_an_imported_api_needs_the_name_of_its_stage(stage_name: Any, must: str) -> None:
    assert f"stage_name must {must}" in refusal(lambda: on_imported(HEALTH, stage_name=stage_name))


def test_bytes_need_an_api_that_takes_them() -> None:
    route = Route("PUT /picture", get(), body=bytes)
    for made in (on_theirs, on_imported):
        assert "binary_media_types must be given for routes['PUT /picture'] body=bytes" in refusal(lambda: made(route))  # noqa: B023
    assert on_theirs(route, api=lambda stack: their_api(stack, binary_media_types=["image/png"]))


def test_an_api_for_which_everything_is_binary_takes_no_json() -> None:
    route = Route("POST /orders", get(), body=ORDER, idempotency="off")
    text = refusal(lambda: on_theirs(route, api=lambda stack: their_api(stack, binary_media_types=["*/*"])))
    assert "rest_api must take JSON as text, got ['*/*']" in text


@pytest.mark.parametrize(
    ("theirs", "must"),
    [
        (lambda _: "abc123", "rest_api must be a RestApi, or an imported one, got a str"),
        (
            lambda stack: apigateway.SpecRestApi(
                stack, "Spec", api_definition=apigateway.ApiDefinition.from_inline({"openapi": "3.0.2"})
            ),
            "rest_api must be a RestApi, or an imported one, got a SpecRestApi",
        ),
        (
            lambda stack: apigateway.LambdaRestApi(stack, "Proxy", handler=a_function(stack)),
            "rest_api must take other paths, got a LambdaRestApi for every path: define it with proxy=False",
        ),
        (lambda stack: their_api(stack, deploy=False), "rest_api must have a stage, got Shop/Theirs without one"),
        (
            lambda stack: their_api(stack, default_method_options=apigateway.MethodOptions(api_key_required=True)),
            "rest_api must have no default_method_options",
        ),
    ],
)
def test_an_api_that_cannot_be_attached_to_is_refused(theirs: Callable[[Stack], Any], must: str) -> None:
    assert must in refusal(lambda: on_theirs(HEALTH, api=theirs))


# What the API has already


def with_method(route: str, **options: Any) -> Callable[[Stack], apigateway.RestApi]:
    method, _, path = route.partition(" ")

    def theirs(stack: Stack) -> apigateway.RestApi:
        api = their_api(stack)
        api.root.resource_for_path(path).add_method(method, apigateway.MockIntegration(), **options)
        return api

    return theirs


GUARDED = {"authorization_type": apigateway.AuthorizationType.IAM}


@pytest.mark.parametrize(
    ("has", "route", "must"),
    [
        ("GET /a/b", "GET /a/b", "routes['GET /a/b'] must be new to rest_api, got 'GET /a/b', which Shop/Theirs has"),
        ("ANY /a", "GET /a", "routes['GET /a'] must be new to rest_api, got 'ANY /a'"),
        ("GET /a", "ANY /a", "routes['ANY /a'] must be new to rest_api, got 'GET /a'"),
        ("GET /", "GET /", "routes['GET /'] must be new to rest_api, got 'GET /'"),
        ("GET /a/{id}", "GET /a/{key}/b", "must call its parameter {id} as 'GET /a/{id}' of Shop/Theirs does"),
        ("GET /a/b", "GET /{proxy+}", "must not be public above guarded routes, got 'GET /a/b', which Shop/Theirs has"),
    ],
)
def test_what_the_api_has_is_refused_at_synth(has: str, route: str, must: str) -> None:
    assert must in refusal(lambda: on_theirs(Route(route, MockResponse()), api=with_method(has, **GUARDED)))


@pytest.mark.parametrize(
    ("has", "route"),
    [("GET /a/{id}", "GET /a/{id}/b"), ("GET /a", "PUT /a"), ("GET /a/{id}", "GET /a/b"), ("ANY /{proxy+}", "GET /a")],
)
def test_what_api_gateway_takes_beside_each_other_is_taken(has: str, route: str) -> None:
    assert on_theirs(Route(route, MockResponse()), api=with_method(has))


def test_a_preflight_that_the_api_answers_is_not_answered_twice() -> None:
    route = Route("GET /a", MockResponse())
    text = refusal(lambda: on_theirs(route, api=with_method("OPTIONS /a"), cors=CORS))
    assert "cors must be left out where rest_api answers preflights" in text
    default = apigateway.CorsOptions(allow_origins=["https://shop.example.com"])
    text = refusal(
        lambda: on_theirs(route, api=lambda stack: their_api(stack, default_cors_preflight_options=default), cors=CORS)
    )
    assert "cors must be left out for this rest_api" in text


def test_two_constructs_do_not_take_one_path_of_an_api_that_cannot_be_seen() -> None:
    def twice(second: str) -> object:
        stack = new_stack()
        for name, route in (("One", "GET /shop/a"), ("Two", second)):
            given = imported(stack, f"Import{name}")
            an_api(stack, Route(route, MockResponse()), id=name, rest_api=given, stage_name="prod")
        return stack

    assert "must be new to rest_api, got 'GET /shop/a', which Shop/One has" in refusal(lambda: twice("GET /shop/a"))
    assert "must not begin with /shop, got 'GET /shop/a', which Shop/One has" in refusal(lambda: twice("GET /shop/b"))
    assert twice("GET /store/a")


# Stacks


def test_a_stack_that_must_come_before_the_api_is_refused() -> None:
    theirs, ours = two_stacks()
    theirs.add_dependency(ours)
    text = refusal(lambda: attached(ours, rest_api=their_api(theirs)))
    assert "rest_api must be in a stack that can be deployed first, got Shop, which depends on Routes" in text


def test_an_api_that_needs_something_of_the_stack_ends_in_a_clear_word_of_the_cdk() -> None:
    theirs, ours = two_stacks()
    api = their_api(theirs)
    api.root.add_method("GET", apigateway.LambdaIntegration(a_function(ours)))
    attached(ours, rest_api=api)
    with pytest.raises(RuntimeError, match="cyclic"):
        Template.from_stack(ours)


@pytest.mark.parametrize(("name", "value"), [("region", "eu-west-1"), ("account", "222222222222")])
def test_an_api_elsewhere_is_refused(name: str, value: str) -> None:
    where = {"account": "111111111111", "region": "us-east-1"}
    theirs = new_stack(env=Environment(**where))
    ours = Stack(theirs.node.root, "Routes", env=Environment(**(where | {name: value})))  # pyright: ignore[reportArgumentType]
    text = refusal(lambda: attached(ours, rest_api=their_api(theirs)))
    assert f"rest_api must be in the {name} of its routes, got {where[name]} and {value}" in text


def test_metrics_of_an_api_without_a_name_are_refused_with_the_import_that_knows_it() -> None:
    stack = new_stack()
    api = attached(stack, rest_api=imported(stack), stage_name="prod")
    metrics = (api.metric_requests, api.metric_client_errors, api.metric_server_errors, api.metric_latency)
    for metric in metrics:
        assert "rest_api must be imported with its name for metrics" in refusal(metric)
