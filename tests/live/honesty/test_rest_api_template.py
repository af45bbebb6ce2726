"""What a template says of a REST API holds in the emulator, after a creation, an update and a removal."""

import copy
import json
from typing import Any

import pytest

from tests.live.rest_calls import Api

SCHEMA = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
MOCK = {
    "Type": "MOCK",
    "RequestTemplates": {"application/json": '{"statusCode": 200}'},
    "IntegrationResponses": [{"StatusCode": "200"}],
}
API = {"Ref": "Api"}
ORDERS = {
    "RestApiId": API,
    "ResourceId": {"Ref": "Orders"},
    "HttpMethod": "POST",
    "AuthorizationType": "NONE",
    "Integration": MOCK,
    "MethodResponses": [{"StatusCode": "200"}],
}


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    return {"Type": f"AWS::{kind}", "Properties": properties}


TEMPLATE = {
    "Api": resource("ApiGateway::RestApi", Name="honesty"),
    "Orders": resource(
        "ApiGateway::Resource", RestApiId=API, ParentId={"Fn::GetAtt": ["Api", "RootResourceId"]}, PathPart="orders"
    ),
    "Model": resource("ApiGateway::Model", RestApiId=API, ContentType="application/json", Schema=SCHEMA),
    "Validator": resource(
        "ApiGateway::RequestValidator", RestApiId=API, ValidateRequestBody=True, ValidateRequestParameters=True
    ),
    "Post": resource(
        "ApiGateway::Method",
        **ORDERS,
        RequestValidatorId={"Ref": "Validator"},
        RequestModels={"application/json": {"Ref": "Model"}},
        RequestParameters={"method.request.header.Idempotency-Key": True},
    ),
    "Deployment": resource("ApiGateway::Deployment", RestApiId=API) | {"DependsOn": ["Post"]},
    "Stage": resource("ApiGateway::Stage", RestApiId=API, DeploymentId={"Ref": "Deployment"}, StageName="live"),
}
KEY = {"Idempotency-Key": "k-1"}
GOOD, BAD = {"id": "o-1"}, {"id": 1}


@pytest.fixture
def stack(cloud, leftovers, fresh_name):
    """Create the stack, or update it to another template."""
    client = cloud.client("cloudformation")
    leftovers.callback(client.delete_stack, StackName=fresh_name)
    made: list[str] = []

    def deploy(resources: dict[str, Any]) -> Api:
        call, done = (client.update_stack, "stack_update_complete") if made else (client.create_stack, DONE)
        made.append(fresh_name)
        call(StackName=fresh_name, TemplateBody=json.dumps({"Resources": resources}))
        client.get_waiter(done).wait(StackName=fresh_name, WaiterConfig={"Delay": 0.1, "MaxAttempts": 100})
        id = client.describe_stack_resource(StackName=fresh_name, LogicalResourceId="Api")
        api = id["StackResourceDetail"]["PhysicalResourceId"]
        return Api(f"{cloud.endpoint_url}/restapis/{api}/live/_user_request_")

    return deploy


DONE = "stack_create_complete"


@pytest.fixture
def template() -> dict[str, Any]:
    return copy.deepcopy(TEMPLATE)


def statuses(api: Api) -> dict[str, int]:
    return {
        "good": api.call("POST /orders", GOOD, KEY).status,
        "bad": api.call("POST /orders", BAD, KEY).status,
        "no key": api.call("POST /orders", GOOD).status,
        "no body": api.call("POST /orders", headers=KEY).status,
        "no json": api.call("POST /orders", "{broken", KEY).status,
    }


REFUSING = {"good": 200, "bad": 400, "no key": 400, "no body": 400, "no json": 400}


def test_bodies_and_parameters_are_validated(stack, template) -> None:
    assert statuses(stack(template)) == REFUSING


def test_a_validator_that_changes_checks_other_things(stack, template) -> None:
    stack(template)
    template["Validator"]["Properties"]["ValidateRequestParameters"] = False
    assert statuses(stack(template)) == REFUSING | {"no key": 200}
    template["Validator"]["Properties"] |= {"ValidateRequestParameters": True, "ValidateRequestBody": False}
    assert statuses(stack(template)) == {**dict.fromkeys(REFUSING, 200), "no key": 400}


def test_a_validator_with_another_name_is_another_one(stack, template) -> None:
    stack(template)
    template["Validator"]["Properties"]["Name"] = "renamed"
    assert statuses(stack(template)) == REFUSING


def test_a_method_keeps_its_validator_when_it_changes_otherwise_and_loses_it_when_told(stack, template) -> None:
    stack(template)
    template["Post"]["Properties"]["RequestParameters"]["method.request.querystring.page"] = True
    assert statuses(stack(template)) == dict.fromkeys(REFUSING, 400)
    del template["Post"]["Properties"]["RequestValidatorId"]
    assert statuses(stack(template)) == dict.fromkeys(REFUSING, 200)


def test_a_validator_that_is_removed_is_gone(stack, template, cloud) -> None:
    api = stack(template).url.split("/restapis/")[1].split("/")[0]
    del template["Post"]["Properties"]["RequestValidatorId"], template["Validator"]
    stack(template)
    assert cloud.client("apigateway").get_request_validators(restApiId=api)["items"] == []


@pytest.mark.parametrize("path", ["/~1orders", "/*"])
def test_a_throttle_is_enforced(stack, template, path) -> None:
    setting = {"ResourcePath": path, "HttpMethod": "POST", "ThrottlingRateLimit": 1, "ThrottlingBurstLimit": 2}
    setting |= {"HttpMethod": "*"} if path == "/*" else {}
    template["Stage"]["Properties"]["MethodSettings"] = [setting]
    answers = [answer.status for answer in stack(template).at_once(8, "POST /orders", GOOD, KEY)]
    assert set(answers) == {200, 429}
    assert 2 <= answers.count(200) <= 4


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="the emulator writes no access logs")
def test_calls_are_logged(stack, template, cloud, leftovers, fresh_name) -> None:
    logs = cloud.client("logs")
    logs.create_log_group(logGroupName=fresh_name)
    leftovers.callback(logs.delete_log_group, logGroupName=fresh_name)
    arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{fresh_name}"
    template["Stage"]["Properties"]["AccessLogSetting"] = {"DestinationArn": arn, "Format": "$context.requestId"}
    assert stack(template).call("POST /orders", GOOD, KEY).status == 200
    assert logs.describe_log_streams(logGroupName=fresh_name)["logStreams"]


@pytest.mark.xfail(
    strict=True, raises=AssertionError, reason="the emulator validates against a model for another content type"
)
def test_a_content_type_without_a_model_is_not_validated(stack, template) -> None:
    answer = stack(template).call("POST /orders", '{"id": 1}', KEY | {"Content-Type": "text/plain"})
    assert answer.status != 400


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="the emulator serves changes without a new deployment")
def test_a_change_waits_for_a_deployment(stack, template) -> None:
    stack(template)
    del template["Post"]["Properties"]["RequestValidatorId"]
    assert statuses(stack(template)) == REFUSING
