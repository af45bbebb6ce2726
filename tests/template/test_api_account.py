"""The one role that API Gateway logs with: opt-in, kept, and as wide as API Gateway asks for."""

from pathlib import Path

import pytest
from aws_cdk import Stack
from aws_cdk.assertions import Template

from serverless_patterns import ApiAccount
from tests.template.scanning import PACKS, failed_checks, findings, linted, needs_checkov
from tests.template.stacks import new_stack, resources, statements, the


def an_account() -> Stack:
    stack = new_stack()
    ApiAccount(stack, "Logging")
    return stack


def test_the_account_gets_a_role_of_api_gateway_s() -> None:
    stack = an_account()
    (role,) = resources(stack, "IAM::Role")
    account = resources(stack, "ApiGateway::Account").popitem()[1]
    assert account["Properties"] == {"CloudWatchRoleArn": {"Fn::GetAtt": [role, "Arn"]}}
    principal = the(stack, "IAM::Role")["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]
    assert principal == {"Service": "apigateway.amazonaws.com"}


def test_it_may_write_logs_and_nothing_else() -> None:
    (statement,) = statements(an_account())
    assert {action.split(":")[0] for action in statement["Action"]} == {"logs"}
    assert "*" not in "".join(statement["Action"])


def test_it_stays_when_its_stack_goes() -> None:
    everything = Template.from_stack(an_account()).to_json()["Resources"]
    assert {it["DeletionPolicy"] for it in everything.values()} == {"Retain"}
    assert {it["UpdateReplacePolicy"] for it in everything.values()} == {"Retain"}


@pytest.mark.parametrize("pack", PACKS)
def test_cdk_nag_finds_nothing(pack: str) -> None:
    assert findings(an_account(), pack) == []


def test_cfn_lint_finds_nothing() -> None:
    assert linted(an_account()) == []


@needs_checkov
def test_checkov_finds_nothing(tmp_path: Path) -> None:
    assert failed_checks(tmp_path, {"account": an_account()}) == set()
