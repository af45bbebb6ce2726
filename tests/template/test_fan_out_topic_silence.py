"""What nobody would ever notice is told at synth: no subscriber, no branch, attributes that nobody makes."""

from typing import Any

import pytest
from aws_cdk import Duration, Stack
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from tests.template import stacks
from tests.template.stacks import a_handler, a_queue, new_stack, refusal
from tests.template.topics import a_fan_in, a_topic

KIND = {"kind": "$.kind"}
NOBODY = "nobody subscribes: what is published is gone. Call add_subscriber, or leave the topic out"
NO_BRANCH = (
    "no subscriber takes part in the fan-in: on_complete is never called. A Handler takes part by itself, a "
    "LoadLeveledQueue with a Handler by fan_in=True"
)


def warnings(stack: Stack) -> list[str]:
    return [text for text in stacks.warnings(stack) if "notify nobody" not in text]


def test_a_topic_without_a_subscriber_is_told() -> None:
    stack = new_stack()
    topic = a_topic(stack)
    assert warnings(stack) == [NOBODY]
    stack = new_stack()
    topic = a_topic(stack)
    topic.add_subscriber("Audit", sqs.Queue(stack, "Mine"))
    assert warnings(stack) == []


def test_a_topic_of_others_may_have_subscribers_of_others() -> None:
    stack = new_stack()
    a_topic(stack, topic=sns.Topic(stack, "Theirs"))
    assert warnings(stack) == []


@pytest.mark.parametrize("part", [None, False])
def test_a_fan_in_without_a_branch_is_told(part: bool | None) -> None:
    stack = new_stack()
    topic = a_topic(stack, idempotency_key="order_id", fan_in=a_fan_in())
    topic.add_subscriber("Audit", a_queue(stack, idempotency_key="order_id"), fan_in=part)
    topic.add_subscriber("Inventory", a_handler(), fan_in=False)
    assert warnings(stack) == [NO_BRANCH]


def test_a_fan_in_with_one_branch_is_silent() -> None:
    stack = new_stack()
    topic = a_topic(stack, idempotency_key="order_id", fan_in=a_fan_in())
    topic.add_subscriber(
        "Audit", a_queue(stack, idempotency_key="order_id", claims_retention=Duration.days(60)), fan_in=True
    )
    assert warnings(stack) == []


def of_filter(filter: dict[str, Any], attributes: dict[str, str] = KIND, **arguments: Any) -> list[str]:
    stack = new_stack()
    topic = a_topic(stack, attributes=attributes)
    topic.add_subscriber("Inventory", a_handler(), filter=filter, **arguments)
    return warnings(stack)


def test_a_filter_on_an_attribute_that_the_topic_does_not_make_is_told() -> None:
    assert of_filter({"kidn": ["placed"]}) == [
        "the filter of 'Inventory' looks at 'kidn' (did you mean 'kind'?), which the topic's attributes do not make: "
        "unless a publisher sets it, the subscriber may never get a message"
    ]
    assert "looks at 'colour', which" in of_filter({"$or": [{"kind": ["a"]}, {"colour": ["b"]}]})[0]


def test_a_filter_on_what_is_made_or_may_be_is_silent() -> None:
    assert of_filter({"kind": ["placed"], "idempotency-key": ["o-1"], "correlation-id": ["c"]}) == []
    assert of_filter({"kidn": ["placed"]}, {}) == [], "all of them are the publishers'"
    assert of_filter({"kidn": ["placed"]}, filter_scope="body") == []


@pytest.mark.parametrize(
    ("name", "fix"), [("$.kind", "write 'kind'"), ("a b", 'look into the body: filter_scope="body"')]
)
def test_a_filter_on_what_no_attribute_is_named_is_refused(name: str, fix: str) -> None:
    topic = a_topic(new_stack())
    assert refusal(lambda: topic.add_subscriber("Inventory", a_handler(), filter={name: ["placed"]})) == (
        f"Shop/OrderEvents.add_subscriber('Inventory'): filter at {name} must be named as SNS lets an attribute be, "
        f"got {name!r}: {fix}"
    )
    topic.add_subscriber("Inventory", a_handler(), filter={name: ["placed"]}, filter_scope="body")


def of_uploads(filter: Any, attributes: dict[str, str], **arguments: Any) -> list[str]:
    stack = new_stack()
    topic = a_topic(stack, attributes=attributes)
    topic.publish_from(s3.Bucket(stack, "Uploads"))
    topic.add_subscriber("Thumbnails", a_handler(), filter=filter, **arguments)
    return warnings(stack)


HOW = "filter them by filter_scope='body', such as {'detail': {'object': {'key': [{'suffix': '.jpg'}]}}}"


def test_attributes_beside_uploads_are_told_to_be_for_others() -> None:
    assert of_uploads(None, KIND) == [
        f"messages about uploads have no attributes (attributes= is for what functions and routes publish): {HOW}"
    ]


@pytest.mark.parametrize("rule", ["a", {"exists": False}])
def test_who_filters_uploads_by_attributes_is_told_to_hear_nothing(rule: Any) -> None:
    assert of_uploads({"kind": [rule]}, {}) == [
        f"messages about uploads have no attributes, and the filter of 'Thumbnails' holds every one back: {HOW}"
    ]
    assert of_uploads({"source": ["aws.s3"]}, {}, filter_scope="body") == []
