"""`python plain_l2.py OUT RUNTIME LAYER`: what the construct defines, written out in the CDK's own constructs."""

import sys
from pathlib import Path

from aws_cdk import App, Duration, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs

RUNTIME = lambda_.Runtime(sys.argv[2], lambda_.RuntimeFamily.PYTHON)
FUNCTIONS = Path(__file__).resolve().parent.parent / "functions"

app = App(outdir=sys.argv[1])
stack = Stack(app, "Orders")

dead_letters = sqs.Queue(
    stack,
    "DeadLetters",
    retention_period=Duration.days(14),
    encryption=sqs.QueueEncryption.SQS_MANAGED,
    enforce_ssl=True,
    removal_policy=RemovalPolicy.RETAIN,
    redrive_allow_policy=sqs.RedriveAllowPolicy(redrive_permission=sqs.RedrivePermission.ALLOW_ALL),
)
queue = sqs.Queue(
    stack,
    "Queue",
    queue_name="Orders-Fulfilment",
    visibility_timeout=Duration.seconds(180),
    retention_period=Duration.days(4),
    encryption=sqs.QueueEncryption.SQS_MANAGED,
    enforce_ssl=True,
    dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=5),
)
claims = dynamodb.Table(
    stack,
    "Claims",
    partition_key=dynamodb.Attribute(name="claim", type=dynamodb.AttributeType.STRING),
    billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
    time_to_live_attribute="expires_at",
    point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(point_in_time_recovery_enabled=True),
    deletion_protection=True,
)
log_group = logs.LogGroup(stack, "Logs", retention=logs.RetentionDays.ONE_MONTH, removal_policy=RemovalPolicy.DESTROY)
run = [
    iam.PolicyStatement(actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_group.log_group_arn]),
    iam.PolicyStatement(actions=["xray:PutTelemetryRecords", "xray:PutTraceSegments"], resources=["*"]),
]
role = iam.Role(
    stack,
    "Role",
    assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
    inline_policies={"Run": iam.PolicyDocument(statements=run)},
)
consumer = lambda_.Function(
    stack,
    "Consumer",
    code=lambda_.Code.from_asset(str(FUNCTIONS), exclude=["**/__pycache__", "**/*.pyc"]),
    handler="serverless_patterns_runtime.load_leveled_queue.handler.lambda_handler",
    runtime=RUNTIME,
    architecture=lambda_.Architecture.ARM_64,
    memory_size=512,
    timeout=Duration.seconds(30),
    role=role,
    log_group=log_group,
    layers=[
        lambda_.LayerVersion(
            stack,
            "Layer",
            code=lambda_.Code.from_asset(sys.argv[3]),
            compatible_runtimes=[RUNTIME],
        )
    ],
    environment={
        "POWERTOOLS_SERVICE_NAME": "Fulfilment",
        "POWERTOOLS_METRICS_NAMESPACE": "ServerlessPatterns",
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "BUSINESS_FUNCTION": "orders:notify",
        "CLAIMS_TABLE_NAME": claims.table_name,
        "QUEUE_URL": queue.queue_url,
        "DEAD_LETTER_QUEUE_URL": dead_letters.queue_url,
    },
)
dead_letters.grant_send_messages(consumer)
queue.grant_consume_messages(consumer)
claims.grant(consumer, "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:PartiQLDelete")
lambda_.EventSourceMapping(
    stack,
    "Mapping",
    target=consumer,
    event_source_arn=queue.queue_arn,
    batch_size=10,
    max_concurrency=5,
    report_batch_item_failures=True,
)
alarms = {
    "OldestMessage": (queue.metric_approximate_age_of_oldest_message(), 3600),
    "DeadLetters": (dead_letters.metric_approximate_number_of_messages_visible(), 1),
    "DeadLettersExpire": (dead_letters.metric_approximate_age_of_oldest_message(), 432_000),
    "Errors": (consumer.metric_errors(), 1),
    "Throttles": (consumer.metric_throttles(), 1),
}
for name, (metric, threshold) in alarms.items():
    cloudwatch.Alarm(
        stack,
        f"{name}Alarm",
        metric=metric,
        threshold=threshold,
        evaluation_periods=1,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
app.synth()
