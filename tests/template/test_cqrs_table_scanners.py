"""Scanners find in a table with views what its user decides, and nothing else."""

import json
import subprocess
from pathlib import Path

import pytest
from aws_cdk import Stack
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template
from cfnlint.api import lint_all

from serverless_patterns import ApiProxy, Defaults, IamAuthorizer, Route
from tests.template.cqrs import a_function, by_customer, orders, revenue, sales
from tests.template.stacks import new_stack
from tests.template.test_scanners import CHECKOV, PACKS, findings


def a_hardened_stack() -> Stack:
    """Each policy choice that a scanner asks for, made the way the pages say: keys, network, access logs."""
    stack = new_stack()
    key = kms.Key(stack, "Key", enable_key_rotation=True)
    calls = sns.Topic(stack, "OnCall", master_key=key, enforce_ssl=True)  # pyright: ignore[reportArgumentType]
    calls.grant_publish(iam.ServicePrincipal("cloudwatch.amazonaws.com"))
    vpc = ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id="vpc-12345678", availability_zones=["a"], private_subnet_ids=["subnet-12345678"]
    )
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-12345678")
    Defaults.of(stack).set(encryption_key=key, alarm_actions=[cloudwatch_actions.SnsAction(calls)], vpc=vpc)
    alike = {"security_groups": [group], "reserved_concurrent_executions": 5}
    table = orders(stack, decide=a_function(**alike), access_logs=s3.Bucket.from_bucket_name(stack, "Logs", "logs"))
    by_customer(table, project=a_function("by_customer", **alike)).query()
    revenue(table, contributes=a_function("revenue", **alike))
    sales(table, build=a_function("sales", **alike))
    return stack


def what_a_newcomer_writes() -> Stack:
    stack = new_stack()
    table = orders(stack)
    view = by_customer(table)
    revenue(table)
    sales(table)
    routes = [Route("GET /customers/{customer_id}/orders", view.query()), Route("POST /orders", table.command("place"))]
    ApiProxy(stack, "Api", authorizer=IamAuthorizer(), routes=routes)
    return stack


@pytest.fixture(scope="module")
def hardened() -> Stack:
    return a_hardened_stack()


@pytest.mark.parametrize("pack", PACKS)
def test_cdk_nag_finds_nothing(hardened: Stack, pack: str) -> None:
    assert findings(hardened, pack) == []


OF_THE_API = {"AwsSolutions-APIG2", "AwsSolutions-APIG3", "AwsSolutions-COG4"}


@pytest.mark.parametrize(
    ("pack", "choices"), [("AwsSolutions", {"AwsSolutions-S1"} | OF_THE_API), ("Serverless", set[str]())]
)
def test_cdk_nag_finds_what_a_newcomer_decides(pack: str, choices: set[str]) -> None:
    """Access logs of buckets; of the API that its routes are in, what `ApiProxy`'s page says."""
    assert {*findings(what_a_newcomer_writes(), pack)} == choices


def test_cfn_lint_finds_nothing(hardened: Stack) -> None:
    for stack in (hardened, what_a_newcomer_writes()):
        template = json.dumps(Template.from_stack(stack).to_json())
        assert [str(match) for match in lint_all(template) if match.rule.severity != "informational"] == []


@pytest.mark.skipif(not CHECKOV.is_file(), reason="checkov has an environment of its own, which `make test` sets up")
def test_checkov_finds_what_a_user_decides(hardened: Stack, tmp_path: Path) -> None:
    for name, stack in (("hardened", hardened), ("newcomer", what_a_newcomer_writes())):
        (tmp_path / f"{name}.json").write_text(json.dumps(Template.from_stack(stack).to_json()))
    command = [CHECKOV, "-d", tmp_path, "--framework", "cloudformation", "--skip-download", "-o", "json", "--quiet"]
    report = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    failed = {(Path(it["file_path"]).stem, it["check_id"]) for it in report["results"]["failed_checks"]}
    # Concurrency of functions, their network, customer keys of tables, logs, variables and secrets, access logs.
    choices = ("CKV_AWS_115", "CKV_AWS_117", "CKV_AWS_119", "CKV_AWS_149", "CKV_AWS_158", "CKV_AWS_173", "CKV_AWS_18")
    assert failed == {("newcomer", check) for check in (*choices, "CKV_AWS_120")}  # the last one: caches of an API
    assert report["summary"]["parsing_errors"] == 0
