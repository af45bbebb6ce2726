"""The only place that defines a Lambda function: its role, log group, tracing, layer, code and variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from aws_cdk import RemovalPolicy, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs

from ._acknowledge import acknowledge, acknowledge_in_template
from ._code import function_code, running_python
from ._environment import variables
from ._grants import grant_handler, statement
from ._layer import runtime_layer

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from .defaults import Settings
    from .handler import Handler

_TRACING = ("xray:PutTelemetryRecords", "xray:PutTraceSegments")
_NETWORK = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
)


def define_function(
    scope: Construct,
    id: str,
    handler: Handler,
    *,
    entry_point: str,
    contract: Mapping[str, str],
    settings: Settings,
    encryption_key: kms.IKey | None,
    reserved_concurrent_executions: int | None,
) -> lambda_.Function:
    """Define the function that runs a handler inside a pattern.

    Args:
        scope: The pattern's construct.
        id: Role of the function in it, such as `Consumer`.
        handler: What the user wants to run.
        entry_point: The pattern's `HANDLER`, found in the layer.
        contract: Fields of the pattern's `Env` tuples.
        settings: What holds in the scope.
        encryption_key: Customer key for variables and logs.
        reserved_concurrent_executions: Taken from the account's pool.
    """
    vpc = handler.vpc or settings.vpc
    log_group = _log_group(scope, f"{id}Logs", settings, encryption_key)
    function = lambda_.Function(
        scope,
        id,
        code=function_code(scope, handler),
        handler=entry_point,
        runtime=handler.runtime,
        architecture=handler.architecture,
        memory_size=handler.memory_size,
        timeout=handler.timeout,
        role=_role(scope, f"{id}Role", log_group, tracing=settings.tracing != lambda_.Tracing.DISABLED, network=vpc is not None),
        log_group=log_group,
        environment=variables(handler, contract, scope.node.id, settings.environment),
        environment_encryption=encryption_key,
        layers=[runtime_layer(scope, handler.runtime, running_python(scope, handler)), *settings.layers, *handler.layers],
        vpc=vpc,
        vpc_subnets=handler.vpc_subnets,
        security_groups=list(handler.security_groups) or None,
        reserved_concurrent_executions=reserved_concurrent_executions,
    )
    if settings.tracing != lambda_.Tracing.DISABLED:  # here, because the L2 argument would widen the shared policy
        resource = cast(lambda_.CfnFunction, function.node.default_child)
        mode = "Active" if settings.tracing == lambda_.Tracing.ACTIVE else "PassThrough"
        resource.tracing_config = lambda_.CfnFunction.TracingConfigProperty(mode=mode)
    grant_handler(function, handler)
    for grant in handler.grants:
        grant(function)
    if handler.customize is not None:
        handler.customize(function)
    return function


def _log_group(scope: Construct, id: str, settings: Settings, key: kms.IKey | None) -> logs.LogGroup:
    return logs.LogGroup(
        scope, id, retention=settings.log_retention, removal_policy=RemovalPolicy.DESTROY, encryption_key=key
    )


def _role(scope: Construct, id: str, log_group: logs.LogGroup, *, tracing: bool, network: bool) -> iam.Role:
    statements = [statement(("logs:CreateLogStream", "logs:PutLogEvents"), [log_group.log_group_arn])]
    if tracing:
        statements.append(statement(_TRACING, ["*"]))
    if network:
        statements.append(statement(_NETWORK, ["*"]))
    role = iam.Role(
        scope,
        id,
        assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        inline_policies={"Run": iam.PolicyDocument(statements=statements)},
    )
    if tracing or network:  # on the role's own resource, so that wildcards that others add to its policy are still found
        reason = "X-Ray's writes and a VPC's network interfaces have no resource to name"
        acknowledge(cast(iam.CfnRole, role.node.default_child), reason, "AwsSolutions-IAM5[Resource::*]")
    return role
