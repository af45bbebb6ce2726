"""The queue, its dead-letter queue, and what can be seen of queues that already exist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from aws_cdk import Duration, Names, RemovalPolicy, Stack
from aws_cdk import aws_sqs as sqs

from ._acknowledge import acknowledge

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from constructs import Construct

_DEAD_LETTER_RETENTION = Duration.days(14)  # SQS's longest
_MAX_NAME = 80  # SQS quota


def define_dead_letter_queue(
    scope: Construct, *, fifo: bool, key: kms.IKey | None, removal_policy: RemovalPolicy
) -> sqs.Queue:
    """The dead-letter queue: the longest retention, encrypted, TLS only, kept when the stack goes."""
    queue = sqs.Queue(
        scope,
        "DeadLetterQueue",
        fifo=fifo or None,  # SQS refuses `false`
        retention_period=_DEAD_LETTER_RETENTION,
        removal_policy=removal_policy,
        enforce_ssl=True,
        **_encryption(key),
    )
    acknowledge(queue, "it is itself the dead-letter queue", "AwsSolutions-SQS3", "Serverless-SQSRedrivePolicy")
    return queue


def define_queue(
    scope: Construct,
    *,
    dead_letter_queue: sqs.IQueue,
    max_receive_count: int,
    visibility_timeout: Duration,
    retention_period: Duration,
    fifo: bool,
    content_based_deduplication: bool,
    key: kms.IKey | None,
    name: str | None,
) -> sqs.Queue:
    """The queue that takes the load."""
    return sqs.Queue(
        scope,
        "Queue",
        queue_name=name,
        fifo=fifo or None,
        content_based_deduplication=content_based_deduplication if fifo else None,
        visibility_timeout=visibility_timeout,
        retention_period=retention_period,
        dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letter_queue, max_receive_count=max_receive_count),
        enforce_ssl=True,
        **_encryption(key),
    )


def queue_name(scope: Construct, *, fifo: bool) -> str:
    """A name for the queue, known before the queue is.

    The dead-letter queue names the queue that may use it, and the queue names its dead-letter queue: CloudFormation
    can only make that circle when one of the two has a name that it did not make up.
    """
    suffix = ".fifo" if fifo else ""
    return Names.unique_resource_name(scope, separator="-", max_length=_MAX_NAME - len(suffix)) + suffix


def allow_redrive_from(dead_letter_queue: sqs.Queue, name: str) -> None:
    """Let only the named queue use this dead-letter queue."""
    resource = cast(sqs.CfnQueue, dead_letter_queue.node.default_child)
    arn = Stack.of(dead_letter_queue).format_arn(service="sqs", resource=name)
    resource.redrive_allow_policy = {"redrivePermission": "byQueue", "sourceQueueArns": [arn]}


def _encryption(key: kms.IKey | None) -> dict[str, object]:
    if key is None:
        return {"encryption": sqs.QueueEncryption.SQS_MANAGED}
    return {"encryption": sqs.QueueEncryption.KMS, "encryption_master_key": key}
