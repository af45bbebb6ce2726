"""Who may call a route: every method has what its route says, and nothing is open that does not say so."""

import json
from typing import Any

import pytest
from aws_cdk import Duration, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from serverless_patterns import Cors, HttpBackend, IamAuthorizer, JwtAuthorizer, LambdaAuthorizer, MockResponse, Route
from tests.template.apis import (
    a_function,
    an_api,
    cognito_authorizer,
    functions,
    get,
    methods,
    take,
    the_routes,
    token_authorizer,
)
from tests.template.stacks import a_handler, new_stack, refusal, resources, statements, the, warnings


def an_authorizer(**arguments: Any) -> LambdaAuthorizer:
    return LambdaAuthorizer(a_handler("web:identify"), **arguments)


@pytest.mark.parametrize(
    ("authorizer", "type", "evidence"),
    [
        (lambda _: IamAuthorizer(), "AWS_IAM", "iam"),
        (lambda _: an_authorizer(), "CUSTOM", "lambda"),
        (cognito_authorizer, "COGNITO_USER_POOLS", "cognito"),
        (token_authorizer, "CUSTOM", "lambda"),
    ],
    ids=["iam", "lambda", "cognito", "token"],
)
def test_the_gateway_asks_and_the_function_is_told_what_to_find(authorizer: Any, type: str, evidence: str) -> None:
    stack = new_stack()
    an_api(stack, authorizer=authorizer(stack))
    assert methods(stack)["GET /orders"]["AuthorizationType"] == type
    assert the_routes(stack, "ApiWebGet")["GET /orders"]["evidence"] == evidence
    if type not in ("AWS_IAM",):
        (id,) = resources(stack, "ApiGateway::Authorizer")
        assert methods(stack)["GET /orders"]["AuthorizerId"] == {"Ref": id}


def test_every_kind_of_target_stands_behind_the_api_s_authorizer() -> None:
    stack = new_stack()
    an_api(
        stack,
        Route("GET /a", get()),
        Route("GET /b", a_function(stack)),
        Route("GET /c", HttpBackend("https://example.com")),
        Route("GET /d", MockResponse()),
        authorizer=IamAuthorizer(),
    )
    assert {method["AuthorizationType"] for method in methods(stack).values()} == {"AWS_IAM"}


def test_a_route_s_own_authorizer_wins_and_public_is_open() -> None:
    stack = new_stack()
    an_api(
        stack,
        Route("GET /a", get()),
        Route("GET /b", get(memory_size=128), authorizer=IamAuthorizer()),
        Route("GET /c", get(memory_size=256), public=True),
        authorizer=an_authorizer(),
    )
    found = {name: method["AuthorizationType"] for name, method in methods(stack).items()}
    assert found == {"GET /a": "CUSTOM", "GET /b": "AWS_IAM", "GET /c": "NONE"}


def test_preflights_alone_are_open_in_a_guarded_api() -> None:
    stack = new_stack()
    routes = [Route("GET /orders", get()), Route("ANY /files/{path+}", get(memory_size=128))]
    an_api(stack, *routes, authorizer=IamAuthorizer(), cors=Cors(allow_origins=["*"]))
    opened = {name: method for name, method in methods(stack).items() if method["AuthorizationType"] == "NONE"}
    assert {*opened} == {"OPTIONS /orders", "OPTIONS /files/{path+}"}
    assert {method["Integration"]["Type"] for method in opened.values()} == {"MOCK"}


def test_our_authorizer_asks_by_the_whole_request_and_remembers_by_the_header() -> None:
    stack = new_stack()
    an_api(stack, authorizer=an_authorizer(header="X-Token", results_cache_ttl=Duration.seconds(5)))
    authorizer = the(stack, "ApiGateway::Authorizer")
    assert authorizer["Type"] == "REQUEST"
    assert authorizer["IdentitySource"] == "method.request.header.X-Token"
    assert authorizer["AuthorizerResultTtlInSeconds"] == 5
    (function,) = [id for id in resources(stack, "Lambda::Function") if "Identify" in id]
    assert f'{{"Fn::GetAtt": ["{function}", "Arn"]}}' in json.dumps(authorizer["AuthorizerUri"])


