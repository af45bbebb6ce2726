"""Queue-based load leveling: a queue between a burst of work and a consumer with a cap.

Homer, Sharp, Brader, Narumoto, Swanson: Cloud Design Patterns (2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from ._alarms import METRIC_PERIOD, check_alarms, define_alarms, queue_alarms
from ._api_proxy.queue_target import QueueTarget
from ._checks import Problems, path_of
from ._consumer import Consumer
from ._grantee import check_grantee
from ._grants import grant_poll, grant_redrive, grant_send
from ._idempotency import Idempotency
from ._queue_plan import Asked, plan
from ._queues import RETENTION, OwnQueue
from ._retries import Retries
from ._worker import Places
from .defaults import Alarms, settings_of

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_sqs as sqs

    from ._interfaces import AlarmAction, Function, Key
    from ._protection import Protecting
    from .handler import Handler

__all__ = ["LoadLeveledQueue"]

_CLAIMS_RETENTION = Duration.days(30)  # more than queue and dead-letter queue together
_RETRY_BASE, _RETRY_MAX = Duration.minutes(1), Duration.minutes(15)  # five tries span some seven minutes
_MAX_OLDEST_AGE = Duration.hours(1)


class LoadLeveledQueue(Construct):
    """A queue, its dead-letter queue, and a consumer that is never invoked more than `max_concurrency` times at once.

    ```python
    LoadLeveledQueue(self, "Fulfilment", max_concurrency=5, idempotency_key="order_id",
        consumer=Handler(code, "orders:fulfil", tables={"ORDERS": orders}))
    ```

    Processed + dead-lettered = sent, and with a `Handler` that returns `Effects` each effect happens once.

    Args:
        scope: Parent construct.
        id: Names what is below it, and is the default namespace of the claims.
        consumer: A `Handler`, or any `lambda_.IFunction`, which gets raw events and no claims.
        max_concurrency: 2 to 1,000 invocations at once. For one at a time: `fifo=True` and one group.
        batch_size: 1 to 10,000 messages an invocation; FIFO 1 to 10. Default: 10; FIFO 1.
        max_batching_window: How long a batch may fill up, to 300 seconds; needed above 10; never on FIFO.
        max_receive_count: 1 to 1,000 tries, then dead letter. In batches above 1 the runtime counts them, elsewhere
            SQS counts receives: 5, because a throttled receive counts too.
        idempotency_key: Dotted path into the body, such as `order.id`. Default: the message id.
        claims: Table to share, with the partition key `claim` (String). Default: one of its own.
        claims_namespace: Separates constructs that share a table, each its own. Data: never change it. Default: `id`.
        claims_retention: How long a key is remembered; at least the queue's retention + 14 days.
        max_age: Older messages become dead letters (`expired`) instead of running. Default: no limit; with a
            `circuit_breaker` forty minutes before the queue deletes them, or more.
        circuit_breaker: A `CircuitBreaker` for what the handler calls. While it is open, messages wait, untried.
        retention_period: 60 seconds to 13 days in the queue: less than the 14 days of the dead-letter queue, and
            more than all tries may take.
        visibility_timeout: Raises the default of 6 x function timeout + batching window; at most 12 hours.
        retry_base_delay: Ceiling of the first retry's random delay; doubles with every receive.
        retry_max_delay: Ceiling of every retry's random delay; at most 12 hours.
        fifo: Order within each message group.
        content_based_deduplication: FIFO: the body's hash is the deduplication id.
        encryption_key: Customer key for queues, claims, logs and variables. Default: that of `Defaults`, else keys
            that AWS owns.
        queue: An existing queue instead of an own one.
        queue_visibility_timeout: What an imported queue has.
        dead_letter_queue: What an imported queue has; or one to use for the own queue.
        consumer_timeout: What an imported function has.
        report_batch_item_failures: Whether an `IFunction` answers with `batchItemFailures`.
        reserved_concurrent_executions: At least `max_concurrency`. Default: the handler's, else none.
        alarms: `all`, `critical` or `none`. Default: that of `Defaults`, else `all`.
        alarm_actions: What alarms notify. Default: those of `Defaults`.
        max_oldest_age: Messages that wait this long raise an alarm.

    Attributes:
        queue, dead_letter_queue, consumer_function, event_source_mapping: What is owned, or was given.
        claims: The table of claims; `None` when the consumer is an `IFunction`.
        alarms: By name: OldestMessage, DeadLetters, DeadLettersExpire, ConsumerErrors, ConsumerThrottles.
        required_endpoints: AWS services that the consumer must reach when it runs in a VPC.

    Raises:
        ValueError: with every argument that is wrong, what is allowed and the fix.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        consumer: Handler | Function,
        max_concurrency: int,
        batch_size: int | None = None,
        max_batching_window: Duration | None = None,
        max_receive_count: int = 5,
        idempotency_key: str | None = None,
        claims: dynamodb.ITable | None = None,
        claims_namespace: str | None = None,
        claims_retention: Duration = _CLAIMS_RETENTION,
        max_age: Duration | None = None,
        circuit_breaker: Protecting | None = None,
        retention_period: Duration = RETENTION,
        visibility_timeout: Duration | None = None,
        retry_base_delay: Duration = _RETRY_BASE,
        retry_max_delay: Duration = _RETRY_MAX,
        fifo: bool = False,
        content_based_deduplication: bool = False,
        encryption_key: Key | None = None,
        queue: sqs.IQueue | None = None,
        queue_visibility_timeout: Duration | None = None,
        dead_letter_queue: sqs.IQueue | None = None,
        consumer_timeout: Duration | None = None,
        report_batch_item_failures: bool | None = None,
        reserved_concurrent_executions: int | None = None,
        alarms: Alarms | None = None,
        alarm_actions: Sequence[AlarmAction] | None = None,
        max_oldest_age: Duration = _MAX_OLDEST_AGE,
    ) -> None:
        problems, settings = Problems(path_of(scope, id)), settings_of(scope)
        namespace = id if claims_namespace is None else claims_namespace
        once = Idempotency(idempotency_key, claims, namespace, claims_retention)
        asked = Asked(
            consumer=Consumer(consumer, reserved_concurrent_executions, consumer_timeout, report_batch_item_failures),
            once=once,
            retries=Retries(retry_base_delay, retry_max_delay, max_age),
            own=OwnQueue(
                dead_letter_queue,
                fifo,
                content_based_deduplication,
                visibility_timeout,
                retention_period,
                queue_visibility_timeout,
            ),
            queue=queue,
            max_concurrency=max_concurrency,
            batch_size=batch_size,
            max_batching_window=max_batching_window,
            max_receive_count=max_receive_count,
            handler_arguments={
                "idempotency_key": idempotency_key,
                "claims": claims,
                "claims_namespace": claims_namespace,
                "max_age": max_age,
                "circuit_breaker": circuit_breaker,
            },
        )
        planned = plan(problems, scope, asked, settings)
        check_alarms(problems, alarms, max_oldest_age)
        problems.raise_any()
        source, delivery, worker = planned.source, planned.delivery, planned.worker
        if worker is not None:
            worker.check_size(problems, id, settings, queue, dead_letter_queue)
            problems.raise_any()

        super().__init__(scope, id)
        key = cast("kms.IKey | None", encryption_key or settings.encryption_key)
        self.queue, self.dead_letter_queue = source.define(
            self, delivery, planned.visibility, key, settings.removal_policy
        )
        self._target = QueueTarget(self.queue, key_path=idempotency_key)
        self.claims: dynamodb.ITable | None = None
        self.required_endpoints: tuple[str, ...] = ()
        if worker is None:
            function = target = cast(lambda_.IFunction, consumer)
        else:
            self.claims = once.define(self, key=key, removal_policy=settings.removal_policy)
            self.required_endpoints = worker.required_endpoints
            places = Places(self.queue, self.dead_letter_queue, self.claims)
            function, target = worker.define(self, places, settings, key)
        self.consumer_function: lambda_.IFunction = function
        self.event_source_mapping = delivery.connect(
            self, self.queue, target, asked.consumer.reports_batch_item_failures
        )
        grant_poll(self, function, self.queue).apply_before(self.event_source_mapping)
        wanted = queue_alarms(self.queue, self.dead_letter_queue, function, max_oldest_age, source.retention_seconds)
        actions = settings.alarm_actions if alarm_actions is None else alarm_actions
        self.alarms = define_alarms(self, wanted, alarms or settings.alarms, actions)

    def _route_target(self) -> QueueTarget:
        return self._target

    def grant_send(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow sending to the queue, with its customer key if it has one."""
        check_grantee(self, "grant_send", grantee)
        return grant_send(grantee, self.queue)

    def grant_redrive(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow `serverless-patterns peek` and `redrive`: on both queues, with their customer keys."""
        check_grantee(self, "grant_redrive", grantee)
        return grant_redrive(grantee, self.queue, self.dead_letter_queue)

    def metric_depth(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Messages that wait in the queue: the largest number in each period."""
        return self.queue.metric_approximate_number_of_messages_visible(period=period, statistic="Maximum")

    def metric_oldest_age(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Seconds that the oldest message has waited."""
        return self.queue.metric_approximate_age_of_oldest_message(period=period, statistic="Maximum")

    def metric_dead_letters(self, *, period: Duration = METRIC_PERIOD) -> cloudwatch.Metric:
        """Messages in the dead-letter queue."""
        return self.dead_letter_queue.metric_approximate_number_of_messages_visible(period=period, statistic="Maximum")
