"""Scanners find in a gateway what its user decides, and nothing else."""

from pathlib import Path

import pytest
from aws_cdk import Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cognito as cognito

from serverless_patterns import Shadow
from tests.template.apis import ORDER, get, take
from tests.template.gateways import a_gateway, a_route
from tests.template.scanning import PACKS, failed_checks, findings, linted, needs_checkov
from tests.template.stacks import new_stack


def a_guarded_stack() -> Stack:
    stack = new_stack()
    arn = "arn:aws:cognito-idp:eu-west-1:111122223333:userpool/eu-west-1_1"
    pool = cognito.UserPool.from_user_pool_arn(stack, "Pool", arn)
    read = get()
    a_gateway(
        stack,
        a_route("GET /profile/{id}", read, shadow=Shadow(compare=["$.name"])),
        a_route("POST /basket", take(), body=ORDER),
        a_route("GET /catalogue", read, stage="done"),
        auth=apigateway.CognitoUserPoolsAuthorizer(stack, "Users", cognito_user_pools=[pool]),
        web_acl="arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/1",
        dashboard=True,
    )
    return stack


@pytest.fixture(scope="module")
def guarded() -> Stack:
    return a_guarded_stack()


@pytest.mark.parametrize("pack", PACKS)
def test_with_a_firewall_and_cognito_cdk_nag_finds_nothing(guarded: Stack, pack: str) -> None:
    assert findings(guarded, pack) == []


def test_with_legacy_s_own_checks_cdk_nag_asks_for_a_firewall_and_an_authorizer_which_the_user_decides() -> None:
    stack = new_stack()
    a_gateway(stack, a_route(), always_route=True)
    assert {*findings(stack, "AwsSolutions")} == {"AwsSolutions-APIG3", "AwsSolutions-APIG4", "AwsSolutions-COG4"}
    assert findings(stack, "Serverless") == []


def test_cfn_lint_finds_nothing(guarded: Stack) -> None:
    assert linted(guarded) == []


@needs_checkov
def test_checkov_asks_for_what_costs_and_nothing_else(guarded: Stack, tmp_path: Path) -> None:
    failed = {check for _, check in failed_checks(tmp_path, {"guarded": guarded})}
    # Concurrency, network, customer keys; and a cache, by the hour.
    assert failed == {"CKV_AWS_115", "CKV_AWS_117", "CKV_AWS_119", "CKV_AWS_120", "CKV_AWS_158", "CKV_AWS_173"}
