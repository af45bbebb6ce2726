"""The table that remembers which idempotency keys ran."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from serverless_patterns_runtime.claims.contract import PARTITION_KEY, TIME_TO_LIVE

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from constructs import Construct


def define_claims(scope: Construct, *, key: kms.IKey | None, removal_policy: RemovalPolicy) -> dynamodb.TableV2:
    """On demand, restorable, and kept when the stack goes: without its claims, a redrive runs work again."""
    return dynamodb.TableV2(
        scope,
        "Claims",
        partition_key=dynamodb.Attribute(name=PARTITION_KEY, type=dynamodb.AttributeType.STRING),
        time_to_live_attribute=TIME_TO_LIVE,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        encryption=dynamodb.TableEncryptionV2.customer_managed_key(key) if key is not None else None,
        deletion_protection=removal_policy == RemovalPolicy.RETAIN,
        removal_policy=removal_policy,
    )
