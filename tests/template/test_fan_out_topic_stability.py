"""The same topic gives the same template; what holds data keeps its logical id; a subscriber costs what it costs."""

import json
import re
from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from serverless_patterns import ClaimCheck
from tests.template.stacks import a_handler, new_stack
from tests.template.test_stability import FLAGS, masked
from tests.template.topics import a_fan_in, a_topic

PLACED = {"kind": ["placed"]}

# Renaming one of these deletes messages, claims, results or payloads of everybody who updates: a major version.
STATEFUL = {
    "OrderEventsClaimsBFB07A81": "AWS::DynamoDB::Table",
    "OrderEventsCompletionsDeadLetterQueue9530C580": "AWS::SQS::Queue",
    "OrderEventsCompletionsQueue17C3AC1C": "AWS::SQS::Queue",
    "OrderEventsFanInB5B52386": "AWS::DynamoDB::Table",
    "OrderEventsFromShopUploads16CE1529inUnpublished4263EA67": "AWS::SQS::Queue",
    "OrderEventsInventoryDeadLetterQueueD8AB9E70": "AWS::SQS::Queue",
    "OrderEventsInventoryQueue4D0C9E26": "AWS::SQS::Queue",
    "OrderEventsInventoryUndelivered22E105ED": "AWS::SQS::Queue",
    "OrderEventsMatchingDeadLetterQueueCBE0E998": "AWS::SQS::Queue",
    "OrderEventsMatchingQueue4A6152F7": "AWS::SQS::Queue",
    "OrderEventsMatchingUndelivered935BEF0D": "AWS::SQS::Queue",
    "OrderEventsPayloads4F806CAD": "AWS::S3::Bucket",
    "OrderEventsResults5CB1F1BB": "AWS::S3::Bucket",
    "OrderEventsUnmatched2FB2530D": "AWS::SQS::Queue",
}


def an_ordinary_stack(
    context: dict[str, Any] | None = None, names: tuple[str, ...] = ("Inventory", "Invoicing")
) -> Stack:
    stack = new_stack(context)
    topic = a_topic(stack, idempotency_key="order_id", fan_in=a_fan_in(), claim_check=ClaimCheck(), unmatched="keep")
    for name in names:
        topic.add_subscriber(name, a_handler(), filter=PLACED)
    topic.publish_from(s3.Bucket(stack, "Uploads"), prefix="in/")
    return stack


@pytest.mark.parametrize("context", [{}, FLAGS], ids=["no flags", "all flags"])
def test_what_holds_data_keeps_its_logical_id(context: dict[str, Any]) -> None:
    found = Template.from_stack(an_ordinary_stack(context, ("Inventory",))).to_json()["Resources"]
    kinds = {"AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::S3::Bucket"}
    assert {id: it["Type"] for id, it in found.items() if it["Type"] in kinds and "OrderEvents" in id} == STATEFUL


def test_names_are_frozen_too() -> None:
    found = Template.from_stack(an_ordinary_stack()).to_json()["Resources"]
    assert found["OrderEventsTopic877D17A7"]["Properties"]["TopicName"] == "Shop-OrderEvents-83E4B366"


def test_feature_flags_change_no_resource_of_ours() -> None:
    without, with_flags = (taken_apart(masked(an_ordinary_stack(context))) for context in ({}, FLAGS))
    assert with_flags == without


def taken_apart(resources: dict[str, Any]) -> dict[str, Any]:
    """Policies as single permissions: a flag writes several statements as one."""
    return {id: apart(it) if it["Type"] == "AWS::IAM::Policy" else it for id, it in resources.items()}


def apart(policy: dict[str, Any]) -> set[tuple[str, str]]:
    return {
        (action, json.dumps(resource, sort_keys=True))
        for each in policy["Properties"]["PolicyDocument"]["Statement"]
        for action in ([each["Action"]] if isinstance(each["Action"], str) else each["Action"])
        for resource in (each["Resource"] if isinstance(each["Resource"], list) else [each["Resource"]])
    }


def test_the_order_of_subscribers_changes_nothing() -> None:
    first, second = (an_ordinary_stack(names=names) for names in (("A1", "B1"), ("B1", "A1")))
    assert masked(first) == masked(second)


def test_the_template_reads_like_this(snapshot: SnapshotAssertion) -> None:
    """The few words that a reviewer sees change; what they mean is held by the other tests."""
    stack = an_ordinary_stack(names=("Inventory",))
    kept = ("SNS::Topic", "SNS::Subscription", "SNS::TopicPolicy", "SQS::QueuePolicy", "Events::Rule", "S3::Bucket")
    ours = {id: it for id, it in masked(stack).items() if it["Type"].removeprefix("AWS::") in kept}
    assert ours == snapshot.use_extension(JSONSnapshotExtension)


def test_packed_filters_are_the_same_in_any_order() -> None:
    texts = [json.dumps(masked(an_ordinary_stack(names=names))) for names in (("A1", "B1"), ("B1", "A1"))]
    packed = [{*re.findall(r'"FAN_IN_SUBSCRIBERS": "([^"]*)"', text)} for text in texts]
    assert packed[0] == packed[1]
    assert len(packed[0]) == 1
