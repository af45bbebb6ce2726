"""Scanners find in a topic what its user decides, and nothing else."""

from pathlib import Path

import pytest
from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from serverless_patterns import ClaimCheck, HttpsEndpoint
from tests.template.scanning import PACKS, failed_checks, findings, harden, linted, needs_checkov
from tests.template.stacks import a_handler, a_queue, new_stack, resources
from tests.template.topics import a_fan_in, a_topic

PLACED = {"kind": ["placed"]}


def a_hardened_stack() -> Stack:
    """Each policy choice that a scanner asks for, made the way the pages say: keys, network, access logs."""
    stack = new_stack()
    chosen = harden(stack)
    logs = s3.Bucket.from_bucket_name(stack, "Logs", "logs")
    reserved = {"security_groups": [chosen.group], "reserved_concurrent_executions": 5}
    topic = a_topic(
        stack,
        idempotency_key="order_id",
        fan_in=a_fan_in(on_complete=a_handler("orders:fulfil_alone", **reserved)),
        claim_check=ClaimCheck(keep=["kind"]),
        unmatched="keep",
        access_logs=logs,
    )
    topic.add_subscriber("Inventory", a_handler(**reserved), filter=PLACED)
    topic.add_subscriber("Partner", HttpsEndpoint("https://partner.example/hook"), filter=PLACED)
    uploads = s3.Bucket.from_bucket_name(stack, "Uploads", "uploads")
    topic.publish_from(uploads, prefix="incoming/", suffix=".jpg")
    a_queue(stack, consumer=a_handler(grants=[topic.publisher("ORDER_EVENTS")], **reserved))
    return stack


def what_a_newcomer_writes() -> Stack:
    stack = new_stack()
    topic = a_topic(
        stack,
        idempotency_key="order_id",
        fan_in=a_fan_in(),
        claim_check=ClaimCheck(keep=["kind"]),
        unmatched="keep",
    )
    topic.add_subscriber("Inventory", a_handler(), filter=PLACED)
    topic.add_subscriber("Invoicing", a_handler(), filter=PLACED)
    return stack


@pytest.fixture(scope="module")
def hardened() -> Stack:
    return a_hardened_stack()


@pytest.mark.parametrize("pack", PACKS)
def test_cdk_nag_finds_nothing(hardened: Stack, pack: str) -> None:
    assert findings(hardened, pack) == []


@pytest.mark.parametrize(("pack", "choices"), [("AwsSolutions", {"AwsSolutions-S1"}), ("Serverless", set[str]())])
def test_cdk_nag_finds_what_a_newcomer_decides(pack: str, choices: set[str]) -> None:
    """Access logs of buckets."""
    assert {*findings(what_a_newcomer_writes(), pack)} == choices


def test_cfn_lint_finds_nothing(hardened: Stack) -> None:
    for stack in (hardened, what_a_newcomer_writes()):
        assert linted(stack) == []


@needs_checkov
def test_checkov_finds_what_a_user_decides(hardened: Stack, tmp_path: Path) -> None:
    failed = failed_checks(tmp_path, {"hardened": hardened, "newcomer": what_a_newcomer_writes()})
    # Concurrency of functions, their network, customer keys of tables, logs, variables and topics, access logs.
    choices = ("CKV_AWS_115", "CKV_AWS_117", "CKV_AWS_119", "CKV_AWS_158", "CKV_AWS_173", "CKV_AWS_26", "CKV_AWS_18")
    assert failed == {("newcomer", check) for check in choices}


def test_queues_without_a_dead_letter_queue_are_where_messages_end(hardened: Stack) -> None:
    """AwsSolutions-SQS3 and Serverless-SQSRedrivePolicy are acknowledged there."""
    ends = [id for id, it in resources(hardened, "SQS::Queue").items() if "RedrivePolicy" not in it["Properties"]]
    kinds = ("DeadLetterQueue", "Undelivered", "Unpublished", "Unmatched")
    assert all(any(kind in id for kind in kinds) for id in ends)


def test_wildcards_are_for_objects_below_a_prefix_alone() -> None:
    """AwsSolutions-IAM5 is acknowledged for these ARNs and no others."""
    stack = what_a_newcomer_writes()
    everything = iam.PolicyStatement(actions=["s3:GetObject"], resources=["*"])
    handler = a_handler(grants=[lambda function: function.add_to_role_policy(everything)])
    a_topic(stack, "Others").add_subscriber("Inventory", handler)
    assert "AwsSolutions-IAM5[Resource::*]" in findings(stack, "AwsSolutions")
    wild = [
        resource
        for policy in resources(stack, "IAM::Policy").values()
        for each in policy["Properties"]["PolicyDocument"]["Statement"]
        for resource in (each["Resource"] if isinstance(each["Resource"], list) else [each["Resource"]])
        if isinstance(resource, dict) and "Fn::Join" in resource and str(resource).endswith("*']]}")
    ]
    assert {resource["Fn::Join"][1][1] for resource in wild} == {"/OrderEvents/*", "/claim-check/*"}


def test_objects_need_no_versions() -> None:
    """CKV_AWS_21 is acknowledged on the buckets: what is put there is named by its hash."""
    kinds = {id for id, it in resources(what_a_newcomer_writes(), "S3::Bucket").items() if "checkov" in it["Metadata"]}
    assert len(kinds) == 2


def test_mine_are_mine() -> None:
    stack = new_stack()
    a_topic(stack).add_subscriber("Audit", sqs.Queue(stack, "Mine", enforce_ssl=True))
    assert "AwsSolutions-SQS3" in findings(stack, "AwsSolutions"), "of a queue of theirs nothing is acknowledged"
