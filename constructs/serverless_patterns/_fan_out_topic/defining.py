"""The topic itself, of ours or somebody's."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aws_cdk import Names, Stack
from aws_cdk import aws_sns as sns

from .subscriptions import Source

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from constructs import Construct

_MAX_NAME = 256  # SNS quota


def define_topic(scope: Construct, *, fifo: bool, content_based_deduplication: bool, key: kms.IKey | None) -> Source:
    """A topic with a name that is known before it is: a customer key's policy names it, and it needs the key."""
    suffix = ".fifo" if fifo else ""
    name = Names.unique_resource_name(scope, separator="-", max_length=_MAX_NAME - len(suffix)) + suffix
    topic = sns.Topic(
        scope,
        "Topic",
        topic_name=name,
        fifo=fifo or None,
        content_based_deduplication=content_based_deduplication or None,
        master_key=key,
        enforce_ssl=True,
    )
    return Source(cast(sns.ITopic, topic), Stack.of(scope).format_arn(service="sns", resource=name))


def existing_topic(topic: sns.ITopic) -> Source:
    """Somebody's."""
    return Source(topic, topic.topic_arn)
