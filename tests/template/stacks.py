"""What the template tests share: a handler, a stack, and a look at what CloudFormation would be told."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk.assertions import Annotations, Match, Template

from serverless_patterns import Handler, LoadLeveledQueue

TABLE_KEY = {
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
}
"""What the users of a table under a customer key may do with the key."""

HANDLERS = Path(__file__).parent / "handlers"
_NO_COPIES = {"aws:cdk:disable-asset-staging": True}


def new_stack(context: Mapping[str, Any] | None = None, **arguments: Any) -> Stack:
    """A stack named Shop in an app of its own."""
    return Stack(App(context={**_NO_COPIES, **(context or {})}, analytics_reporting=False), "Shop", **arguments)


def a_handler(function: str = "orders:fulfil", **arguments: Any) -> Handler:
    return Handler(HANDLERS, function, **arguments)


def a_queue(stack: Stack, id: str = "Fulfilment", **arguments: Any) -> LoadLeveledQueue:
    """The pattern with what it asks for, and what the test is about."""
    return LoadLeveledQueue(stack, id, **{"consumer": a_handler(), "max_concurrency": 5, **arguments})


def a_table(stack: Stack, id: str = "Orders", **arguments: Any) -> dynamodb.Table:
    key = dynamodb.Attribute(name="order_id", type=dynamodb.AttributeType.STRING)
    return dynamodb.Table(stack, id, partition_key=key, **arguments)


def resources(stack: Stack, type: str) -> dict[str, dict[str, Any]]:
    """Resources of a type such as `SQS::Queue`, by logical id."""
    return Template.from_stack(stack).find_resources(f"AWS::{type}")  # pyright: ignore[reportReturnType]


def the(stack: Stack, type: str, part_of_id: str = "") -> dict[str, Any]:
    """Properties of the one resource of this type whose logical id holds a word."""
    found = {id: resource for id, resource in resources(stack, type).items() if part_of_id in id}
    assert len(found) == 1, f"{len(found)} of {type} with {part_of_id!r}: {sorted(found)}"
    return found.popitem()[1]["Properties"]


def the_queue(stack: Stack) -> dict[str, Any]:
    return the(stack, "SQS::Queue", "FulfilmentQueue")


def the_dead_letter_queue(stack: Stack) -> dict[str, Any]:
    return the(stack, "SQS::Queue", "DeadLetterQueue")


def the_mapping(stack: Stack) -> dict[str, Any]:
    return the(stack, "Lambda::EventSourceMapping")


def the_variables(stack: Stack) -> dict[str, Any]:
    return the(stack, "Lambda::Function", "Consumer")["Environment"]["Variables"]


def statements(stack: Stack) -> list[dict[str, Any]]:
    """Every statement that any role of the stack has, actions and resources always as lists."""
    policies = [policy["Properties"]["PolicyDocument"] for policy in resources(stack, "IAM::Policy").values()]
    roles = [role["Properties"] for role in resources(stack, "IAM::Role").values()]
    policies += [policy["PolicyDocument"] for role in roles for policy in role.get("Policies", [])]
    return [
        {**statement, "Action": _listed(statement["Action"]), "Resource": _listed(statement["Resource"])}
        for policy in policies
        for statement in policy["Statement"]
    ]


def warnings(stack: Stack) -> list[str]:
    """What synth would warn about, without the layer: that depends on the interpreters of the build."""
    found = [message.entry.data for message in Annotations.from_stack(stack).find_warning("*", Match.any_value())]
    return sorted(str(text).split(" [ack:")[0] for text in found if "its layer is compiled" not in str(text))


def refusal(make: Callable[[], object]) -> str:
    """The whole text of the error; a test that is not refused fails."""
    try:
        make()
    except ValueError as error:
        return str(error)
    pytest.fail("nothing was refused")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
