"""The queue that takes the load, and its dead-letter queue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, TypedDict, cast

from aws_cdk import Duration, Names, RemovalPolicy, Stack
from aws_cdk import aws_sqs as sqs

from ._acknowledge import acknowledge, acknowledge_in_template
from ._checks import Problems, is_token, seconds
from ._delivery import LONGEST_RETENTION_SECONDS, MOST_RETENTION_SECONDS

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from ._delivery import Delivery

RETENTION = Duration.days(4)  # a long weekend; the dead-letter queue keeps 14 days from the first send
_SHORTEST_RETENTION_SECONDS = 60  # SQS quota
_SQS_DEFAULT_RETENTION_SECONDS = 4 * 86_400
_MAX_NAME = 80  # SQS quota


@dataclass(frozen=True)
class OwnQueue:
    """A queue of ours, as asked for."""

    dead_letter_queue: sqs.IQueue | None
    fifo: bool
    content_based_deduplication: bool
    visibility_timeout: Duration | None
    retention_period: Duration
    queue_visibility_timeout: Duration | None
    visibility_argument: ClassVar = "visibility_timeout"
    retention_argument: ClassVar = "retention_period"

    def given(self) -> list[str]:
        """What the user asked for, by argument."""
        asked = {
            "fifo": self.fifo,
            "content_based_deduplication": self.content_based_deduplication,
            "visibility_timeout": self.visibility_timeout is not None,
            "retention_period": self.retention_period is not RETENTION,
        }
        return [argument for argument, given in asked.items() if given]

    @property
    def retention_seconds(self) -> int | None:
        """`None` when it is a token."""
        return seconds(self.retention_period)

    def check(self, problems: Problems, delivery: Delivery) -> None:
        """Refuse what SQS refuses, and a dead-letter queue that forgets first."""
        del delivery
        if self.queue_visibility_timeout is not None:
            fix = "use visibility_timeout"
            problems.add("queue_visibility_timeout", "be left out without an imported queue", "a value", fix)
        if self.content_based_deduplication and not self.fifo:
            fix = "pass fifo=True, or leave it out"
            problems.add("content_based_deduplication", "be left out on a standard queue", "True", fix)
        fix = "dead letters live 14 days, counted from when they were first sent: leave them at least one"
        shortest = _SHORTEST_RETENTION_SECONDS
        problems.duration("retention_period", self.retention_period, shortest, MOST_RETENTION_SECONDS, fix)
        if self.dead_letter_queue is not None:
            check_dead_letter_queue(problems, self.dead_letter_queue, fifo=self.fifo, retention=self.retention_seconds)

    def max_receive_count(self, delivery: Delivery) -> int:
        """How many receives a message gets."""
        return delivery.max_receive_count

    def define(
        self,
        scope: Construct,
        delivery: Delivery,
        visibility_timeout: Duration,
        key: kms.IKey | None,
        removal_policy: RemovalPolicy,
    ) -> tuple[sqs.IQueue, sqs.IQueue]:
        """The queue and its dead-letter queue."""
        name = None
        letters = self.dead_letter_queue
        if letters is None:
            name = _name(scope, fifo=self.fifo)
            letters = _define_dead_letter_queue(scope, name, fifo=self.fifo, key=key, removal_policy=removal_policy)
        queue = sqs.Queue(
            scope,
            "Queue",
            queue_name=name,
            fifo=self.fifo or None,  # SQS refuses `false`
            content_based_deduplication=self.content_based_deduplication or None,
            visibility_timeout=visibility_timeout,
            retention_period=self.retention_period,
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=letters,
                max_receive_count=delivery.native_max_receive_count(visibility_timeout, self.retention_seconds),
            ),
            enforce_ssl=True,
            **_encryption(key),
        )
        _acknowledge_encryption(queue, key)
        delivery.warn_of_expiry(queue, visibility_timeout, self.retention_seconds)
        return queue, letters


def visible_retention(queue: sqs.IQueue) -> int | None:
    """How many seconds a queue keeps a message; `None` when it is imported, or that is a token."""
    if not isinstance(queue, sqs.Queue):
        return None
    length = cast(sqs.CfnQueue, queue.node.default_child).message_retention_period
    if length is None:
        return _SQS_DEFAULT_RETENTION_SECONDS
    return None if is_token(length) else int(length)


def check_dead_letter_queue(
    problems: Problems, dead_letter_queue: sqs.IQueue, *, fifo: bool, retention: int | None
) -> None:
    """Refuse one of another kind than its source, and one that does not keep messages longer.

    Args:
        problems: Takes what is wrong.
        dead_letter_queue: Defined in this app, or imported.
        fifo: Whether the source is a FIFO queue.
        retention: Seconds that the source keeps a message; `None` when nobody can tell.
    """
    if dead_letter_queue.fifo != fifo:
        kinds = {True: "FIFO", False: "standard"}
        got = f"the {kinds[dead_letter_queue.fifo]} queue {dead_letter_queue.node.path}"
        fix = "SQS moves messages only between queues of one kind"
        problems.add("dead_letter_queue", f"be a {kinds[fifo]} queue as its source is", got, fix)
    kept = visible_retention(dead_letter_queue)
    if kept is not None and retention is not None and kept <= retention:
        must = f"be more than the {retention:,} seconds of its source"
        fix = "set it where that queue is defined, best to 14 days: SQS may count from when a message was first sent"
        problems.add(f"retention_period of {dead_letter_queue.node.path}", must, f"{kept:,} seconds", fix)


def define_letters(
    scope: Construct,
    id: str,
    key: kms.IKey | None,
    *,
    fifo: bool = False,
    removal_policy: RemovalPolicy = RemovalPolicy.DESTROY,
    why: str = "it is itself a dead-letter queue",
) -> sqs.Queue:
    """For what nothing of ours could handle, to be looked at by people, for as long as SQS keeps anything.

    Args:
        scope: Parent construct.
        id: Names it.
        key: Customer key.
        fifo: Whether what sends to it has message groups.
        removal_policy: RETAIN where it says what is nowhere else.
        why: Why it has no dead-letter queue.
    """
    queue = sqs.Queue(
        scope,
        id,
        fifo=fifo or None,
        retention_period=Duration.seconds(LONGEST_RETENTION_SECONDS),
        removal_policy=removal_policy,
        enforce_ssl=True,
        **_encryption(key),
    )
    _acknowledge_encryption(queue, key)
    acknowledge(queue, why, "AwsSolutions-SQS3", "Serverless-SQSRedrivePolicy")
    return queue


def _define_dead_letter_queue(
    scope: Construct, source: str, *, fifo: bool, key: kms.IKey | None, removal_policy: RemovalPolicy
) -> sqs.Queue:
    """The longest retention, encrypted, TLS only, for one source alone, and kept when the stack goes."""
    queue = sqs.Queue(
        scope,
        "DeadLetterQueue",
        fifo=fifo or None,
        retention_period=Duration.seconds(LONGEST_RETENTION_SECONDS),
        removal_policy=removal_policy,
        enforce_ssl=True,
        **_encryption(key),
    )
    arn = Stack.of(scope).format_arn(service="sqs", resource=source)
    resource = cast(sqs.CfnQueue, queue.node.default_child)
    resource.redrive_allow_policy = {"redrivePermission": "byQueue", "sourceQueueArns": [arn]}
    _acknowledge_encryption(queue, key)
    acknowledge(queue, "it is itself the dead-letter queue", "AwsSolutions-SQS3", "Serverless-SQSRedrivePolicy")
    return queue


def _name(scope: Construct, *, fifo: bool) -> str:
    """A name for the queue, known before the queue is.

    The dead-letter queue names the queue that may use it, and the queue names its dead-letter queue: CloudFormation
    can only make that circle when one of the two has a name that it did not make up.
    """
    suffix = ".fifo" if fifo else ""
    return Names.unique_resource_name(scope, separator="-", max_length=_MAX_NAME - len(suffix)) + suffix


def _acknowledge_encryption(queue: sqs.Queue, key: kms.IKey | None) -> None:
    if key is None:
        reason = "it is encrypted, by keys that SQS owns (SqsManagedSseEnabled): the check knows customer keys only"
        acknowledge_in_template(cast(sqs.CfnQueue, queue.node.default_child), checkov={"CKV_AWS_27": reason})


class _Encryption(TypedDict, total=False):
    encryption: sqs.QueueEncryption
    encryption_master_key: kms.IKey


def _encryption(key: kms.IKey | None) -> _Encryption:
    if key is None:
        return {"encryption": sqs.QueueEncryption.SQS_MANAGED}
    return {"encryption": sqs.QueueEncryption.KMS, "encryption_master_key": key}
