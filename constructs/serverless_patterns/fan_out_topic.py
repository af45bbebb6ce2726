"""One message, every subscriber whose filter it matches; and, where asked for, their results together, once.

Hohpe, Woolf: Enterprise Integration Patterns (2003), "Publish-Subscribe Channel", "Aggregator", "Claim Check".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from serverless_patterns_runtime.fan_out_topic.contract import Scope

from ._checks import Problems, path_of
from ._fan_out_topic.arguments import Asked, check_publisher, checked
from ._fan_out_topic.assembly import assemble
from ._fan_out_topic.silence import warn_of_uploads
from ._fan_out_topic.subscriptions import Subscriber, Watch
from ._fan_out_topic.uploads import Uploads, check_uploads, publish_uploads
from ._fan_out_topic.watching import Measured
from ._grantee import check_grantee
from .defaults import Alarms, settings_of

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_s3 as s3
    from aws_cdk import aws_sns as sns
    from aws_cdk import aws_sqs as sqs
    from constructs import Construct

    from ._fan_out_topic.gathering import DefinedFanIn
    from ._fan_out_topic.route_target import PublishTarget
    from ._fan_out_topic.targets import Target
    from ._fan_out_topic.unmatched import Unmatched
    from ._interfaces import AlarmAction, Bucket, Key
    from .claim_check import ClaimCheck
    from .fan_in import FanIn

__all__ = ["FanOutTopic"]

_NOTHING: Mapping[str, str] = MappingProxyType({})


class FanOutTopic(Measured):
    """A topic whose subscribers each have a queue, a cap and dead letters of their own, and a fan-in of their results.

    ```python
    orders = FanOutTopic(self, "OrderEvents", idempotency_key="order_id")
    orders.add_subscriber("Inventory", Handler(code, "inventory:reserve", tables={"STOCK": stock}))
    ```

    Every subscriber gets every message that its filter matches, or its own dead letter of it.

    Args:
        scope: Parent construct.
        id: Names what is below it, and is the default namespace.
        idempotency_key: Dotted path into the body, such as `order.id`, for all branches. Default: what `publish` says.
        fan_in: A `FanIn`: the results of a message's branches, together and once. Default: none.
        attributes: Message attributes for filters, by name: where in the body each is, as `$.kind`.
        claim_check: A `ClaimCheck`: payloads above 256 KB wait in a bucket. Default: they are refused.
        unmatched: What becomes of messages that no filter matches: `keep` or `count`. Default: nobody looks.
        fifo: Order within each message group; at most 300 messages a second by default.
        content_based_deduplication: FIFO: the body's hash is the deduplication id.
        topic: An existing topic instead of an own one.
        claims: Table of claims to share, with the partition key `claim` (String). Default: one of its own.
        namespace: Separates topics that share a table. Data: never change it. Default: `id`.
        encryption_key: Customer key for topic, queues, tables, buckets and logs. Default: that of `Defaults`, else
            keys that AWS owns.
        access_logs: Bucket for the access logs of its buckets. Default: none.
        alarms: `all`, `critical` or `none`. Default: that of `Defaults`, else `all`.
        alarm_actions: What alarms notify. Default: those of `Defaults`.

    Attributes:
        topic: What is owned, or was given.
        subscribers: By name: subscription, dead-letter queue of the subscription, queue, alarms.
        fan_in: Of the fan-in: `table`, `bucket`, `completions` (a `LoadLeveledQueue`), `sweep_function`; or `None`.
        payloads: Bucket of the claim checks, or `None`.
        unmatched_queue: Where messages are kept that nobody wanted, or `None`.
        alarms: By name: NotificationsFailed, NotificationsLost, SweepErrors, DeadlinesMissed, Unmatched.

    Raises:
        ValueError: with every argument that is wrong, what is allowed and the fix.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        idempotency_key: str | None = None,
        fan_in: FanIn | None = None,
        attributes: Mapping[str, str] = _NOTHING,
        claim_check: ClaimCheck | None = None,
        unmatched: Unmatched | None = None,
        fifo: bool = False,
        content_based_deduplication: bool = False,
        topic: sns.ITopic | None = None,
        claims: dynamodb.ITable | None = None,
        namespace: str | None = None,
        encryption_key: Key | None = None,
        access_logs: Bucket | None = None,
        alarms: Alarms | None = None,
        alarm_actions: Sequence[AlarmAction] | None = None,
    ) -> None:
        problems, settings = Problems(path_of(scope, id)), settings_of(scope)
        asked = Asked(
            idempotency_key=idempotency_key,
            fan_in=fan_in,
            attributes=attributes,
            claim_check=claim_check,
            unmatched=unmatched,
            fifo=fifo,
            content_based_deduplication=content_based_deduplication,
            topic=topic,
            claims=claims,
            namespace=id if namespace is None else namespace,
            encryption_key=cast("kms.IKey | None", encryption_key),
            access_logs=cast("s3.IBucket | None", access_logs),
        )
        asked = checked(problems, scope, asked, settings)
        self._watch = Watch(alarms, alarm_actions)
        self._watch.check(problems)
        problems.raise_any()

        super().__init__(scope, id)
        self._parts = parts = assemble(self, asked, settings, self._watch)
        self.topic: sns.ITopic = parts.source.topic
        self.subscribers: Mapping[str, Subscriber] = MappingProxyType(parts.adding.subscribers)
        self.fan_in: DefinedFanIn | None = parts.adding.gathering
        self.payloads: s3.IBucket | None = parts.publisher.payloads
        self.unmatched_queue: sqs.IQueue | None = parts.unmatched_queue
        wanted = self._wanted(counts_unmatched=unmatched is not None)
        self.alarms = self._watch.define(self, wanted, settings)

    def add_subscriber(
        self,
        name: str,
        target: Target,
        *,
        filter: Mapping[str, Any] | None = None,
        filter_scope: Scope = "attributes",
        max_concurrency: int | None = None,
        fan_in: bool | None = None,
        scope: Construct | None = None,
    ) -> Subscriber:
        """Add a subscriber, with a dead-letter queue for what SNS cannot deliver to it.

        Args:
            name: Names what is defined for it, its claims and its results. Data: never change it.
            target: A `Handler` or `lambda_.IFunction`, each behind a `LoadLeveledQueue` of its own; a queue or a
                `LoadLeveledQueue` of yours; an `HttpsEndpoint`; a `SagaStateMachine`, which starts once for each key.
            filter: A filter policy of SNS, as a dictionary. Default: every message.
            filter_scope: Whether it looks at `attributes` or at the `body`.
            max_concurrency: 2 to 1,000 invocations at once, of a function. Default: 5.
            fan_in: Whether it takes part in the fan-in. Default: a `Handler` does, nothing else.
            scope: Where to define it: a construct of another stack, same account and region. Default: the topic's
                stack; that of a queue or a saga of another stack.

        Raises:
            ValueError: with every argument that is wrong, what is allowed and the fix.
        """
        return self._parts.adding.add(name, target, filter, filter_scope, max_concurrency, fan_in, scope)

    def grant_publish(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow publishing, under the topic's customer key, and leaving large payloads in their bucket."""
        check_grantee(self, "grant_publish", grantee)
        return self._parts.publisher.grant(grantee)

    def publisher(self, name: str) -> Callable[[lambda_.Function], object]:
        """For `Handler(grants=[orders.publisher("ORDER_EVENTS")])`: then `publish("ORDER_EVENTS", ...)` may, and knows.

        Raises:
            ValueError: for a name that no variable can have.
        """
        problems = Problems(f"{self.node.path}.publisher")
        check_publisher(problems, name)
        problems.raise_any()
        return self._parts.publisher.as_grant(name)

    def publish_from(self, bucket: Bucket, *, prefix: str | None = None, suffix: str | None = None) -> Uploads:
        """Publish EventBridge's event of every object that is put into a bucket: `source`, `detail-type`, `detail`.

        Args:
            bucket: Of this app, or imported: then its owner lets it tell EventBridge.
            prefix: Of the objects' keys. Default: any.
            suffix: Likewise.

        Raises:
            ValueError: with every argument that is wrong, what is allowed and the fix.
        """
        problems = Problems(f"{self.node.path}.publish_from")
        check_uploads(problems, self, bucket, prefix, suffix, fifo=self.topic.fifo)
        problems.raise_any()
        publisher, key = self._parts.publisher, self._parts.adding.key
        settings = settings_of(self)
        uploads = publish_uploads(self, publisher, bucket, (prefix, suffix), key, settings, self._watch)
        warn_of_uploads(self, self.subscribers, publisher.attributes)
        return uploads

    def _route_target(self) -> PublishTarget:
        return self._parts.target
