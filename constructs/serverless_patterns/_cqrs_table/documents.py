"""A document of a table: what its builder is, and who reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct, IConstruct

from serverless_patterns_runtime.business_function.contract import Env as BusinessFunctionEnv
from serverless_patterns_runtime.cqrs_views.document_contract import (
    DOCUMENT_HANDLER,
    BuildEnv,
    DocumentEnv,
    DocumentTold,
)

from .._acknowledge import acknowledge_wildcard
from .._bundled import running_as
from .._checks import seconds
from .._fits import check_fits
from .._grantee import check_grantee
from .._grants import give
from ..load_leveled_queue import LoadLeveledQueue
from .doors import document_door
from .permissions import allow

if TYPE_CHECKING:
    from aws_cdk import aws_dynamodb as dynamodb
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_s3 as s3

    from .._fan_out_topic.subscriptions import Watch
    from ..handler import Handler
    from .projection import Projection
    from .reading import Readable
    from .route_targets import Door
    from .write_model import WriteModel

BUILD_VARIABLES = (*BusinessFunctionEnv._fields, *DocumentEnv._fields, *BuildEnv._fields)
_CAP = 2
_FITS = "build is told of every source: give them shorter names, or split the document"
_CLAIMS_RETENTION = Duration.days(30)
_BUILDS = ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem")
_READS = ("dynamodb:GetItem",)
_NAMED_LATER = "an object of a document is named by its build"


class CqrsDocument(Construct):
    """A document that is built from views: made by `document`.

    Attributes:
        name: Its own among views, totals and documents.
        queue: A `LoadLeveledQueue`, whose consumer builds it.
        bucket: Where it is kept; `None`: in the control table.
    """

    def __init__(
        self,
        scope: Construct,
        name: str,
        sources: Mapping[str, Readable],
        build: Handler,
        every: Duration,
        bucket: s3.IBucket | None,
        *,
        model: WriteModel,
        projection: Projection,
        key: kms.IKey | None,
        watch: Watch,
    ) -> None:
        super().__init__(scope, f"Document{name}")
        self.name, self.bucket = name, bucket
        self._control = cast("dynamodb.ITable", projection.control_table)
        env = DocumentEnv(
            DOCUMENT=name,
            DOCUMENT_CONTROL_TABLE_NAME=self._control.table_name,
            DOCUMENT_BUCKET_NAME="" if bucket is None else bucket.bucket_name,
        )
        told = BuildEnv(
            BUILD=build.function,
            SOURCES=Stack.of(self).to_json_string({"sources": [sources[each].told() for each in sorted(sources)]}),
        )

        def named() -> list[IConstruct]:
            queues = [self.queue.queue, self.queue.dead_letter_queue]
            return [self._control, *model.own_claims, *queues, *(each.table for each in sources.values())]

        def grant(function: lambda_.Function) -> None:
            check_fits(cast("lambda_.IFunction", function), "sources", _FITS, named)
            for each in sources.values():
                each.grant_all(cast(iam.IGrantable, function))
            self._allow(function, _BUILDS, ["s3:DeleteObject", "s3:PutObject"])

        consumer = running_as(
            build,
            f"{scope.node.id} {name}",
            DOCUMENT_HANDLER,
            services=["dynamodb", *([] if bucket is None else ["s3"])],
            environment={**env._asdict(), **told._asdict()},
            grants=[grant],
        )
        self.queue = LoadLeveledQueue(
            self,
            "Builds",
            consumer=consumer,
            max_concurrency=_CAP,
            claims=model.claims,
            claims_namespace=f"{model.asked.once.namespace}.{name}",
            claims_retention=_CLAIMS_RETENTION,
            encryption_key=key,
            alarms=watch.which,
            alarm_actions=watch.actions,
        )
        described = DocumentTold(queue=self.queue.queue.queue_url, seconds=seconds(every) or 1, sources=sorted(sources))
        projection.add_document(name, described, self.queue.queue)
        self._door = document_door(scope.node.id, name, self._control, bucket, self._grant_door)

    def query(self) -> Door:
        """For a `Route`: `Route("GET /sales", sales.query())`."""
        return self._door

    def grant_read(self, grantee: iam.IGrantable) -> iam.Grant:
        """Allow reading the document: the item `content/<name>` of the control table, and its object."""
        check_grantee(self, "grant_read", grantee)
        return self._read(grantee)

    def _grant_door(self, function: lambda_.Function) -> None:
        self._allow(function, _READS, ["s3:GetObject"])
        if self.bucket is not None:  # without it S3 says of an object that is gone that it is forbidden
            give(function, ["s3:ListBucket"], [self.bucket.bucket_arn])

    def _read(self, grantee: iam.IGrantable) -> iam.Grant:
        found = allow(grantee, _READS, self._control)
        return found if self.bucket is None else found.combine(self.bucket.grant_read(grantee))

    def _allow(self, function: lambda_.Function, actions: Sequence[str], on_objects: Sequence[str]) -> None:
        grantee = cast(iam.IGrantable, function)
        allow(grantee, actions, self._control)
        if self.bucket is None:
            return
        arn = self.bucket.arn_for_objects(f"documents/{self.name}/*")
        give(grantee, on_objects, [arn])
        if self.bucket.encryption_key is not None:
            self.bucket.encryption_key.grant(grantee, "kms:Decrypt", "kms:GenerateDataKey")
        acknowledge_wildcard(cast(iam.Role, function.role).node.find_child("DefaultPolicy"), arn, _NAMED_LATER)
