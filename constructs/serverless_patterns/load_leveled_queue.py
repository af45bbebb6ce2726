"""Queue-based load leveling: a queue between a burst of work and a consumer with a cap.

Homer, Sharp, Brader, Narumoto, Swanson: Cloud Design Patterns (2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from constructs import Construct
from serverless_patterns_runtime.business_function.contract import Env as BusinessFunctionEnv
from serverless_patterns_runtime.claims.contract import Env as ClaimsEnv
from serverless_patterns_runtime.load_leveled_queue.contract import HANDLER, Env

from . import _grants
from ._checks import Problems, seconds
from ._claims import define_claims
from ._delivery import Delivery, check_visibility, delivery
from ._function import define_function
from ._queues import allow_redrive_from, define_dead_letter_queue, define_queue, queue_name
from .defaults import settings_of

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_sqs as sqs

    from .handler import Handler

__all__ = ["LoadLeveledQueue"]


class LoadLeveledQueue(Construct):
    """x"""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        consumer: Handler,
        max_concurrency: int,
        batch_size: int | None = None,
        max_batching_window: Duration | None = None,
        max_receive_count: int = 5,
        idempotency_key: str | None = None,
        claims: dynamodb.ITable | None = None,
        claims_namespace: str | None = None,
        claims_retention: Duration = Duration.days(30),
        max_age: Duration | None = None,
        retention_period: Duration = Duration.days(4),
        visibility_timeout: Duration | None = None,
        retry_base_delay: Duration = Duration.seconds(5),
        retry_max_delay: Duration = Duration.minutes(15),
        fifo: bool = False,
        content_based_deduplication: bool = False,
        encryption_key: kms.IKey | None = None,
        reserved_concurrent_executions: int | None = None,
        alarm_actions: Sequence[cloudwatch.IAlarmAction] | None = None,
    ) -> None:
        problems = Problems(f"{scope.node.path}/{id}".lstrip("/"))
        plan = delivery(
            problems,
            fifo=fifo,
            max_concurrency=max_concurrency,
            batch_size=batch_size,
            max_batching_window=max_batching_window,
            max_receive_count=max_receive_count,
        )
        visibility = check_visibility(problems, "visibility_timeout", visibility_timeout, plan, consumer.timeout)
        problems.raise_any()
        super().__init__(scope, id)
        settings = settings_of(self)
        key = encryption_key or settings.encryption_key
        name = queue_name(self, fifo=fifo)
        dlq = define_dead_letter_queue(self, fifo=fifo, key=key, removal_policy=settings.removal_policy)
        allow_redrive_from(dlq, name)
        self.dead_letter_queue = dlq
        self.queue = define_queue(
            self,
            dead_letter_queue=self.dead_letter_queue,
            max_receive_count=plan.native_max_receive_count,
            visibility_timeout=visibility,
            retention_period=retention_period,
            fifo=fifo,
            content_based_deduplication=content_based_deduplication,
            key=key,
            name=name,
        )
        self.claims = claims or define_claims(self, key=key, removal_policy=settings.removal_policy)
        contract = {
            **BusinessFunctionEnv(
                BUSINESS_FUNCTION=consumer.function,
                RETURNS_EFFECTS="true" if consumer.returns_effects else "false",
                TABLES=",".join(sorted(consumer.tables)),
            )._asdict(),
            **ClaimsEnv(
                CLAIMS_TABLE_NAME=self.claims.table_name,
                CLAIMS_NAMESPACE=claims_namespace or id,
                CLAIMS_RETENTION_SECONDS=str(seconds(claims_retention)),
            )._asdict(),
            **Env(
                QUEUE_URL=self.queue.queue_url,
                DEAD_LETTER_QUEUE_URL=self.dead_letter_queue.queue_url,
                IDEMPOTENCY_KEY=idempotency_key or "",
                VISIBILITY_TIMEOUT_SECONDS=str(seconds(visibility)),
                MAX_RECEIVE_COUNT=str(max_receive_count),
                COUNT_ATTEMPTS="true" if plan.counts_attempts else "false",
                MAX_AGE_SECONDS="0" if max_age is None else str(seconds(max_age)),
                RETRY_BASE_SECONDS=str(seconds(retry_base_delay)),
                RETRY_MAX_SECONDS=str(seconds(retry_max_delay)),
            )._asdict(),
        }
        function = define_function(
            self,
            "Consumer",
            consumer,
            entry_point=HANDLER,
            contract=contract,
            settings=settings,
            encryption_key=key,
            reserved_concurrent_executions=reserved_concurrent_executions,
        )
        self.consumer_function: lambda_.IFunction = function
        _grants.grant_poll(function, self.queue)
        _grants.grant_dead_letter(function, self.dead_letter_queue)
        _grants.grant_claims(function, self.claims, effects=consumer.returns_effects, counted=plan.counts_attempts)
        self.event_source_mapping = lambda_.EventSourceMapping(
            self,
            "EventSourceMapping",
            target=function,
            event_source_arn=self.queue.queue_arn,
            batch_size=plan.batch_size,
            max_batching_window=max_batching_window,
            max_concurrency=max_concurrency,
            report_batch_item_failures=True,
        )

    def grant_send(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow sending messages to the queue."""
        return _grants.grant_send(grantee, self.queue)
