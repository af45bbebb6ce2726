"""Each upload is looked at by three functions beside each other, and is in the catalogue when all of them are done."""

from collections.abc import Callable
from pathlib import Path

from aws_cdk import Acknowledgment, CfnOutput, Duration, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct
from stacks.deciding import acknowledge
from stacks.fan_out_outputs import outputs_of
from stacks.keeping import kept_table
from stacks.on_call import notify_on_call

from serverless_patterns import FanIn, FanOutTopic, Handler

HERE = Path(__file__).parent
CODE, LOCK = HERE / "handlers", HERE / "requirements.lock"
INBOX = "uploads/"
BRANCHES = ("Thumbnail", "Metadata", "Scan")
# Long enough for the tries of an outage of minutes; an image that is broken waits so long for its row.
DEADLINE = Duration.minutes(20)

AGAINST = {
    "AWS::DynamoDB::Table": {
        "CKV_AWS_119": "claims hold ids, digests, small results; the key AWS owns is free (Defaults: encryption_key)",
    },
    "AWS::Logs::LogGroup": {
        "CKV_AWS_158": "log lines hold ids and outcomes, never an image (Defaults: encryption_key)",
    },
    "AWS::Lambda::Function": {
        "CKV_AWS_115": "its queue caps it; reserving takes from the account's pool (reserved_concurrent_executions)",
        "CKV_AWS_117": "it calls AWS alone; a VPC would add endpoints and their price (Defaults: vpc)",
        "CKV_AWS_173": "its variables are names of resources, no secrets (Defaults: encryption_key)",
    },
    "AWS::SNS::Topic": {
        "CKV_AWS_26": "alarms and events tell names and sizes; the key that AWS manages takes neither (encryption_key)",
    },
    "AWS::S3::Bucket": {
        "CKV_AWS_18": "functions of the app alone read and write; logs of that are a bucket more, and its price",
    },
}
"""Checkov's checks by resource type."""

AGAINST_IN_TREE = {
    "AWS::S3::Bucket": {"AwsSolutions-S1": "functions of the app alone read and write (server_access_logs_bucket)"},
}
"""cdk-nag's rules by resource type."""


class Media(Stack):
    """A bucket for uploads, one for thumbnails, and a catalogue with one row for each upload."""

    def __init__(self, scope: Construct, id: str, *, deadline: Duration = DEADLINE) -> None:
        super().__init__(scope, id, description="Media: app of cdk-serverless-patterns that takes in images")
        notify_on_call(self, "Media: on call")
        uploads, thumbnails = _bucket(self, "Uploads"), _bucket(self, "Thumbnails")
        catalogue = kept_table(self, "Catalogue", "image")
        done = Handler(CODE, "cataloguing:catalogue", tables={"CATALOGUE": catalogue})
        self.uploaded = FanOutTopic(
            self,
            "Uploaded",
            idempotency_key="detail.object.sequencer",  # the upload's: whoever is told of it twice takes both for one
            fan_in=FanIn(on_complete=done, deadline=deadline, max_concurrency=2),
        )
        self.uploaded.publish_from(uploads, prefix=INBOX)
        reads = {"environment": {"UPLOADS": uploads.bucket_name}, "grants": [_may("s3:GetObject", uploads, INBOX)]}
        writes = {
            "environment": reads["environment"] | {"THUMBNAILS": thumbnails.bucket_name},
            "grants": [*reads["grants"], _may("s3:PutObject", thumbnails, "thumbnails/")],
        }
        functions = {
            "Thumbnail": Handler(CODE, "thumbnails:thumbnail", requirements=LOCK, memory_size=1024, **writes),
            "Metadata": Handler(CODE, "metadata:metadata", requirements=LOCK, memory_size=1024, **reads),
            "Scan": Handler(CODE, "scanning:scan", requirements=LOCK, memory_size=512, **reads),
        }
        for name, function in functions.items():
            self.uploaded.add_subscriber(name, function, max_concurrency=2)
        outputs = {
            "UploadsBucket": uploads.bucket_name,
            "ThumbnailsBucket": thumbnails.bucket_name,
            "CatalogueTable": catalogue.table_name,
            "Topic": self.uploaded.topic.topic_arn,
            **dict(outputs_of(self.uploaded, BRANCHES)),
        }
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)
        acknowledge(self, AGAINST, AGAINST_IN_TREE)


def _bucket(scope: Construct, id: str) -> s3.Bucket:
    return s3.Bucket(
        scope,
        id,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        encryption=s3.BucketEncryption.S3_MANAGED,
        enforce_ssl=True,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        versioned=True,
    )


def _may(action: str, bucket: s3.Bucket, prefix: str) -> Callable[[lambda_.Function], None]:
    """One action on the objects below a prefix, whose names nobody knows before."""

    def grant(function: lambda_.Function) -> None:
        arn = bucket.arn_for_objects(f"{prefix}*")
        function.add_to_role_policy(iam.PolicyStatement(actions=[action], resources=[arn]))
        assert function.role
        rule = (
            f"AwsSolutions-IAM5[Resource::<{Stack.of(bucket).get_logical_id(bucket.node.default_child)}.Arn>/{prefix}*]"
        )
        reason = f"the objects below {prefix}, whose names nobody knows before"
        Validations.of(function.role.node.find_child("DefaultPolicy")).acknowledge(
            Acknowledgment(id=rule, reason=reason)
        )

    return grant