def test_one_authorizer_object_is_one_function_on_all_of_its_routes() -> None:
    stack = new_stack()
    shared = an_authorizer()
    an_api(
        stack,
        Route("GET /a", get(), authorizer=shared),
        Route("GET /b", get(memory_size=128), authorizer=shared),
        authorizer=shared,
    )
    assert len(resources(stack, "ApiGateway::Authorizer")) == 1
    assert [id for id in functions(stack) if "Identify" in id] == ["ApiWebIdentifyAuthorizer"]


def test_two_authorizers_of_one_function_are_named_by_their_routes() -> None:
    stack = new_stack()
    an_api(
        stack,
        Route("GET /a", get(), authorizer=an_authorizer()),
        Route("GET /b", get(memory_size=128), authorizer=an_authorizer(header="X-Token")),
        public=True,
    )
    ids = {id for id in functions(stack) if "Identify" in id}
    assert len(ids) == 2
    assert all("GetA" in id or "GetB" in id for id in ids)


def test_an_authorizer_that_no_route_uses_is_not_defined() -> None:
    stack = new_stack()
    an_api(stack, Route("GET /a", get(), public=True), authorizer=an_authorizer())
    assert resources(stack, "ApiGateway::Authorizer") == {}


def test_an_authorizer_that_changes_is_deployed_whatever_the_flags() -> None:
    ids: set[str] = set()
    for seconds in (5, 6):
        stack = new_stack()
        an_api(stack, authorizer=an_authorizer(results_cache_ttl=Duration.seconds(seconds)))
        ids |= {*resources(stack, "ApiGateway::Deployment")}
    assert len(ids) == 2


def test_a_provisioned_authorizer_is_asked_through_its_alias() -> None:
    stack = new_stack()
    handler = a_handler("web:identify", provisioned_concurrent_executions=1)
    an_api(stack, authorizer=LambdaAuthorizer(handler))
    (alias,) = resources(stack, "Lambda::Alias")
    assert f'{{"Ref": "{alias}"}}' in json.dumps(the(stack, "ApiGateway::Authorizer")["AuthorizerUri"])


def test_the_gateway_may_invoke_each_function_once_over_and_from_its_stage_alone() -> None:
    stack = new_stack()
    own = a_function(stack)
    an_api(stack, Route("GET /a", get()), Route("GET /b", own), Route("POST /b", own), stage_name="v1")
    permissions = [it["Properties"] for it in resources(stack, "Lambda::Permission").values()]
    assert len(permissions) == 2
    for permission in permissions:
        assert permission["Principal"] == "apigateway.amazonaws.com"
        assert permission["Action"] == "lambda:InvokeFunction"
        assert permission["SourceArn"]["Fn::Join"][1][-1] == "/v1/*/*"
        (api,) = resources(stack, "ApiGateway::RestApi")
        assert {"Ref": api} in permission["SourceArn"]["Fn::Join"][1]


def test_the_gateway_may_invoke_an_authorizer_as_that_authorizer_alone() -> None:
    stack = new_stack()
    an_api(stack, Route("GET /a", MockResponse()), authorizer=an_authorizer())
    (authorizer,) = resources(stack, "ApiGateway::Authorizer")
    source = the(stack, "Lambda::Permission")["SourceArn"]["Fn::Join"][1]
    assert source[-2:] == ["/authorizers/", {"Ref": authorizer}]


def test_a_function_that_nobody_here_may_open_is_warned_about() -> None:
    stack = new_stack(env={"account": "111122223333", "region": "eu-west-1"})
    arn = "arn:aws:lambda:eu-west-1:444455556666:function:theirs"
    an_api(stack, Route("GET /a", lambda_.Function.from_function_arn(stack, "Theirs", arn)), alarms="none")
    (warning,) = warnings(stack)
    assert warning.startswith("addPermission() has no effect on a Lambda Function with region=eu-west-1, account=4444")


