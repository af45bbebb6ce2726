"""`python -m bench.synth_apps.migrated_routes RUNTIME`: gateways of 2, 10 and 100 routes that are migrating, measured.

Of four routes two share a path; all lead to one function. Plain L2 is what somebody would write without us: a function
of his own behind each route, and the rest of its path to legacy.
"""

import sys
from pathlib import Path

from aws_cdk import Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_

from bench.synth_apps.measuring import measure
from serverless_patterns import Handler, LegacyBackend, MigratedRoute, StranglerGateway

RUNTIME = lambda_.Runtime(sys.argv[1], lambda_.RuntimeFamily.PYTHON)
FUNCTIONS = Path(__file__).resolve().parent.parent / "functions"
LEGACY = "https://monolith.example.com"


def routes(count: int) -> list[tuple[str, str]]:
    made: list[tuple[str, str]] = []
    for number in range((count + 3) // 4):
        things = f"/things{number}"
        made += [("GET", things), ("POST", things), ("GET", f"{things}/{{id}}"), ("PUT", f"{things}/{{id}}")]
    return made[:count]


def ours(stack: Stack, count: int) -> None:
    handler = Handler(FUNCTIONS, "things:answer", runtime=RUNTIME)
    described = [MigratedRoute(f"{method} {path}", handler, stage="migrating") for method, path in routes(count)]
    StranglerGateway(stack, "Gateway", auth="legacy", legacy=LegacyBackend(LEGACY), routes=described)


def plain_l2(stack: Stack, count: int) -> None:
    code = lambda_.Code.from_asset(str(FUNCTIONS), exclude=["**/__pycache__", "**/*.pyc"])
    function = lambda_.Function(stack, "Function", code=code, handler="things.answer", runtime=RUNTIME)
    api = apigateway.RestApi(stack, "Api", cloud_watch_role=False, binary_media_types=["*/*"])
    integration = apigateway.LambdaIntegration(function)
    api.root.add_method("ANY", _legacy("/", ()))
    api.root.add_resource("{proxy+}").add_method("ANY", _legacy("/{proxy}", ("proxy",)))
    for path in dict.fromkeys(path for _, path in routes(count)):
        resource = api.root.resource_for_path(path)
        own = ("id",) if path.endswith("{id}") else ()
        resource.add_method("ANY", _legacy(path, own))
        if own:
            resource.add_resource("{proxy+}").add_method("ANY", _legacy(f"{path}/{{proxy}}", (*own, "proxy")))
    for method, path in routes(count):
        api.root.resource_for_path(path).add_method(method, integration)


def _legacy(path: str, parameters: tuple[str, ...]) -> apigateway.Integration:
    named = {f"integration.request.path.{name}": f"method.request.path.{name}" for name in parameters}
    options = apigateway.IntegrationOptions(request_parameters=named or None)
    kind = apigateway.IntegrationType.HTTP_PROXY
    return apigateway.Integration(type=kind, integration_http_method="ANY", uri=LEGACY + path, options=options)


print(measure({"ours": ours, "plain_l2": plain_l2}, {2: 8, 10: 8, 100: 1}, rounds=7))
