"""Tables in which patterns keep state of their own: strings as keys, and nothing that anybody has to size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb

from ._checks import Problems
from ._shapes import told

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from constructs import Construct


def define_table(
    scope: Construct,
    id: str,
    partition_key: str,
    *,
    key: kms.IKey | None,
    removal_policy: RemovalPolicy,
    time_to_live: str | None = None,
    sort_key: str | None = None,
    sort_key_type: dynamodb.AttributeType = dynamodb.AttributeType.STRING,
    stream: dynamodb.StreamViewType | None = None,
) -> dynamodb.Table:
    """On demand, restorable, and protected where it stays when the stack goes.

    Not a `TableV2`: under a customer key that refuses a stack whose region is open.
    """
    return dynamodb.Table(
        scope,
        id,
        partition_key=_text(partition_key),
        sort_key=None if sort_key is None else dynamodb.Attribute(name=sort_key, type=sort_key_type),
        stream=stream,
        time_to_live_attribute=time_to_live,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        encryption=None if key is None else dynamodb.TableEncryption.CUSTOMER_MANAGED,
        encryption_key=key,
        deletion_protection=removal_policy == RemovalPolicy.RETAIN,
        removal_policy=removal_policy,
    )


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


def check_table(problems: Problems, argument: str, table: Any, partition_key: str, fix: str) -> bool:
    """Refuse what is no table, and one with other keys; whether it is one.

    One that is defined in this app shows its keys; an imported one does not.
    """
    if not hasattr(table, "table_arn"):
        theirs = "pass the construct, or one of dynamodb.Table.from_...; leave it out for one of its own"
        problems.add(argument, "be a DynamoDB table", told(table), theirs)
        return False
    if not isinstance(table, dynamodb.TableV2 | dynamodb.Table):
        return True
    resource = cast("dynamodb.CfnTable | dynamodb.CfnGlobalTable", table.node.default_child)
    seen = Stack.of(table).resolve([resource.key_schema, resource.attribute_definitions])
    keys = {key["attributeName"]: key["keyType"] for key in seen[0]}
    types = {attribute["attributeName"]: attribute["attributeType"] for attribute in seen[1]}
    if keys != {partition_key: "HASH"} or types[partition_key] != "S":
        got = ", ".join(f"{name!r} ({kind}, {types[name]})" for name, kind in keys.items())
        problems.add(argument, f"have the partition key {partition_key!r} (HASH, S) and no sort key", got, fix)
    return True
