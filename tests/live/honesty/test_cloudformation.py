"""What reaches the emulator through a deployed template, and what it drops on the way."""

import json
from collections.abc import Generator
from pathlib import Path

import pytest
from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs

from serverless_patterns.testing import Deployment, EmbeddedCloud, wait_until


class Sample(Stack):
    def __init__(self, scope, id: str) -> None:
        super().__init__(scope, id)
        self.dead = sqs.Queue(self, "Dead", redrive_allow_policy=sqs.RedriveAllowPolicy())
        redrive = sqs.DeadLetterQueue(queue=self.dead, max_receive_count=4)
        self.queue = sqs.Queue(self, "Queue", visibility_timeout=Duration.seconds(60), dead_letter_queue=redrive)
        self.log_group = logs.LogGroup(self, "Log", removal_policy=RemovalPolicy.DESTROY)
        self.function = lambda_.Function(
            self,
            "Function",
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="index.handler",
            code=lambda_.Code.from_inline("def handler(event, context): print('called')"),
            reserved_concurrent_executions=7,
            log_group=self.log_group,
        )
        source = sources.SqsEventSource(self.queue, max_concurrency=5, report_batch_item_failures=True, batch_size=3)
        self.function.add_event_source(source)
        self.table = dynamodb.TableV2(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING),
            time_to_live_attribute="expires_at",
            removal_policy=RemovalPolicy.DESTROY,
        )
        depth = self.queue.metric_approximate_number_of_messages_visible()
        self.alarm = cloudwatch.Alarm(self, "Alarm", metric=depth, threshold=1, evaluation_periods=1)


@pytest.fixture(scope="module")
def deployed(cloud: EmbeddedCloud, tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[Sample, Deployment]]:
    app = cloud.app(Path(tmp_path_factory.mktemp("sample")) / "cdk.out")
    stack = Sample(app, "Honesty")
    with cloud.deploy(app) as deployment:
        yield stack, deployment


@pytest.fixture
def stack(deployed) -> Sample:
    return deployed[0]


@pytest.fixture
def named(deployed):
    return deployed[1].physical_id


def test_queue_attributes_arrive(cloud, stack, named) -> None:
    client = cloud.client("sqs")
    attributes = client.get_queue_attributes(QueueUrl=named(stack.queue), AttributeNames=["All"])["Attributes"]
    assert attributes["VisibilityTimeout"] == "60"
    assert json.loads(attributes["RedrivePolicy"])["maxReceiveCount"] in (4, "4")
    dead = client.get_queue_attributes(QueueUrl=named(stack.dead), AttributeNames=["All"])["Attributes"]
    assert json.loads(dead["RedriveAllowPolicy"]) == {"redrivePermission": "allowAll"}


def test_the_cap_and_partial_batches_arrive(cloud, stack, named) -> None:
    listed = cloud.client("lambda").list_event_source_mappings(FunctionName=named(stack.function))
    (mapping,) = listed["EventSourceMappings"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 5}
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BatchSize"] == 3


def test_logs_go_to_the_log_group_of_the_function(cloud, stack, named) -> None:
    cloud.client("lambda").invoke(FunctionName=named(stack.function))
    assert "called" in cloud.logs(named(stack.function))
    events = cloud.client("logs").filter_log_events(logGroupName=named(stack.log_group))["events"]
    assert "called" in [event["message"] for event in events]


def test_metrics_of_invocations_are_counted(cloud, stack, named) -> None:
    from datetime import UTC, datetime, timedelta

    cloud.client("lambda").invoke(FunctionName=named(stack.function))

    def invocations() -> float:
        points = cloud.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName="Invocations",
            Dimensions=[{"Name": "FunctionName", "Value": named(stack.function)}],
            StartTime=datetime.now(UTC) - timedelta(minutes=5),
            EndTime=datetime.now(UTC) + timedelta(minutes=1),
            Period=600,
            Statistics=["Sum"],
        )["Datapoints"]
        return sum(point["Sum"] for point in points)

    wait_until(lambda: invocations() >= 1, 10, "the metric")


@pytest.mark.xfail(
    strict=True, raises=KeyError, reason="the emulator drops reserved concurrency that comes by CloudFormation"
)
def test_reserved_concurrency_arrives(cloud, stack, named) -> None:
    answer = cloud.client("lambda").get_function_concurrency(FunctionName=named(stack.function))
    assert answer["ReservedConcurrentExecutions"] == 7


@pytest.mark.xfail(
    strict=True, raises=AssertionError, reason="the emulator drops time to live that comes by CloudFormation"
)
def test_time_to_live_arrives(cloud, stack, named) -> None:
    answer = cloud.client("dynamodb").describe_time_to_live(TableName=named(stack.table))
    assert answer["TimeToLiveDescription"]["TimeToLiveStatus"] in ("ENABLED", "ENABLING")


@pytest.mark.xfail(
    strict=True,
    raises=TimeoutError,
    reason="the emulator evaluates alarms only when a metric is put, and puts none for SQS",
)
def test_an_alarm_on_depth_fires(cloud, stack, named) -> None:
    alarm = named(stack.alarm)
    client = cloud.client("sqs")
    client.send_message(QueueUrl=named(stack.queue), MessageBody="work", DelaySeconds=900)

    def in_alarm() -> bool:
        (state,) = cloud.client("cloudwatch").describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
        return state["StateValue"] == "ALARM"

    wait_until(in_alarm, 1, "the alarm")
