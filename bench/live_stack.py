"""Three queues whose consumers write each order to a table: by hand, with effects, with leases."""

import sys
from pathlib import Path

from aws_cdk import App, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sqs as sqs

from serverless_patterns import Defaults, Handler, LoadLeveledQueue

__all__ = ["DrainStack"]

FUNCTIONS = Path(__file__).resolve().parent / "functions"
CAP = 5
BATCH = 10


class DrainStack(Stack):
    def __init__(self, scope: App, id: str) -> None:
        super().__init__(scope, id)
        Defaults.of(self).set(removal_policy=RemovalPolicy.DESTROY, alarms="none")
        key = dynamodb.Attribute(name="order_id", type=dynamodb.AttributeType.STRING)
        self.orders = dynamodb.Table(self, "OrdersTable", partition_key=key, removal_policy=RemovalPolicy.DESTROY)
        effects, leased = self._ours("Effects", "orders:fulfil"), self._ours("Leased", "own_write:store")
        self.queues = {"bare": self._bare(), "effects": effects.queue, "leased": leased.queue}

    def _ours(self, id: str, function: str) -> LoadLeveledQueue:
        consumer = Handler(FUNCTIONS, function, tables={"ORDERS": self.orders})
        return LoadLeveledQueue(
            self, id, consumer=consumer, max_concurrency=CAP, batch_size=BATCH, idempotency_key="order_id"
        )

    def _bare(self) -> sqs.Queue:
        queue = sqs.Queue(self, "BareQueue", visibility_timeout=Duration.seconds(180))
        function = lambda_.Function(
            self,
            "BareConsumer",
            code=lambda_.Code.from_asset(str(FUNCTIONS), exclude=["**/__pycache__", "**/*.pyc"]),
            handler="bare_consumer.lambda_handler",
            runtime=lambda_.Runtime(f"python3.{sys.version_info.minor}", lambda_.RuntimeFamily.PYTHON),
            memory_size=512,
            timeout=Duration.seconds(30),
            environment={"ORDERS": self.orders.table_name},
        )
        self.orders.grant_write_data(function)
        function.add_event_source(
            event_sources.SqsEventSource(queue, batch_size=BATCH, max_concurrency=CAP, report_batch_item_failures=True)
        )
        return queue
