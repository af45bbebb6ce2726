"""Somebody else's CDK app: it has the wheel, a function of its own, and a queue and a function that others made."""

from pathlib import Path

from aws_cdk import App, CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs

from serverless_patterns import Defaults, Handler, LoadLeveledQueue

HERE = Path(__file__).parent

INLINE = """
import json, os, boto3
def handler(event, context):
    table = boto3.resource("dynamodb").Table(os.environ["TABLE_NAME"])
    for record in event["Records"]:
        table.put_item(Item={"id": json.loads(record["body"])["id"], "by": "imported function"})
    return {"batchItemFailures": []}
"""


class Others(Stack):
    """What somebody else deployed long ago."""

    def __init__(self, scope: App, id: str) -> None:
        super().__init__(scope, id)
        key = dynamodb.Attribute(name="id", type=dynamodb.AttributeType.STRING)
        self.table = dynamodb.TableV2(
            self, "Table", table_name="outside-table", partition_key=key, removal_policy=RemovalPolicy.DESTROY
        )
        dead_letters = sqs.DeadLetterQueue(
            queue=sqs.Queue(self, "DeadLetters", queue_name="outside-dead-letters", retention_period=Duration.days(14)),
            max_receive_count=5,
        )
        sqs.Queue(
            self,
            "Queue",
            queue_name="outside-queue",
            visibility_timeout=Duration.seconds(60),
            dead_letter_queue=dead_letters,
        )
        role = iam.Role(self, "Role", role_name="outside-role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        lambda_.Function(
            self,
            "Function",
            function_name="outside-function",
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="index.handler",
            code=lambda_.Code.from_inline(INLINE),
            role=role,
            timeout=Duration.seconds(10),
            environment={"TABLE_NAME": self.table.table_name},
        )
        self.table.grant_read_write_data(role)


class Outside(Stack):
    def __init__(self, scope: App, id: str) -> None:
        super().__init__(scope, id)
        Defaults.of(self).set(removal_policy=RemovalPolicy.DESTROY, alarms="none")
        table = dynamodb.TableV2.from_table_name(self, "Table", "outside-table")
        own = LoadLeveledQueue(
            self,
            "Own",
            max_concurrency=2,
            idempotency_key="id",
            consumer=Handler(
                HERE / "handlers", "sorting:sort", tables={"SORTED": table}, requirements=HERE / "requirements.txt"
            ),
        )
        LoadLeveledQueue(
            self,
            "Imported",
            max_concurrency=2,
            queue=sqs.Queue.from_queue_arn(self, "Queue", self._arn("sqs", "outside-queue")),
            queue_visibility_timeout=Duration.seconds(60),
            dead_letter_queue=sqs.Queue.from_queue_arn(self, "DeadLetters", self._arn("sqs", "outside-dead-letters")),
            consumer=lambda_.Function.from_function_attributes(
                self,
                "Function",
                function_arn=self._arn("lambda", "function:outside-function"),
                role=iam.Role.from_role_name(self, "Role", "outside-role"),
                same_environment=True,
            ),
            consumer_timeout=Duration.seconds(10),
            report_batch_item_failures=True,
        )
        CfnOutput(self, "OwnQueueUrl", value=own.queue.queue_url)

    def _arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"


app = App()
others = Others(app, "Others")
Outside(app, "Outside").add_stack_dependency(others)
app.synth()
