"""Scanners find in an API what its user decides, and nothing else; what is acknowledged is true."""

from pathlib import Path

import pytest
from aws_cdk import Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_route53 as route53

from serverless_patterns import Cors, Domain, HttpBackend, LambdaAuthorizer, MockResponse, Quota, Route, UsagePlan
from tests.template.apis import ORDER, an_api, get, take, the_stage
from tests.template.scanning import PACKS, failed_checks, findings, linted, needs_checkov
from tests.template.stacks import a_handler, new_stack

WAF, AUTHORIZATION, COGNITO, VALIDATION = (f"AwsSolutions-{rule}" for rule in ("APIG3", "APIG4", "COG4", "APIG2"))


def a_guarded_stack() -> Stack:
    stack = new_stack()
    certificate = acm.Certificate(stack, "Certificate", domain_name="api.example.com")
    zone = route53.HostedZone.from_hosted_zone_attributes(stack, "Z", hosted_zone_id="Z1", zone_name="example.com")
    an_api(
        stack,
        Route("GET /orders/{order_id}", get()),
        Route("POST /payments", take(), body=ORDER),
        Route("GET /legacy/{proxy+}", HttpBackend("https://legacy.example.com/{proxy}")),
        Route("GET /version", MockResponse(200, {"version": 1}), api_key_required=True),
        usage_plans=[UsagePlan("free", keys=[apigateway.ApiKey(stack, "Acme")], quota=Quota(1_000))],
        domain=Domain("api.example.com", certificate, hosted_zone=zone),
        authorizer=LambdaAuthorizer(a_handler("web:identify")),
        cors=Cors(allow_origins=["https://shop.example.com"]),
    )
    return stack


@pytest.fixture(scope="module")
def guarded() -> Stack:
    return a_guarded_stack()


def test_cdk_nag_asks_for_a_firewall_and_for_cognito_which_the_user_decides(guarded: Stack) -> None:
    assert {*findings(guarded, "AwsSolutions")} == {WAF, COGNITO}
    assert findings(guarded, "Serverless") == []


def test_with_a_firewall_and_cognito_cdk_nag_finds_nothing() -> None:
    stack = new_stack()
    arn = "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_1"
    pool = cognito.UserPool.from_user_pool_arn(stack, "Pool", arn)
    users = apigateway.CognitoUserPoolsAuthorizer(stack, "Users", cognito_user_pools=[pool])
    acl = "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/1"
    an_api(stack, Route("POST /payments", take(), body=ORDER), authorizer=users, web_acl=acl)
    for pack in PACKS:
        assert findings(stack, pack) == []


def test_a_public_route_is_found() -> None:
    stack = new_stack()
    an_api(stack, Route("POST /orders", take(), body=ORDER))
    assert AUTHORIZATION in findings(stack, "AwsSolutions")


def test_a_body_without_schema_is_found_and_an_api_without_bodies_is_not() -> None:
    stack = new_stack()
    an_api(stack, Route("POST /orders", take()))
    assert VALIDATION in findings(stack, "AwsSolutions")
    stack = new_stack()
    an_api(stack, Route("GET /orders", get()), Route("DELETE /orders", get(memory_size=128)))
    assert VALIDATION not in findings(stack, "AwsSolutions")


def test_an_api_without_access_logs_is_found() -> None:
    stack = new_stack()
    an_api(stack, access_logs=False)
    assert {"AwsSolutions-APIG1", "AwsSolutions-APIG6"} <= {*findings(stack, "AwsSolutions")}


def test_every_request_is_in_the_access_log(guarded: Stack) -> None:
    """AwsSolutions-APIG6, which asks for execution logs, is acknowledged where there are access logs."""
    assert "$context.error.responseType" in the_stage(guarded)["AccessLogSetting"]["Format"]


def test_cfn_lint_finds_nothing(guarded: Stack) -> None:
    assert linted(guarded) == []


@needs_checkov
def test_checkov_asks_for_what_costs_and_nothing_else(guarded: Stack, tmp_path: Path) -> None:
    failed = {check for _, check in failed_checks(tmp_path, {"guarded": guarded})}
    # Concurrency, network, customer keys; and a cache, by the hour.
    assert failed == {"CKV_AWS_115", "CKV_AWS_117", "CKV_AWS_119", "CKV_AWS_120", "CKV_AWS_158", "CKV_AWS_173"}


@pytest.mark.parametrize("pack", PACKS)
def test_routes_on_an_existing_api_bring_no_finding_of_their_own(pack: str) -> None:
    stack = new_stack()
    existing = apigateway.RestApi.from_rest_api_attributes(stack, "Theirs", rest_api_id="abc", root_resource_id="root")
    arn = "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_1"
    pool = cognito.UserPool.from_user_pool_arn(stack, "Pool", arn)
    users = apigateway.CognitoUserPoolsAuthorizer(stack, "Users", cognito_user_pools=[pool])
    routes = [Route("POST /payments", take(), body=ORDER), Route("GET /version", MockResponse())]
    an_api(stack, *routes, authorizer=users, rest_api=existing, stage_name="prod")
    assert findings(stack, pack) == []
    assert linted(stack) == []
