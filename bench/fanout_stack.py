"""Two topics with three subscribers each, all writing each order to a table: ours, and the CDK's own constructs."""

import sys
from pathlib import Path
from typing import cast

from aws_cdk import App, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs

from serverless_patterns import Defaults, FanOutTopic, Handler

__all__ = ["FanStack"]

FUNCTIONS = Path(__file__).resolve().parent / "functions"
SUBSCRIBERS = ("Inventory", "Invoicing", "Analytics")
CAP = 5
BATCH = 10


class FanStack(Stack):
    def __init__(self, scope: App, id: str) -> None:
        super().__init__(scope, id)
        Defaults.of(self).set(removal_policy=RemovalPolicy.DESTROY, alarms="none")
        self.topics = {"ours": self._ours(), "plain": self._plain()}
        """By kind: the topic, and a table for each subscriber."""

    def _ours(self) -> tuple[sns.ITopic, list[dynamodb.Table]]:
        fan = FanOutTopic(self, "Ours", idempotency_key="order_id")
        tables = [self._table(f"Ours{name}") for name in SUBSCRIBERS]
        for name, table in zip(SUBSCRIBERS, tables, strict=True):
            fan.add_subscriber(name, Handler(FUNCTIONS, "orders:fulfil", tables={"ORDERS": table}))
        return fan.topic, tables

    def _plain(self) -> tuple[sns.ITopic, list[dynamodb.Table]]:
        topic = sns.Topic(self, "Plain")
        tables = [self._table(f"Plain{name}") for name in SUBSCRIBERS]
        for name, table in zip(SUBSCRIBERS, tables, strict=True):
            queue = sqs.Queue(self, f"Plain{name}Queue", visibility_timeout=Duration.seconds(180))
            seen = cast(sqs.IQueue, queue)
            topic.add_subscription(subscriptions.SqsSubscription(seen, raw_message_delivery=True))
            function = lambda_.Function(
                self,
                f"Plain{name}Consumer",
                code=lambda_.Code.from_asset(str(FUNCTIONS), exclude=["**/__pycache__", "**/*.pyc"]),
                handler="plain_subscriber.lambda_handler",
                runtime=lambda_.Runtime(f"python3.{sys.version_info.minor}", lambda_.RuntimeFamily.PYTHON),
                memory_size=512,
                timeout=Duration.seconds(30),
                environment={"ORDERS": table.table_name},
            )
            table.grant_write_data(function)
            function.add_event_source(
                event_sources.SqsEventSource(
                    seen, batch_size=BATCH, max_concurrency=CAP, report_batch_item_failures=True
                )
            )
        return cast(sns.ITopic, topic), tables

    def _table(self, id: str) -> dynamodb.Table:
        key = dynamodb.Attribute(name="order_id", type=dynamodb.AttributeType.STRING)
        return dynamodb.Table(self, f"{id}Table", partition_key=key, removal_policy=RemovalPolicy.DESTROY)
