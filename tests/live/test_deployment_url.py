"""Where a deployed API answers: here, on an emulator that runs elsewhere, and on AWS."""

from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_apigateway as apigateway

from serverless_patterns.testing._assembly import Assembly
from serverless_patterns.testing.deployment import Deployment
from tests.live.rest_calls import Api

OK = apigateway.MockIntegration(
    request_templates={"application/json": '{"statusCode": 200}'},
    integration_responses=[apigateway.IntegrationResponse(status_code="200")],
)


class Health(Stack):
    def __init__(self, scope: App, id: str, *apis: str) -> None:
        super().__init__(scope, id)
        self.apis = [apigateway.RestApi(self, api, cloud_watch_role=False) for api in apis]
        for api in self.apis:
            health = api.root.add_resource("health")
            health.add_method("GET", OK, method_responses=[apigateway.MethodResponse(status_code="200")])


def test_an_api_answers_at_its_url(cdk_app: App, deploy: Any, fresh_name: str) -> None:
    stack = Health(cdk_app, fresh_name, "Api")
    deployment = deploy(cdk_app)
    url = deployment.url(stack.apis[0])
    assert Api(url).call("GET /health").status == 200
    assert deployment.url(stack) == deployment.url(f"{fresh_name}/Api") == url, "what holds the API will do"


class Listed:
    """CloudFormation of a region of AWS, where every resource is named after its logical id."""

    class meta:
        endpoint_url = "https://cloudformation.eu-west-1.amazonaws.com"

    def __init__(self, ids: list[str]) -> None:
        self._ids = ids

    def get_paginator(self, _name: str) -> "Listed":
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        return [
            {"StackResourceSummaries": [{"LogicalResourceId": i, "PhysicalResourceId": i.lower()} for i in self._ids]}
        ]


def on_aws(folder: Path, *apis: str, further_stage: bool = False) -> tuple[Health, Deployment]:
    app = App(outdir=str(folder))
    stack = Health(app, "Health", *apis)
    if further_stage:
        apigateway.Stage(stack, "Beta", deployment=stack.apis[0].latest_deployment, stage_name="beta")
    assembly = Assembly(Path(app.synth().directory))
    (artifact,) = assembly.stacks
    ids = list(artifact.logical_ids.values())
    return stack, Deployment(assembly, ["Health"], Listed(ids), None)  # pyright: ignore[reportArgumentType]


def test_on_aws_it_is_the_regions_own_host(tmp_path: Path) -> None:
    stack, deployment = on_aws(tmp_path, "Api")
    api, *_ = (id for path, id in deployment._assembly.stacks[0].logical_ids.items() if path == "Health/Api/Resource")
    url = deployment.url(stack)
    assert url.startswith(f"https://{api.lower()}.execute-api.eu-west-1.amazonaws.com/")
    assert not url.endswith("/")


def test_one_of_several_apis_must_be_chosen(tmp_path: Path) -> None:
    stack, deployment = on_aws(tmp_path, "Api", "Admin")
    with pytest.raises(LookupError, match=r"^Health holds 2 resources of type AWS::ApiGateway::RestApi, not one$"):
        deployment.url(stack)
    assert deployment.url(stack.apis[1]) != deployment.url(stack.apis[0])


def test_one_of_several_stages_must_be_named(tmp_path: Path) -> None:
    stack, deployment = on_aws(tmp_path, "Api", further_stage=True)
    with pytest.raises(LookupError, match=r"^Health has the stages \[.*\]: name one by stage=$"):
        deployment.url(stack)
    assert deployment.url(stack, stage="beta").endswith("/beta")
