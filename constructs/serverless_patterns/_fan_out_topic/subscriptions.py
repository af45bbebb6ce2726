"""A subscription with its dead-letter queue: what cannot be delivered is kept there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from serverless_patterns_runtime.fan_out_topic.contract import Scope

from .._alarms import METRIC_PERIOD, AlarmOn, check_actions, define_alarms
from .._checks import Problems
from .._queues import define_letters
from ..defaults import ALARMS
from .permissions import SNS, let_send

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from .._interfaces import AlarmAction
    from ..defaults import Alarms, Settings
    from ..load_leveled_queue import LoadLeveledQueue

_SCOPES: Mapping[Scope, str] = {"attributes": "MessageAttributes", "body": "MessageBody"}


@dataclass(frozen=True, eq=False, kw_only=True)
class Subscriber:
    """One of a topic's: where its messages go, and where those that do not get there."""

    name: str
    subscription: sns.CfnSubscription
    dead_letter_queue: sqs.Queue
    """Of the subscription: what SNS could not deliver. What could not be processed is in the queue's own."""

    queue: LoadLeveledQueue | sqs.IQueue | None
    """`None` in front of an `HttpsEndpoint`."""

    filter: Mapping[str, Any] | None
    filter_scope: Scope
    takes_part: bool
    """In the fan-in."""

    alarms: Mapping[str, cloudwatch.Alarm]
    """By name: Undelivered. Those of a queue are its own."""


@dataclass(frozen=True)
class Endpoint:
    """What SNS is told of where messages go."""

    protocol: str
    address: str
    raw: bool
    delivery_policy: Mapping[str, Any] | None = None
    queue: sqs.IQueue | None = None


@dataclass(frozen=True)
class Source:
    """The topic, as a subscription sees it."""

    topic: sns.ITopic
    policy_arn: str
    """Its ARN without a reference to it."""


@dataclass(frozen=True)
class Watch:
    """Which alarms, and whom they tell."""

    which: Alarms | None
    actions: Sequence[AlarmAction] | None

    def check(self, problems: Problems) -> None:
        """Refuse another word, and what no alarm can notify."""
        if self.which is not None:
            problems.one_of("alarms", self.which, ALARMS, "'critical' keeps what is late or needs a person")
        if self.actions is not None:
            check_actions(problems, self.actions)

    def define(self, scope: Construct, wanted: Sequence[AlarmOn], settings: Settings) -> dict[str, cloudwatch.Alarm]:
        """Those that are asked for, in this scope."""
        actions = settings.alarm_actions if self.actions is None else self.actions
        return define_alarms(scope, wanted, self.which or settings.alarms, actions)


def subscribe(
    host: Construct,
    source: Source,
    endpoint: Endpoint,
    *,
    filter: Mapping[str, Any] | None,
    filter_scope: Scope,
    key: kms.IKey | None,
    settings: Settings,
) -> tuple[sns.CfnSubscription, sqs.Queue]:
    """Define the subscription and its dead-letter queue, and let SNS send to both queues."""
    topic, shown = source.topic, source.topic.node.path
    letters = define_letters(host, "Undelivered", key, fifo=topic.fifo, removal_policy=settings.removal_policy)
    for queue in (letters, endpoint.queue):
        if queue is not None:
            let_send(host, SNS, cast(sqs.IQueue, queue), topic.topic_arn, shown, source.policy_arn)
    subscription = sns.CfnSubscription(
        host,
        "Subscription",
        topic_arn=topic.topic_arn,
        protocol=endpoint.protocol,
        endpoint=endpoint.address,
        raw_message_delivery=endpoint.raw,
        delivery_policy=endpoint.delivery_policy,
        filter_policy=filter,
        filter_policy_scope=None if filter is None else _SCOPES[filter_scope],
        redrive_policy={"deadLetterTargetArn": letters.queue_arn},
    )
    for queue in (letters, endpoint.queue):
        policy = None if queue is None else queue.node.try_find_child("Policy")
        if policy is not None:
            subscription.node.add_dependency(policy)  # or the first messages would be refused
    return subscription, letters


def undelivered_alarm(name: str, letters: sqs.Queue) -> AlarmOn:
    """Something did not even reach the subscriber's queue, or its endpoint."""
    return AlarmOn(
        "Undelivered",
        letters.metric_approximate_number_of_messages_visible(period=METRIC_PERIOD, statistic="Maximum"),
        1,
        f"SNS could not deliver messages to {name}: mend its queue's policy, key or endpoint, then send them again",
        critical=True,
    )
