"""`python api_routes.py RUNTIME`: APIs of 2, 10 and 100 routes, by our construct and by the CDK's own, in one process.

Prints JSON: by maker and number of routes the CPU seconds of one app, from `App()` to its template, and its resources.
Of four routes two share a path and two a schema; all lead to one function. With the second route an API has all that
it has only once.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from aws_cdk import App, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_

from serverless_patterns import ApiProxy, Handler, Route

RUNTIME = lambda_.Runtime(sys.argv[1], lambda_.RuntimeFamily.PYTHON)
FUNCTIONS = Path(__file__).resolve().parent.parent / "functions"
APPS = {2: 8, 10: 8, 100: 1}
"""By number of routes, how many are timed together: so that each takes a good while of the kernel's clock."""
ROUNDS = 7


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


MAKERS: Mapping[str, Callable[[Stack, int], None]] = {"ours": ours, "plain_l2": plain_l2}


def synthesise(maker: str, count: int) -> int:
    """Number of resources."""
    with tempfile.TemporaryDirectory() as out:
        app = App(outdir=out)
        MAKERS[maker](Stack(app, "Things"), count)
        app.synth()
        return len(json.loads(Path(out, "Things.template.json").read_text())["Resources"])


def cpu_seconds() -> float:
    """Of this process and of all that it started: the CDK runs in node, two processes down."""
    parents = dict(_processes())

    def of(process: int) -> int:
        return parents[process][1] + sum(of(child) for child, (parent, _) in parents.items() if parent == process)

    return of(os.getpid()) / os.sysconf("SC_CLK_TCK")


def _processes() -> Iterator[tuple[int, tuple[int, int]]]:
    """Id; parent, clock ticks in user and kernel mode."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has just ended
            yield int(folder.name), (int(fields[1]), int(fields[11]) + int(fields[12]))


def timed(maker: str, count: int) -> float:
    before = cpu_seconds()
    for _ in range(APPS[count]):
        synthesise(maker, count)
    return (cpu_seconds() - before) / APPS[count]


# Small ones first: they warm everything that the large one would otherwise pay for.
resources = {maker: {count: synthesise(maker, count) for count in APPS} for maker in MAKERS}
rounds = [{(maker, count): timed(maker, count) for maker in MAKERS for count in APPS} for _ in range(ROUNDS)]
result = {
    maker: {
        count: {"cpu_seconds": min(one[maker, count] for one in rounds), "resources": resources[maker][count]}
        for count in APPS
    }
    for maker in MAKERS
}
print(json.dumps(result))
