"""The queue of items that were given up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._queues import define_letters

if TYPE_CHECKING:
    from aws_cdk import RemovalPolicy
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_sqs as sqs
    from constructs import Construct


def define_item_letters(scope: Construct, key: kms.IKey | None, removal_policy: RemovalPolicy) -> sqs.Queue:
    """Define it. What is in it is nowhere else, so it stays when the stack goes, unless somebody says otherwise."""
    queue = define_letters(scope, "DeadLetterQueue", key)
    queue.apply_removal_policy(removal_policy)
    return queue
