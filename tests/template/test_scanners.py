"""Scanners find nothing that is not acknowledged, and what is acknowledged is true."""

from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template

from serverless_patterns import CircuitBreaker
from tests.template.scanning import PACKS, failed_checks, findings, harden, linted, needs_checkov
from tests.template.stacks import a_handler, a_queue, a_table, new_stack, resources, statements, the


def a_hardened_stack() -> Stack:
    """Each policy choice that a scanner asks for, made the way the pages say: key, network, reserved concurrency."""
    stack = new_stack()
    chosen = harden(stack)
    orders = a_table(
        stack,
        deletion_protection=True,
        point_in_time_recovery_specification={"point_in_time_recovery_enabled": True},
        encryption_key=chosen.key,
    )
    breaker = CircuitBreaker(stack, "Partner")
    for id, function, arguments in (
        ("Fulfilment", "orders:fulfil", {}),
        ("Ordered", "orders:call", {"fifo": True, "batch_size": 10}),
    ):
        handler = a_handler(function, tables={"ORDERS": orders}, security_groups=[chosen.group])
        a_queue(stack, id, consumer=handler, reserved_concurrent_executions=5, circuit_breaker=breaker, **arguments)
    return stack


@pytest.fixture(scope="module")
def hardened() -> Stack:
    return a_hardened_stack()


@pytest.mark.parametrize("pack", PACKS)
def test_cdk_nag_finds_nothing(hardened: Stack, pack: str) -> None:
    assert findings(hardened, pack) == []


@pytest.mark.parametrize("pack", PACKS)
def test_cdk_nag_finds_nothing_in_what_a_newcomer_writes(pack: str) -> None:
    stack = new_stack()
    a_queue(stack, circuit_breaker=CircuitBreaker(stack, "Partner"))
    assert findings(stack, pack) == []


def test_cfn_lint_finds_nothing(hardened: Stack) -> None:
    assert linted(hardened) == []


@needs_checkov
def test_checkov_finds_nothing(hardened: Stack, tmp_path: Path) -> None:
    newcomer = new_stack()
    a_queue(newcomer, circuit_breaker=CircuitBreaker(newcomer, "Partner"))
    policy_choices = {"CKV_AWS_115", "CKV_AWS_117", "CKV_AWS_119", "CKV_AWS_158", "CKV_AWS_173"}
    # Concurrency, network, customer keys.
    assert failed_checks(tmp_path, {"hardened": hardened, "newcomer": newcomer}) == {
        ("newcomer", check) for check in policy_choices
    }


def test_a_wildcard_that_a_user_adds_is_still_found() -> None:
    stack = new_stack()
    everything = iam.PolicyStatement(actions=["s3:GetObject"], resources=["*"])
    a_queue(stack, consumer=a_handler(grants=[lambda function: function.add_to_role_policy(everything)]))
    assert findings(stack, "AwsSolutions") == ["AwsSolutions-IAM5[Resource::*]"]


def test_the_dead_letter_queue_has_none_of_its_own(hardened: Stack) -> None:
    """AwsSolutions-SQS3 and Serverless-SQSRedrivePolicy are acknowledged for it alone."""
    without = [
        id for id, queue in resources(hardened, "SQS::Queue").items() if "RedrivePolicy" not in queue["Properties"]
    ]
    assert len(without) == 2
    assert all("DeadLetterQueue" in id for id in without)


def test_the_wildcard_is_for_actions_without_resources(hardened: Stack) -> None:
    """AwsSolutions-IAM5[Resource::*] and Serverless-LambdaStarPermissions are acknowledged on the role alone."""
    wild = {action for each in statements(hardened) if each["Resource"] == ["*"] for action in each["Action"]}
    assert {action.split(":")[0] for action in wild} == {"ec2", "xray"}


def test_the_function_is_invoked_by_its_queue_alone(hardened: Stack) -> None:
    """Serverless-LambdaDLQ and CKV_AWS_116 ask for the queue of asynchronous invocations: nothing makes any."""
    assert resources(hardened, "Lambda::Permission") == {}
    assert resources(hardened, "Lambda::EventInvokeConfig") == {}
    sources = [it["Properties"]["EventSourceArn"] for it in resources(hardened, "Lambda::EventSourceMapping").values()]
    queues = set(resources(hardened, "SQS::Queue"))
    assert {source["Fn::GetAtt"][0] for source in sources} <= queues


def test_queues_without_a_customer_key_are_encrypted_all_the_same() -> None:
    """CKV_AWS_27 is acknowledged there."""
    stack = new_stack()
    a_queue(stack)
    assert [it["Properties"]["SqsManagedSseEnabled"] for it in resources(stack, "SQS::Queue").values()] == [True, True]


def test_the_redundant_dependency_is_cdk_s_own(hardened: Stack) -> None:
    """W3005 is ignored on the function: CDK adds the role beside the policy that matters."""
    (function, *_) = resources(hardened, "Lambda::Function").values()
    types: dict[str, Any] = Template.from_stack(hardened).to_json()["Resources"]
    assert {types[id]["Type"] for id in function["DependsOn"]} == {"AWS::IAM::Role", "AWS::IAM::Policy"}
    assert the(hardened, "Lambda::Function", "FulfilmentConsumer")
