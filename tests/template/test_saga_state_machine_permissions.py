"""What a saga's functions and its state machine may do, and nothing else; scanners find nothing."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from serverless_patterns import Defaults
from tests.template.sagas import a_saga, the_definition
from tests.template.scanning import PACKS, failed_checks, findings, linted, needs_checkov
from tests.template.stacks import TABLE_KEY, new_stack, resources


def allowed(stack: Stack, role: str, resource: str) -> set[str]:
    """Actions that the role, by a part of its policy's id, has on a resource, by a part of its own."""
    return {
        action
        for id, policy in resources(stack, "IAM::Policy").items()
        if role in id
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if resource in json.dumps(statement["Resource"])
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }


@pytest.mark.parametrize(
    ("role", "actions"),
    [
        ("ReserveStockAction", {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}),
        ("ReserveStockCompensation", {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}),
        ("ChargeCardAction", {"dynamodb:UpdateItem"}),
        ("ChargeCardCompensation", {"dynamodb:UpdateItem"}),
        ("StateMachineRole", {"dynamodb:PutItem"}),
    ],
)
def test_claims(role: str, actions: set[str]) -> None:
    stack = new_stack()
    a_saga(stack)
    assert allowed(stack, role, "CheckoutClaims") == actions


@pytest.mark.parametrize(("role", "recovery", "number"), [("StateMachineRole", False, 5), ("RecoveryRole", True, 4)])
def test_a_state_machine_invokes_exactly_what_its_definition_names(role: str, recovery: bool, number: int) -> None:
    stack = new_stack()
    a_saga(stack)
    states = the_definition(stack, recovery=recovery)["States"].values()
    named = {
        state["Resource"] for state in states if state["Type"] == "Task" and "TableName" not in state["Parameters"]
    }
    invoked: list[Any] = [
        resource["Fn::GetAtt"][0]
        for id, policy in resources(stack, "IAM::Policy").items()
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if role in id and statement["Action"] == "lambda:InvokeFunction"
        for resource in statement["Resource"]
    ]
    assert sorted(invoked) == sorted(named)
    assert len(named) == number


def test_the_key_of_the_claims_and_of_the_executions() -> None:
    stack = new_stack()
    a_saga(stack, encryption_key=kms.Key(stack, "Key"))
    assert allowed(stack, "StateMachineRole", "Key961B73FD") == TABLE_KEY
    assert allowed(stack, "ChargeCardAction", "Key961B73FD") == TABLE_KEY


def test_the_key_of_the_executions_alone() -> None:
    stack = new_stack()
    claims = a_saga(stack, "Other").claims
    a_saga(stack, claims=claims, encryption_key=kms.Key(stack, "Key"))
    role = resources(stack, "IAM::Policy")["CheckoutStateMachineRoleDefaultPolicy4B80BBC5"]["Properties"]
    always = [
        statement["Action"]
        for statement in role["PolicyDocument"]["Statement"]
        if "Key961B73FD" in json.dumps(statement["Resource"]) and "Condition" not in statement
    ]
    assert always == [["kms:Decrypt", "kms:GenerateDataKey"]]


def test_grant_start() -> None:
    stack = new_stack()
    role = iam.Role(stack, "Caller", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))  # pyright: ignore[reportArgumentType]
    a_saga(stack).grant_start(role)
    assert allowed(stack, "CallerDefaultPolicy", "CheckoutStateMachine") == {"states:StartExecution"}


def test_who_may_start_may_use_the_key_of_the_executions() -> None:
    stack = new_stack()
    role = iam.Role(stack, "Caller", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))  # pyright: ignore[reportArgumentType]
    a_saga(stack, encryption_key=kms.Key(stack, "Mine")).grant_start(role)
    assert allowed(stack, "CallerDefaultPolicy", "Mine") == {"kms:Decrypt", "kms:GenerateDataKey"}


def test_wildcards_are_for_actions_without_resources() -> None:
    """AwsSolutions-IAM5[Resource::*] is acknowledged on the state machine's policy."""
    stack = new_stack()
    a_saga(stack)
    assert {action.split(":")[0] for action in allowed(stack, "StateMachineRole", '"*"')} == {"logs", "xray"}


@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize("key", [False, True], ids=["no key", "key"])
def test_cdk_nag_finds_nothing(pack: str, key: bool) -> None:
    stack = new_stack()
    if key:
        Defaults.of(stack).set(encryption_key=kms.Key(stack, "Key", enable_key_rotation=True))
    a_saga(stack)
    assert findings(stack, pack) == []


def test_cfn_lint_finds_nothing() -> None:
    stack = new_stack()
    a_saga(stack)
    assert linted(stack) == []


@needs_checkov
def test_checkov_finds_nothing_but_policy_choices(tmp_path: Path) -> None:
    stack = new_stack()
    a_saga(stack)
    failed = {check for _, check in failed_checks(tmp_path, {"saga": stack})}
    assert failed == {"CKV_AWS_115", "CKV_AWS_117", "CKV_AWS_119", "CKV_AWS_158", "CKV_AWS_173"}
