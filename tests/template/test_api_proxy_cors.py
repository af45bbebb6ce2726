"""CORS: preflights, functions, fixed answers and errors of the gateway say the same."""

import json
from typing import Any

import pytest
from aws_cdk import Duration, Stack
from aws_cdk import aws_apigateway as apigateway

from serverless_patterns import Cors, IamAuthorizer, LambdaAuthorizer, MockResponse, Route, UsagePlan
from serverless_patterns.testing._run_emulator.mapping_templates import Request, render
from tests.template.apis import a_function, an_api, get, methods, variables_of
from tests.template.stacks import a_handler, new_stack, resources

SHOP, OTHER = "https://shop.example.com", "https://other.example.com:8443"
EXPOSED = "'Idempotent-Replayed,X-Correlation-Id,Retry-After'"


def with_cors(**arguments: Any) -> Stack:
    stack = new_stack()
    an_api(
        stack,
        Route("GET /orders", get()),
        Route("DELETE /orders", get(memory_size=128)),
        Route("GET /health", MockResponse(200, {"status": "ok"})),
        cors=Cors(**arguments),
    )
    return stack


def preflight(stack: Stack, path: str = "/orders") -> dict[str, Any]:
    (response,) = methods(stack)[f"OPTIONS {path}"]["Integration"]["IntegrationResponses"]
    return response


def headers(response: dict[str, Any]) -> dict[str, str]:
    return {name.split(".", 3)[-1]: value for name, value in response["ResponseParameters"].items()}


def gateway_errors(stack: Stack) -> list[dict[str, str]]:
    found = [it["Properties"]["ResponseParameters"] for it in resources(stack, "ApiGateway::GatewayResponse").values()]
    return [{name.split(".", 2)[-1]: value for name, value in each.items()} for each in found]


def test_preflights_name_the_methods_of_their_path_and_what_may_be_sent() -> None:
    stack = with_cors(allow_origins=[SHOP], max_age=Duration.minutes(5))
    response = preflight(stack)
    assert response["StatusCode"] == "204"
    assert headers(response) == {
        "Access-Control-Allow-Headers": "'Authorization,Content-Type,Idempotency-Key,X-Correlation-Id'",
        "Access-Control-Allow-Methods": "'DELETE,GET'",
        "Access-Control-Allow-Origin": f"'{SHOP}'",
        "Access-Control-Max-Age": "'300'",
        "Vary": "'Origin'",
    }
    assert headers(preflight(stack, "/health"))["Access-Control-Allow-Methods"] == "'GET'"


def test_preflights_allow_what_the_door_of_their_path_asks_for() -> None:
    stack = new_stack()
    check = apigateway.TokenAuthorizer(
        stack,
        "Token",
        handler=a_function(stack),  # pyright: ignore
        identity_source=apigateway.IdentitySource.header("X-Ticket"),
    )
    an_api(
        stack,
        Route("GET /own", get(), authorizer=LambdaAuthorizer(a_handler("web:identify"), header="X-Token")),
        Route("GET /token", get(), authorizer=check),
        Route("GET /iam", get(), authorizer=IamAuthorizer()),
        Route("GET /metered", get(), api_key_required=True, public=True),
        Route("GET /open", get(), public=True),
        public=True,
        cors=Cors(allow_origins=[SHOP], allow_headers=["authorization", "X-Mine"]),
        usage_plans=[UsagePlan("free")],
    )
    told = {path: headers(preflight(stack, f"/{path}"))["Access-Control-Allow-Headers"] for path in PATHS}
    assert {path: said.strip("'").split(",") for path, said in told.items()} == PATHS


PATHS = {
    "own": ["X-Token", "authorization", "X-Mine"],
    "token": ["X-Ticket", "authorization", "X-Mine"],
    "iam": ["authorization", "X-Amz-Date", "X-Amz-Security-Token", "X-Mine"],
    "metered": ["x-api-key", "authorization", "X-Mine"],
    "open": ["authorization", "X-Mine"],
}


@pytest.mark.parametrize(
    ("arguments", "origin"),
    [
        ({"allow_origins": ["*"]}, "*"),
        ({"allow_origins": [SHOP]}, SHOP),
        ({"allow_origins": [SHOP], "allow_credentials": True}, SHOP),
    ],
)
def test_one_rule_holds_for_fixed_answers_and_errors_of_the_gateway(arguments: dict[str, Any], origin: str) -> None:
    stack = with_cors(**arguments)
    expected = {"Access-Control-Allow-Origin": f"'{origin}'", "Access-Control-Expose-Headers": EXPOSED}
    if origin != "*":
        expected["Vary"] = "'Origin'"
    if arguments.get("allow_credentials"):
        expected["Access-Control-Allow-Credentials"] = "'true'"
        assert headers(preflight(stack))["Access-Control-Allow-Credentials"] == "'true'"
    method = methods(stack)["GET /health"]
    (answer,), (declared,) = method["Integration"]["IntegrationResponses"], method["MethodResponses"]
    assert headers(answer) == expected
    assert {*declared["ResponseParameters"]} == {*answer["ResponseParameters"]}
    for error in gateway_errors(stack):
        assert {name: value for name, value in error.items() if name in expected} == expected


@pytest.mark.parametrize("asking", [None, SHOP, OTHER, "https://evil.example.com"])
@pytest.mark.parametrize("name", ["Origin", "origin"])
def test_of_several_origins_the_one_that_asks_is_named(asking: str | None, name: str) -> None:
    stack = with_cors(allow_origins=[SHOP, OTHER])
    (response,) = methods(stack)["GET /health"]["Integration"]["IntegrationResponses"]
    request = Request({}, {}, {name: asking} if asking else {})
    context: dict[str, Any] = {"responseOverride": {"header": {}, "status": None}}
    body = render(response["ResponseTemplates"]["application/json"], "", request, context)
    told = {**headers(response), **{key: f"'{value}'" for key, value in context["responseOverride"]["header"].items()}}
    assert json.loads(body) == {"status": "ok"}
    assert told["Access-Control-Allow-Origin"] == f"'{OTHER if asking == OTHER else SHOP}'"
    assert told["Vary"] == "'Origin'"


def test_of_several_origins_errors_of_the_gateway_can_be_read_from_anywhere_without_credentials() -> None:
    stack = with_cors(allow_origins=[SHOP, OTHER])
    assert {error["Access-Control-Allow-Origin"] for error in gateway_errors(stack)} == {"'*'"}
    assert not [error for error in gateway_errors(stack) if "Access-Control-Allow-Credentials" in error]


def test_functions_are_told() -> None:
    stack = with_cors(allow_origins=[SHOP, OTHER], expose_headers=["X-Total"])
    assert json.loads(variables_of(stack, "ApiWebGetGetOrders")["CORS"]) == {
        "origins": [SHOP, OTHER],
        "credentials": False,
        "expose_headers": ["X-Total"],
    }


def test_without_cors_nothing_is_said() -> None:
    stack = new_stack()
    an_api(stack, Route("GET /orders", get()), Route("GET /health", MockResponse()))
    assert [name for name in methods(stack) if name.startswith("OPTIONS")] == []
    assert "Access-Control" not in json.dumps([gateway_errors(stack), methods(stack)])
