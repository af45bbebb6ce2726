"""Log groups: of their own, with an end, and encrypted as the app says."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aws_cdk import ArnFormat, RemovalPolicy, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from .defaults import Settings


def define_log_group(
    scope: Construct, id: str, settings: Settings, key: kms.IKey | None, *, name: str | None = None
) -> logs.LogGroup:
    """A log group that goes when its stack goes."""
    if key is not None:
        _allow_logs(scope, key)
    return logs.LogGroup(
        scope,
        id,
        log_group_name=name,
        retention=settings.log_retention,
        removal_policy=RemovalPolicy.DESTROY,
        encryption_key=key,
    )


def _allow_logs(scope: Construct, key: kms.IKey) -> None:
    """CloudWatch Logs uses a key only where the key's own policy says so, and CDK does not say it."""
    stack = Stack.of(scope)
    arn = stack.format_arn(
        service="logs", resource="log-group", resource_name="*", arn_format=ArnFormat.COLON_RESOURCE_NAME
    )
    allow = iam.PolicyStatement(
        principals=[cast(iam.IPrincipal, iam.ServicePrincipal(f"logs.{stack.region}.amazonaws.com"))],
        actions=["kms:Decrypt", "kms:Describe*", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
        resources=["*"],
        conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": arn}},
    )
    if not key.add_to_resource_policy(allow).statement_added:
        Validations.of(scope).add_warning(
            "serverless-patterns:imported-key",
            f"the policy of the imported key {key.node.path} cannot be changed here: it must let "
            f"logs.<region>.amazonaws.com use the key for this account's log groups, or the deployment fails",
        )
