"""Buckets that constructs define for what does not fit elsewhere: private, encrypted, each object written once."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_s3 as s3

from ._acknowledge import acknowledge_in_template

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from .defaults import Settings


def define_bucket(
    scope: Construct,
    id: str,
    *,
    key: kms.IKey | None,
    settings: Settings,
    logs: s3.IBucket | None,
    written_once: str,
    expiration: Duration | None = None,
) -> s3.Bucket:
    """Define it, without versions of objects.

    Args:
        scope: Whose it is.
        id: Construct id.
        key: Customer key; `None`: S3's own.
        settings: They say whether it goes with its stack.
        logs: Bucket for the access logs.
        written_once: Why no object has a second version, for scanners.
        expiration: Objects are deleted then; `None`: never.
    """
    policy = settings.removal_policy
    bucket = s3.Bucket(
        scope,
        id,
        encryption=s3.BucketEncryption.S3_MANAGED if key is None else s3.BucketEncryption.KMS,
        encryption_key=key,
        bucket_key_enabled=None if key is None else True,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        enforce_ssl=True,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        server_access_logs_bucket=logs,
        server_access_logs_prefix=None if logs is None else f"{scope.node.path}/{id}/",
        removal_policy=RemovalPolicy.RETAIN if policy == RemovalPolicy.SNAPSHOT else policy,
        lifecycle_rules=[
            s3.LifecycleRule(expiration=expiration, abort_incomplete_multipart_upload_after=Duration.days(1))
        ],
    )
    acknowledge_in_template(cast(s3.CfnBucket, bucket.node.default_child), checkov={"CKV_AWS_21": written_once})
    return bucket
