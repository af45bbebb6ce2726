"""Buckets for what is too large elsewhere: private, encrypted, and emptied by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aws_cdk import Duration

from .._acknowledge import acknowledge_wildcard
from .._buckets import define_bucket
from .._checks import seconds
from .._grants import give

if TYPE_CHECKING:
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_s3 as s3
    from constructs import Construct

    from ..defaults import Settings

_DAY = 86_400
_KEYS = {"s3:GetObject": ("kms:Decrypt",), "s3:PutObject": ("kms:Decrypt", "kms:GenerateDataKey")}


def define_retained_bucket(
    scope: Construct, id: str, retention: Duration, key: kms.IKey | None, settings: Settings, logs: s3.IBucket | None
) -> s3.Bucket:
    """A bucket whose objects are deleted after the retention, and no day before."""
    length = seconds(retention)
    return define_bucket(
        scope,
        id,
        key=key,
        settings=settings,
        logs=logs,
        written_once="the key of an object is its content's hash: a second version would be the same bytes",
        expiration=retention if length is None else Duration.days(-(-length // _DAY) + 1),
    )


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
