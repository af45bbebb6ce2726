"""What scanners find in stacks: cdk-nag, cfn-lint, and checkov, which has an environment of its own."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from aws_cdk import Stack
from aws_cdk import aws_cloudwatch_actions as cloudwatch_actions
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk.assertions import Template
from cdk_nag import AwsSolutionsChecks, ServerlessChecks
from cfnlint.api import lint_all

from serverless_patterns import Defaults

CHECKOV = Path(__file__).parents[2] / ".cache/checkov/bin/checkov"
PACKS = {"AwsSolutions": AwsSolutionsChecks, "Serverless": ServerlessChecks}

needs_checkov = pytest.mark.skipif(
    not CHECKOV.is_file(), reason="checkov has an environment of its own, which `make test` sets up"
)


class Choices(NamedTuple):
    """What a user who hardens a stack has decided, and passes on."""

    key: kms.Key
    vpc: ec2.IVpc
    group: ec2.ISecurityGroup


def harden(stack: Stack) -> Choices:
    """Each policy choice that a scanner asks for, made for a whole stack as the pages say: key, network, alarms."""
    key = kms.Key(stack, "Key", enable_key_rotation=True)
    calls = sns.Topic(stack, "OnCall", master_key=key, enforce_ssl=True)  # pyright: ignore[reportArgumentType]
    alarms = iam.ServicePrincipal("cloudwatch.amazonaws.com")
    calls.grant_publish(alarms)
    key.grant(alarms, "kms:Decrypt", "kms:GenerateDataKey*")
    vpc = ec2.Vpc.from_vpc_attributes(
        stack, "Vpc", vpc_id="vpc-12345678", availability_zones=["a"], private_subnet_ids=["subnet-12345678"]
    )
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-12345678")
    Defaults.of(stack).set(encryption_key=key, alarm_actions=[cloudwatch_actions.SnsAction(calls)], vpc=vpc)
    return Choices(key, vpc, group)


def findings(stack: Stack, pack: str) -> list[str]:
    """Rules of cdk-nag, as often as each is violated."""
    report = PACKS[pack](stack.node.root).validate_scope(stack.node.root)  # pyright: ignore
    return sorted(violation.rule_name for violation in report.violations)


def linted(stack: Stack) -> list[str]:
    """All that cfn-lint says and that is more than information."""
    template = json.dumps(Template.from_stack(stack).to_json())
    return [str(match) for match in lint_all(template) if match.rule.severity != "informational"]


def failed_checks(folder: Path, stacks: Mapping[str, Stack]) -> set[tuple[str, str]]:
    """Name of the stack and id of the check, of all that checkov finds. The folder is empty."""
    for name, stack in stacks.items():
        (folder / f"{name}.json").write_text(json.dumps(Template.from_stack(stack).to_json()))
    command = [CHECKOV, "-d", folder, "--framework", "cloudformation", "--skip-download", "-o", "json", "--quiet"]
    report = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 0
    return {(Path(it["file_path"]).stem, it["check_id"]) for it in report["results"]["failed_checks"]}
