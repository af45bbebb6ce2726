"""Buckets for what is too large elsewhere: private, encrypted, and emptied by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from .._acknowledge import acknowledge_in_template, acknowledge_wildcard
from .._checks import seconds
from .._grants import give

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from ..defaults import Settings

_DAY = 86_400
_KEYS = {"s3:GetObject": ("kms:Decrypt",), "s3:PutObject": ("kms:Decrypt", "kms:GenerateDataKey")}


def define_bucket(
    scope: Construct, id: str, retention: Duration, key: kms.IKey | None, settings: Settings, logs: s3.IBucket | None
) -> s3.Bucket:
    """A bucket whose objects are deleted after the retention, and no day before."""
    length = seconds(retention)
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
        removal_policy=settings.removal_policy
        if settings.removal_policy != RemovalPolicy.SNAPSHOT
        else RemovalPolicy.RETAIN,
        lifecycle_rules=[
            s3.LifecycleRule(
                expiration=retention if length is None else Duration.days(-(-length // _DAY) + 1),
                abort_incomplete_multipart_upload_after=Duration.days(1),
            )
        ],
    )
    reason = "the key of an object is its content's hash: a second version would be the same bytes"
    acknowledge_in_template(cast(s3.CfnBucket, bucket.node.default_child), checkov={"CKV_AWS_21": reason})
    return bucket


def grant_objects(grantee: iam.IGrantable, bucket: s3.IBucket, prefix: str, actions: Sequence[str]) -> None:
    """Use objects below a prefix, with the bucket's customer key if it has one."""
    arn = bucket.arn_for_objects(prefix)
    give(grantee, actions, [arn])
    if bucket.encryption_key is not None:
        bucket.encryption_key.grant(grantee, *sorted({name for action in actions for name in _KEYS[action]}))
    role = getattr(grantee, "role", None)
    policy = None if role is None else role.node.try_find_child("DefaultPolicy")
    if policy is not None:
        acknowledge_wildcard(policy, arn, "objects are named by the hash of what they hold: nobody knows it before")
