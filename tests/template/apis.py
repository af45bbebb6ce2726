"""What the template tests of ApiProxy share: handlers, an API, and a look at what the gateway would be told."""

import json
from pathlib import Path
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_lambda as lambda_
from aws_cdk.assertions import Template

from serverless_patterns import ApiProxy, Handler, Route
from serverless_patterns_runtime.api_proxy.contract import ROUTES_FILE, Routes
from tests.template.stacks import a_handler, resources

ORDER: dict[str, Any] = {
    "type": "object",
    "properties": {"order_id": {"type": "string"}},
    "required": ["order_id"],
}

PAGE: dict[str, Any] = {"type": "object", "properties": {"page": {"type": "integer"}}}


def get(**arguments: Any) -> Handler:
    """A function without effects."""
    return a_handler("web:get", **arguments)


def take(**arguments: Any) -> Handler:
    """A function with effects."""
    return a_handler("web:take", **arguments)


def an_api(stack: Stack, *routes: Route, id: str = "Api", **arguments: Any) -> ApiProxy:
    """The pattern, open to anybody unless the test says otherwise, with one route unless it says which."""
    guarded = "authorizer" in arguments or "public" in arguments
    given = {**({} if guarded else {"public": True}), **arguments}
    return ApiProxy(stack, id, routes=routes or (Route("GET /orders", get()),), **given)


def a_function(stack: Stack, id: str = "Own", **arguments: Any) -> lambda_.Function:
    code, runtime = lambda_.Code.from_inline("exports.handler = 1"), lambda_.Runtime.NODEJS_22_X
    return lambda_.Function(stack, id, code=code, handler="index.handler", runtime=runtime, **arguments)


def the_path(stack: Stack, resource_id: Any) -> str:
    """The path of a resource of the gateway."""
    if "Fn::GetAtt" in resource_id:
        return ""
    properties = resources(stack, "ApiGateway::Resource")[resource_id["Ref"]]["Properties"]
    return f"{the_path(stack, properties['ParentId'])}/{properties['PathPart']}"


def methods(stack: Stack) -> dict[str, dict[str, Any]]:
    """Properties of every method, by `METHOD /path`."""
    found = [method["Properties"] for method in resources(stack, "ApiGateway::Method").values()]
    return {f"{one['HttpMethod']} {the_path(stack, one['ResourceId']) or '/'}": one for one in found}


def the_stage(stack: Stack) -> dict[str, Any]:
    (stage,) = resources(stack, "ApiGateway::Stage").values()
    return stage["Properties"]


def functions(stack: Stack) -> dict[str, dict[str, Any]]:
    """Properties of every function, by logical id without the hash at its end."""
    return {id[:-8]: it["Properties"] for id, it in resources(stack, "Lambda::Function").items()}


def variables_of(stack: Stack, id: str) -> dict[str, Any]:
    """Variables of the function with this id, such as `ApiWebGet`."""
    return functions(stack)[id]["Environment"]["Variables"]


def asset_of(stack: Stack, id: str) -> Path:
    """The folder that a function's code asset is."""
    Template.from_stack(stack)
    key = functions(stack)[id]["Code"]["S3Key"]
    return Path(stack.node.root.outdir) / f"asset.{key.removesuffix('.zip')}"  # pyright: ignore


def the_routes(stack: Stack, id: str) -> Routes:
    """What a function is told of its routes."""
    return json.loads((asset_of(stack, id) / ROUTES_FILE).read_text())


def cognito_authorizer(stack: Stack) -> apigateway.CognitoUserPoolsAuthorizer:
    pool = cognito.UserPool(stack, "Pool")
    return apigateway.CognitoUserPoolsAuthorizer(stack, "Users", cognito_user_pools=[pool])  # pyright: ignore


def token_authorizer(stack: Stack) -> apigateway.TokenAuthorizer:
    return apigateway.TokenAuthorizer(stack, "Tokens", handler=a_function(stack, "Check"))  # pyright: ignore
