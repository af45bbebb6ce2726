"""`python -m bench.synth_apps.api_routes RUNTIME`: APIs of 2, 10 and 100 routes, measured.

Of four routes two share a path and two a schema; all lead to one function. With the second route an API has all that
it has only once.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from aws_cdk import Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_

from bench.synth_apps.measuring import measure
from serverless_patterns import ApiProxy, Handler, Route

RUNTIME = lambda_.Runtime(sys.argv[1], lambda_.RuntimeFamily.PYTHON)
FUNCTIONS = Path(__file__).resolve().parent.parent / "functions"


class Described(NamedTuple):
    method: str
    path: str
    body: Mapping[str, Any] | None


def routes(count: int) -> Sequence[Described]:
    made: list[Described] = []
    for number in range((count + 3) // 4):
        field, things = f"field{number}", f"/things{number}"
        body = {
            "type": "object",
            "required": ["name", field],
            "additionalProperties": False,
            "properties": {"name": {"type": "string", "minLength": 1}, field: {"type": "integer", "minimum": 0}},
        }
        made += [Described("GET", things, None), Described("POST", things, body)]
        made += [Described("GET", f"{things}/{{id}}", None), Described("PUT", f"{things}/{{id}}", body)]
    return made[:count]


def ours(stack: Stack, count: int) -> None:
    handler = Handler(FUNCTIONS, "things:answer", runtime=RUNTIME)
    described = [Route(f"{one.method} {one.path}", handler, body=one.body) for one in routes(count)]
    ApiProxy(stack, "Api", public=True, routes=described)


def plain_l2(stack: Stack, count: int) -> None:
    code = lambda_.Code.from_asset(str(FUNCTIONS), exclude=["**/__pycache__", "**/*.pyc"])
    function = lambda_.Function(stack, "Function", code=code, handler="things.answer", runtime=RUNTIME)
    api = apigateway.RestApi(stack, "Api", cloud_watch_role=False)
    validator = api.add_request_validator("Validator", validate_request_body=True)
    integration = apigateway.LambdaIntegration(function)
    models: dict[str, apigateway.Model] = {}
    for one in routes(count):
        resource = api.root.resource_for_path(one.path)
        if one.body is None:
            resource.add_method(one.method, integration)
            continue
        name = f"Body{one.path.count('/')}{one.path.split('/')[1]}"
        key = json.dumps(one.body)
        if key not in models:
            models[key] = api.add_model(name, schema=_json_schema(one.body))
        resource.add_method(
            one.method, integration, request_models={"application/json": models[key]}, request_validator=validator
        )


def _json_schema(body: Mapping[str, Any]) -> apigateway.JsonSchema:
    name, field = body["required"]
    return apigateway.JsonSchema(
        type=apigateway.JsonSchemaType.OBJECT,
        required=[name, field],
        additional_properties=False,
        properties={
            name: apigateway.JsonSchema(type=apigateway.JsonSchemaType.STRING, min_length=1),
            field: apigateway.JsonSchema(type=apigateway.JsonSchemaType.INTEGER, minimum=0),
        },
    )


print(measure({"ours": ours, "plain_l2": plain_l2}, {2: 8, 10: 8, 100: 1}, rounds=7))
