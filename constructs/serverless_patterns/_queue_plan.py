"""All that a queue with its consumer is made of, checked before anything is defined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._checks import Problems
from ._consumer import Consumer
from ._delivery import Delivery
from ._existing_queue import ExistingQueue
from ._idempotency import Idempotency
from ._protection import protection_of
from ._queues import OwnQueue
from ._retries import Retries
from ._worker import VARIABLES, Worker

if TYPE_CHECKING:
    from aws_cdk import Duration
    from aws_cdk import aws_sqs as sqs
    from constructs import Construct

    from .defaults import Settings


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the user gave, by concept. Nothing of it is checked."""

    consumer: Consumer
    once: Idempotency
    retries: Retries
    own: OwnQueue
    queue: sqs.IQueue | None
    max_concurrency: int
    batch_size: int | None
    max_batching_window: Duration | None
    max_receive_count: int
    handler_arguments: Mapping[str, Any]
    """What only our runtime obeys, by argument; `None` where nothing was given."""


@dataclass(frozen=True, kw_only=True)
class QueuePlan:
    """What to define, every number checked."""

    source: OwnQueue | ExistingQueue
    delivery: Delivery
    visibility: Duration
    worker: Worker | None
    """`None`: the consumer is somebody else's function."""


def plan(problems: Problems, scope: Construct, asked: Asked, settings: Settings) -> QueuePlan:
    """Check what the user gave, and derive what nobody has to say.

    Args:
        problems: Takes what is wrong.
        scope: Where the pattern will be.
        asked: What the user gave.
        settings: What holds in the scope.
    """
    runs, once, retries = asked.consumer, asked.once, asked.retries
    source = asked.own if asked.queue is None else ExistingQueue.look(problems, asked.queue, asked.own)
    handled = runs.handler is not None
    protection = protection_of(problems, "circuit_breaker", asked.handler_arguments["circuit_breaker"])
    delivery = Delivery(
        handled=handled,
        own_queue=asked.queue is None,
        guarded=handled and protection is not None,
        fifo=source.fifo,
        max_concurrency=asked.max_concurrency,
        asked_batch_size=asked.batch_size,
        max_batching_window=asked.max_batching_window,
        max_receive_count=asked.max_receive_count,
    )
    delivery.check(problems)
    source.check(problems, delivery)
    if handled:
        once.check(problems, scope, source.retention_seconds)
    retries.check(problems, source.retention_seconds)
    runs.check_handler(problems, scope, settings, VARIABLES, asked.max_concurrency)
    runs.check_function(problems, asked.handler_arguments)
    visibility = delivery.visibility(problems, source.visibility_argument, source.visibility_timeout, runs.timeout)
    tries, kept = source.max_receive_count(delivery), source.retention_seconds
    retries.check_end(problems, source.retention_argument, kept, tries, visibility, handled=handled)
    worker = None
    if runs.handler is not None:
        worker = Worker(
            handler=runs.handler,
            once=once,
            retries=retries.ending(kept, visibility) if delivery.guarded else retries,
            delivery=delivery,
            visibility=visibility,
            max_receive_count=tries,
            reserved_concurrent_executions=runs.reserved,
            protection=protection,
        )
    return QueuePlan(source=source, delivery=delivery, visibility=visibility, worker=worker)
