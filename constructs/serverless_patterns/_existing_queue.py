"""A queue that already exists: what can be seen of it, and what must be said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from aws_cdk import Duration, Validations
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from ._checks import Problems, is_token
from ._delivery import LONGEST_RETENTION_SECONDS, RECEIVE_LIMIT, Delivery
from ._queues import OwnQueue, check_dead_letter_queue, visible_retention

_SQS_DEFAULT_VISIBILITY_SECONDS = 30


@dataclass(frozen=True)
class ExistingQueue:
    """A queue that somebody else defined, as far as it can be seen."""

    queue: sqs.IQueue
    dead_letter_queue: sqs.IQueue
    fifo: bool
    visibility_argument: str
    visibility_timeout: Duration | None
    retention_argument: str
    retention_seconds: int | None
    seen_max_receive_count: int | None

    @classmethod
    def look(cls, problems: Problems, queue: sqs.IQueue, asked: OwnQueue) -> ExistingQueue:
        """Look at a queue, and refuse what contradicts it or can neither be seen nor was said.

        Args:
            problems: Takes what is wrong.
            queue: Defined in this app, or imported.
            asked: What the user said of the queue, or asked of one of our own.
        """
        for argument in asked.given():
            fix = "set it where that queue is defined"
            problems.add(argument, "be left out with an existing queue", "a value", fix)
        seen = queue if isinstance(queue, sqs.Queue) else None
        kept = visible_retention(queue)
        letters = _dead_letter_queue(problems, queue, seen, asked.dead_letter_queue)
        if letters is not None:
            check_dead_letter_queue(problems, letters, fifo=queue.fifo, retention=kept)
        redrive = None if seen is None else seen.dead_letter_queue
        return cls(
            queue=queue,
            dead_letter_queue=letters or queue,  # the latter never gets far: it is a problem
            fifo=queue.fifo,
            visibility_argument="queue_visibility_timeout"
            if seen is None
            else f"visibility_timeout of {seen.node.path}",
            visibility_timeout=_visibility(problems, seen, asked.queue_visibility_timeout),
            retention_argument=f"{'longest ' if seen is None else ''}retention_period of {queue.node.path}",
            retention_seconds=LONGEST_RETENTION_SECONDS if seen is None else kept,
            seen_max_receive_count=None if redrive is None else _whole(redrive.max_receive_count),
        )

    def check(self, problems: Problems, delivery: Delivery) -> None:
        """Refuse a queue that would dead-letter healthy messages."""
        if self.seen_max_receive_count is not None:
            argument = f"max_receive_count of {self.queue.node.path}"
            delivery.check_native_limit(problems, argument, self.seen_max_receive_count, self.retention_seconds)

    def max_receive_count(self, delivery: Delivery) -> int:
        """How many receives a message gets: what the queue says, else what the user says of it."""
        if self.seen_max_receive_count is None or delivery.counts_attempts:
            return delivery.max_receive_count
        return self.seen_max_receive_count

    def define(self, scope: Construct, delivery: Delivery, *_: object) -> tuple[sqs.IQueue, sqs.IQueue]:
        """The queue and its dead-letter queue: both are there already."""
        if self.seen_max_receive_count is None and delivery.counts_attempts:
            least = delivery.receives_needed(self.retention_seconds) or RECEIVE_LIMIT
            why, way_out = "failing message of a FIFO batch takes healthy ones of its group", ", or use batch_size=1"
            if delivery.guarded:
                why, way_out = "long outage behind the circuit breaker sends healthy messages", ""
            Validations.of(scope).add_warning(
                "serverless-patterns:imported-max-receive-count",
                f"the maxReceiveCount of {self.queue.node.path} cannot be seen and must be at least {least:,}, or a "
                f"{why} to the dead-letter queue: set it where the queue is defined{way_out}",
            )
        return self.queue, self.dead_letter_queue


def _resource(queue: sqs.Queue) -> sqs.CfnQueue:
    return cast(sqs.CfnQueue, queue.node.default_child)


def _whole(number: float) -> int:
    """What jsii gives for a whole number; a token stays one."""
    return number if is_token(number) else int(number)


def _visibility(problems: Problems, seen: sqs.Queue | None, said: Duration | None) -> Duration | None:
    if seen is None:
        if said is None:
            fix = "say the visibility timeout that the queue has"
            problems.add("queue_visibility_timeout", "be given for an imported queue", "None", fix)
        return said
    if said is not None:
        fix = "the queue is defined in this app"
        problems.add("queue_visibility_timeout", "be left out without an imported queue", "a value", fix)
    length = _resource(seen).visibility_timeout
    return Duration.seconds(_SQS_DEFAULT_VISIBILITY_SECONDS if length is None else length)


def _dead_letter_queue(
    problems: Problems, queue: sqs.IQueue, seen: sqs.Queue | None, said: sqs.IQueue | None
) -> sqs.IQueue | None:
    visible = None if seen is None or seen.dead_letter_queue is None else seen.dead_letter_queue.queue
    if seen is None and said is None:
        fix = "say which one the queue has: permanent failures go there"
        problems.add("dead_letter_queue", "be given for an imported queue", "None", fix)
    elif seen is not None and visible is None:
        fix = "give the queue a dead_letter_queue where it is defined, or a failing message comes back until it expires"
        problems.add("queue", "have a dead-letter queue", f"{queue.node.path} without one", fix)
    elif visible is not None and said is not None and said is not visible:
        fix = "leave it out: the queue names its own"
        problems.add("dead_letter_queue", f"be {visible.node.path}", said.node.path, fix)
    return visible or said
