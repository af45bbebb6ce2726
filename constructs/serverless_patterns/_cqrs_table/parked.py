"""The bucket of what could not be projected. Its objects are nowhere else, so they stay until somebody deletes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aws_cdk import aws_iam as iam

from serverless_patterns_runtime.cqrs_views.contract import PARKED_PREFIX, UNDELIVERED_PREFIX

from .._acknowledge import acknowledge_wildcard
from .._buckets import define_bucket
from .._grants import give

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_s3 as s3
    from constructs import Construct

    from ..defaults import Settings

_WRITTEN_ONCE = "an object is one version of one aggregate: a second version of it would be the same"
_NAMED_LATER = "objects are named by the aggregate whose change could not be projected: nobody knows it before"


def define_parked(scope: Construct, key: kms.IKey | None, settings: Settings, logs: s3.IBucket | None) -> s3.Bucket:
    """It is kept until it is done: no object expires."""
    return define_bucket(scope, "Parked", key=key, settings=settings, logs=logs, written_once=_WRITTEN_ONCE)


def allow_parking(function: lambda_.Function, bucket: s3.Bucket, key: kms.IKey | None) -> None:
    """Leave what cannot be projected."""
    _allow(function, bucket, [PARKED_PREFIX], ["s3:PutObject"])
    if key is not None:
        key.grant(function, "kms:Decrypt", "kms:GenerateDataKey")


def allow_undelivered(function: lambda_.Function, bucket: s3.Bucket, key: kms.IKey | None) -> None:
    """What Lambda asks of the role of a function whose undelivered records it leaves in a bucket."""
    _allow(function, bucket, [UNDELIVERED_PREFIX], ["s3:PutObject"])
    allow_listing(function, bucket)
    if key is not None:
        key.grant(function, "kms:Decrypt", "kms:GenerateDataKey")


def allow_clearing(function: lambda_.Function, bucket: s3.Bucket, key: kms.IKey | None) -> None:
    """Read what is there, and delete what was done after all."""
    _allow(function, bucket, [PARKED_PREFIX, UNDELIVERED_PREFIX], ["s3:DeleteObject", "s3:GetObject"])
    if key is not None:
        key.grant(function, "kms:Decrypt")


def allow_listing(function: lambda_.Function, bucket: s3.Bucket) -> None:
    """See what there is."""
    give(function, ["s3:ListBucket"], [bucket.bucket_arn])


def _allow(function: lambda_.Function, bucket: s3.Bucket, prefixes: list[str], actions: list[str]) -> None:
    arns = [bucket.arn_for_objects(f"{prefix}*") for prefix in prefixes]
    give(function, actions, arns)
    policy = cast(iam.Role, function.role).node.find_child("DefaultPolicy")
    for arn in arns:
        acknowledge_wildcard(policy, arn, _NAMED_LATER)
