"""`python -m bench.synth_apps.cqrs_views RUNTIME`: tables with 1, 2 and 20 views, measured.

Each of ours is filled by the projector of all of them; each of the peer's has a function that reads the stream.
"""

import sys
from pathlib import Path
from typing import cast

from aws_cdk import Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources

from bench.synth_apps.measuring import measure
from serverless_patterns import CqrsTable, Defaults, Handler

RUNTIME = lambda_.Runtime(sys.argv[1], lambda_.RuntimeFamily.PYTHON)
FUNCTIONS = Path(__file__).resolve().parent.parent / "functions"
TEXT = dynamodb.AttributeType.STRING


def ours(stack: Stack, count: int) -> None:
    Defaults.of(stack).set(alarms="none")  # the peer has none either
    orders = CqrsTable(stack, "Orders", key="order_id", decide=Handler(FUNCTIONS, "views:decide", runtime=RUNTIME))
    for number in range(count):
        project = Handler(FUNCTIONS, "views:by_customer", runtime=RUNTIME)
        orders.view(f"View{number}", project=project, partition_key="customer_id", sort_key="order_id")


def plain_l2(stack: Stack, count: int) -> None:
    code = lambda_.Code.from_asset(str(FUNCTIONS), exclude=["**/__pycache__", "**/*.pyc"])
    orders = dynamodb.Table(
        stack,
        "Orders",
        partition_key=dynamodb.Attribute(name="order_id", type=TEXT),
        stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
    )
    for number in range(count):
        view = dynamodb.Table(
            stack,
            f"View{number}",
            partition_key=dynamodb.Attribute(name="customer_id", type=TEXT),
            sort_key=dynamodb.Attribute(name="order_id", type=TEXT),
        )
        function = lambda_.Function(
            stack, f"Projector{number}", code=code, handler="bare_consumer.lambda_handler", runtime=RUNTIME
        )
        view.grant_write_data(function)
        function.add_event_source(
            event_sources.DynamoEventSource(
                cast(dynamodb.ITable, orders), starting_position=lambda_.StartingPosition.TRIM_HORIZON
            )
        )


print(measure({"ours": ours, "plain_l2": plain_l2}, {1: 12, 2: 12, 20: 2}, rounds=7))