def a_caller(stack: Stack, id: str = "Caller") -> iam.Role:
    return iam.Role(stack, id, assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"))  # pyright: ignore


def granted(stack: Stack) -> list[str]:
    (found,) = [each for each in statements(stack) if each["Action"] == ["execute-api:Invoke"]]
    return sorted(arn["Fn::Join"][1][-1] for arn in found["Resource"])


def test_callers_are_granted_the_routes_that_they_may_sign_for() -> None:
    stack = new_stack()
    api = an_api(
        stack,
        Route("GET /orders/{order_id}", get()),
        Route("ANY /files/{path+}", get(memory_size=128)),
        Route("GET /health", MockResponse(), public=True),
        Route("GET /", MockResponse()),
        authorizer=IamAuthorizer(),
    )
    api.grant_invoke(a_caller(stack), "GET /orders/{order_id}")
    assert granted(stack) == ["/GET/orders/*"]


def test_without_routes_all_that_iam_guards_are_granted() -> None:
    stack = new_stack()
    api = an_api(
        stack,
        Route("GET /orders/{order_id}", get()),
        Route("ANY /files/{path+}", get(memory_size=128)),
        Route("GET /health", MockResponse(), public=True),
        Route("GET /", MockResponse()),
        authorizer=IamAuthorizer(),
    )
    api.grant_invoke(a_caller(stack))
    assert granted(stack) == ["/*/files/*", "/GET/", "/GET/orders/*"]


def test_a_route_that_asks_for_no_signature_cannot_be_granted() -> None:
    stack = new_stack()
    api = an_api(
        stack, Route("GET /a", MockResponse(), public=True), Route("POST /b", take(), authorizer=IamAuthorizer())
    )
    assert refusal(lambda: api.grant_invoke(a_caller(stack), "GET /a", "POST /b")) == (
        "Shop/Api: grant_invoke() must name routes that an IamAuthorizer guards, got 'GET /a': "
        "its authorizer decides who may call it"
    )


def test_nothing_to_grant_is_said() -> None:
    stack = new_stack()
    assert refusal(lambda: an_api(stack).grant_invoke(a_caller(stack))) == (
        "Shop/Api: grant_invoke() must find a route that an IamAuthorizer guards, got none: pass IamAuthorizer()"
    )


def test_a_grant_that_goes_over_slashes_to_a_route_that_was_not_named_is_warned_of() -> None:
    stack, same = new_stack(), get()
    paths = ("GET /orders/{id}", "GET /orders/{id}/card", "POST /orders/{id}/card", "GET /other")
    api = an_api(stack, *(Route(path, same) for path in paths), authorizer=IamAuthorizer(), alarms="none")
    api.grant_invoke(a_caller(stack), *paths[:2])
    api.grant_invoke(a_caller(stack, "All"))
    assert warnings(stack) == []
    api.grant_invoke(a_caller(stack, "One"), paths[0])
    (warning,) = warnings(stack)
    assert "grant_invoke('GET /orders/{id}') also allows 'GET /orders/{id}/card': in IAM" in warning


def test_access_tokens_of_a_user_pool_count_where_a_route_names_their_scopes() -> None:
    stack = new_stack()
    pools = [cognito.UserPool(stack, "Users")]
    users = apigateway.CognitoUserPoolsAuthorizer(stack, "Pool", cognito_user_pools=pools)  # pyright: ignore
    api = an_api(
        stack,
        Route("GET /mine", get(), scopes=["orders/read", "orders/write"]),
        Route("GET /other", get()),
        authorizer=users,
    )
    told = methods(stack)
    assert told["GET /mine"]["AuthorizationScopes"] == ["orders/read", "orders/write"]
    assert "AuthorizationScopes" not in told["GET /other"]
    assert api.openapi()["paths"]["/mine"]["get"]["security"] == [{"UserPool": ["orders/read", "orders/write"]}]


@pytest.mark.parametrize(
    ("route", "words"),
    [
        ({"public": True}, "be left out without a CognitoUserPoolsAuthorizer, got nobody: let the authorizer look"),
        ({"authorizer": IamAuthorizer()}, "got one of type IamAuthorizer"),
        (
            {"authorizer": JwtAuthorizer("https://login.example.com/", ["api"])},
            "got one of type JwtAuthorizer: write JwtAuthorizer(..., scopes=[...])",
        ),
        ({"public": True, "scopes": "orders"}, "be a list, got a value of type str: write"),
        ({"public": True, "scopes": ["a b"]}, "be names without spaces, got 'a b'"),
    ],
)
def test_scopes_that_nobody_would_look_at_are_refused(route: Any, words: str) -> None:
    given = Route("GET /mine", get(), **{"scopes": ["orders"], **route})
    assert words in refusal(lambda: an_api(new_stack(), given))
