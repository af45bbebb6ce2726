"""`python -m bench.synth_apps.fan_subscribers RUNTIME`: topics with 2, 5 and 50 subscribers, measured.

Each subscriber has a function of its own behind a queue of its own, and a filter.
"""

import sys
from pathlib import Path
from typing import cast

from aws_cdk import Duration, Stack
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs

from bench.synth_apps.measuring import measure
from serverless_patterns import Defaults, FanOutTopic, Handler

RUNTIME = lambda_.Runtime(sys.argv[1], lambda_.RuntimeFamily.PYTHON)
FUNCTIONS = Path(__file__).resolve().parent.parent / "functions"


def ours(stack: Stack, count: int) -> None:
    Defaults.of(stack).set(alarms="none")  # the peer has none either
    fan = FanOutTopic(stack, "Fan", idempotency_key="order_id")
    for number in range(count):
        handler = Handler(FUNCTIONS, "orders:notify", runtime=RUNTIME)
        fan.add_subscriber(f"Subscriber{number}", handler, filter={"kind": [f"kind-{number}"]})


def plain_l2(stack: Stack, count: int) -> None:
    code = lambda_.Code.from_asset(str(FUNCTIONS), exclude=["**/__pycache__", "**/*.pyc"])
    topic = sns.Topic(stack, "Topic")
    for number in range(count):
        dead = sqs.DeadLetterQueue(queue=_queue(stack, f"Dead{number}"), max_receive_count=5)
        queue = sqs.Queue(
            stack, f"Queue{number}", dead_letter_queue=dead, visibility_timeout=Duration.minutes(3), enforce_ssl=True
        )
        seen = cast(sqs.IQueue, queue)
        topic.add_subscription(
            subscriptions.SqsSubscription(
                seen,
                raw_message_delivery=True,
                dead_letter_queue=_queue(stack, f"Undelivered{number}"),
                filter_policy={"kind": sns.SubscriptionFilter.string_filter(allowlist=[f"kind-{number}"])},
            )
        )
        function = lambda_.Function(
            stack, f"Consumer{number}", code=code, handler="bare_consumer.lambda_handler", runtime=RUNTIME
        )
        function.add_event_source(event_sources.SqsEventSource(seen, max_concurrency=5))


def _queue(stack: Stack, id: str) -> sqs.IQueue:
    return cast(sqs.IQueue, sqs.Queue(stack, id, enforce_ssl=True))


print(measure({"ours": ours, "plain_l2": plain_l2}, {2: 8, 5: 8, 50: 1}, rounds=7))
