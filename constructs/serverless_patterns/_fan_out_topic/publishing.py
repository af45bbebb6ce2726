"""What publishers may do and are told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from serverless_patterns_runtime.fan_out_topic.contract import CLAIM_CHECK, ClaimCheckEnv, Publishing

from .._bundled import BundledHandler
from .._told import tell, tell_asked
from .buckets import grant_objects

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_lambda as lambda_
    from aws_cdk import aws_s3 as s3
    from aws_cdk import aws_sns as sns

_TOPIC_KEY = ("kms:Decrypt", "kms:GenerateDataKey")
VARIABLES = ClaimCheckEnv._fields


@dataclass(frozen=True, eq=False, kw_only=True)
class Publisher:
    """The topic, as those who publish see it."""

    topic: sns.ITopic
    topic_key: kms.IKey | None
    idempotency_key: str | None
    attributes: Mapping[str, str]
    payloads: s3.IBucket | None
    keep: Sequence[str]

    def grant(self, grantee: iam.IGrantable) -> iam.Grant:
        """Publish, under the topic's customer key, and leave large payloads in their bucket."""
        if self.topic_key is not None:
            self.topic_key.grant(grantee, *_TOPIC_KEY)
        if self.payloads is not None:
            grant_objects(grantee, self.payloads, f"{CLAIM_CHECK}/*", ["s3:PutObject"])
        return iam.Grant.add_to_principal_or_resource(
            grantee=grantee, actions=["sns:Publish"], resource_arns=[self.topic.topic_arn], resource=self.topic
        )

    def told(self) -> Publishing:
        """As `publish` reads it."""
        return Publishing(
            topic_arn=self.topic.topic_arn,
            fifo=self.topic.fifo,
            key=self.idempotency_key or "",
            attributes=dict(sorted(self.attributes.items())),
            claim_check_bucket="" if self.payloads is None else self.payloads.bucket_name,
            claim_check_keep=[*self.keep],
        )

    def as_grant(self, name: str) -> Callable[[lambda_.Function], object]:
        """For `Handler(grants=[...])`: the permission, and the variable that `publish` is given the name of."""

        def grant(function: lambda_.Function) -> None:
            self.grant(cast(iam.IGrantable, function))
            tell_asked(function, "topic", name, Stack.of(function).to_json_string(self.told()))

        return grant

    def open_payloads(self, function: lambda_.IFunction) -> None:
        """Let a consumer open what waits in the bucket."""
        if self.payloads is not None:
            tell(function, ClaimCheckEnv(CLAIM_CHECK_BUCKET=self.payloads.bucket_name)._asdict())
            grant_objects(cast(iam.IGrantable, function), self.payloads, f"{CLAIM_CHECK}/*", ["s3:GetObject"])


def publisher_handler(id: str, entry: str, variable: str, publisher: Publisher) -> BundledHandler:
    """Publishes what a route takes."""
    services = ["sns", *([] if publisher.payloads is None else ["s3"])]
    return BundledHandler(
        f"{id} publisher", entry, services=services, own_keys=True, grants=[publisher.as_grant(variable)]
    )
