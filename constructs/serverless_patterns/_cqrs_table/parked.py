"""The bucket of what could not be projected. Its objects are nowhere else, so they stay until somebody deletes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from serverless_patterns_runtime.cqrs_views.contract import PARKED_PREFIX, UNDELIVERED_PREFIX

from .._acknowledge import acknowledge_in_template, acknowledge_wildcard
from .._grants import give

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from constructs import Construct

    from ..defaults import Settings

_WRITTEN_ONCE = "an object is one version of one aggregate: a second version of it would be the same"
_NAMED_LATER = "objects are named by the aggregate whose change could not be projected: nobody knows it before"


def define_parked(scope: Construct, key: kms.IKey | None, settings: Settings, logs: s3.IBucket | None) -> s3.Bucket:
    """Private, encrypted, and kept."""
    policy = settings.removal_policy
    bucket = s3.Bucket(
        scope,
        "Parked",
        encryption=s3.BucketEncryption.S3_MANAGED if key is None else s3.BucketEncryption.KMS,
        encryption_key=key,
        bucket_key_enabled=None if key is None else True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        enforce_ssl=True,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        server_access_logs_bucket=logs,
        server_access_logs_prefix=None if logs is None else f"{scope.node.path}/Parked/",
        removal_policy=RemovalPolicy.RETAIN if policy == RemovalPolicy.SNAPSHOT else policy,
        lifecycle_rules=[s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(1))],
    )
    acknowledge_in_template(cast(s3.CfnBucket, bucket.node.default_child), checkov={"CKV_AWS_21": _WRITTEN_ONCE})
    return bucket


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
