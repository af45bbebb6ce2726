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


# Usage plans


SLOW = {"RateLimit": 1, "BurstLimit": 2}


@pytest.fixture
def metered(stack, template, cloud):
    """Statuses of so many calls at once with a key of a plan with these properties."""

    def statuses_with(times: int, **plan: Any) -> list[int]:
        template["Post"]["Properties"]["ApiKeyRequired"] = True
        template["Key"] = resource("ApiGateway::ApiKey", Enabled=True)
        stage = {"ApiId": API, "Stage": {"Ref": "Stage"}, "Throttle": plan.pop("of_methods", {})}
        template["Plan"] = resource("ApiGateway::UsagePlan", ApiStages=[stage], **plan)
        template["InPlan"] = resource(
            "ApiGateway::UsagePlanKey", KeyId={"Ref": "Key"}, KeyType="API_KEY", UsagePlanId={"Ref": "Plan"}
        )
        api = stack(template)
        client = cloud.client("apigateway")
        known = {key["id"]: key["value"] for key in client.get_api_keys(includeValues=True, limit=500)["items"]}
        (plan_id,) = [
            plan["id"]
            for plan in client.get_usage_plans()["items"]
            if plan["apiStages"] and plan["apiStages"][0]["apiId"] in api.url
        ]
        (key,) = client.get_usage_plan_keys(usagePlanId=plan_id)["items"]
        assert api.call("POST /orders", GOOD, KEY).status == 403
        headers = {**KEY, "x-api-key": known[key["id"]]}
        return [answer.status for answer in api.at_once(times, "POST /orders", GOOD, headers)]

    return statuses_with


def test_a_plan_s_quota_is_enforced(metered) -> None:
    assert sorted(metered(3, Quota={"Limit": 2, "Period": "DAY"})) == [200, 200, 429]


def test_a_plan_s_throttle_is_enforced(metered) -> None:
    statuses = metered(8, Throttle=SLOW)
    assert 2 <= statuses.count(200) <= 4


@pytest.mark.xfail(
    strict=True, raises=AssertionError, reason="the emulator does not read a plan's throttles of single methods"
)
def test_a_plan_s_throttle_of_a_method_is_enforced(metered) -> None:
    assert metered(8, of_methods={"/orders/POST": SLOW}).count(429) > 0


# Domains


CERTIFICATE = "arn:aws:acm:us-east-1:000000000000:certificate/12345678-1234-1234-1234-123456789012"


@pytest.fixture
def domain(template, fresh_name) -> str:
    """The name of a domain that the template maps to the stage, below `/shop`."""
    name = f"{fresh_name.lower()}.example.com"
    regional = {"Types": ["REGIONAL"]}
    template["Domain"] = resource(
        "ApiGateway::DomainName",
        DomainName=name,
        RegionalCertificateArn=CERTIFICATE,
        EndpointConfiguration=regional,
        SecurityPolicy="TLS_1_2",
    )
    template["Mapping"] = resource(
        "ApiGateway::BasePathMapping",
        DomainName={"Ref": "Domain"},
        BasePath="shop",
        RestApiId=API,
        Stage={"Ref": "Stage"},
    )
    return name


def test_a_domain_leads_to_its_stage_below_its_base_path(stack, template, cloud, domain) -> None:
    stack(template)
    everybody, named = Api(cloud.endpoint_url), {**KEY, "Host": domain}
    assert everybody.call("POST /shop/orders", GOOD, named).status == 200
    assert everybody.call("POST /orders", GOOD, named).status != 200


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="the emulator knows no TLS, so no client's certificate")
def test_mutual_tls_is_enforced(stack, template, cloud, domain) -> None:
    mutual = {"TruststoreUri": "s3://trust/partners.pem"}
    template["Domain"]["Properties"]["MutualTlsAuthentication"] = mutual
    stack(template)
    assert Api(cloud.endpoint_url).call("POST /shop/orders", GOOD, {**KEY, "Host": domain}).status != 200


@pytest.mark.xfail(strict=True, raises=AssertionError, reason="the emulator leaves the API's own address open")
def test_the_own_address_of_an_api_can_be_closed(stack, template) -> None:
    template["Api"]["Properties"]["DisableExecuteApiEndpoint"] = True
    assert stack(template).call("POST /orders", GOOD, KEY).status == 403
