"""The only place that defines a Lambda function: its role, log group, tracing, layer, code and variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from aws_cdk import Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from serverless_patterns_runtime.business_function.contract import Env

from ._acknowledge import acknowledge, acknowledge_in_template
from ._asked_by_name import check_names
from ._bundled import services_of
from ._code import function_code, running_python
from ._environment import variables
from ._fits import check_grants_fit
from ._grants import grant_handler, statement
from ._layer import runtime_layer
from ._logs import define_log_group
from ._told import remember

if TYPE_CHECKING:
    from aws_cdk import Duration
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_logs as logs
    from constructs import Construct

    from .defaults import Settings
    from .handler import Handler

_UNDELIVERED = "invoked synchronously: what fails returns to its caller, not to a queue of the function's own"
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
    timeout: Duration,
    settings: Settings,
    encryption_key: kms.IKey | None,
    reserved_concurrent_executions: int | None,
    required_endpoints: tuple[str, ...],
    beside_code: Mapping[str, str] = {},
    undelivered: str = _UNDELIVERED,
) -> lambda_.Function:
    """Define the function that runs a handler inside a pattern.

    Args:
        scope: The pattern's construct.
        id: Role of the function in it, such as `Consumer`.
        handler: What the user wants to run.
        entry_point: The pattern's `HANDLER`, found in the layer.
        contract: Fields of the pattern's `Env` tuples.
        timeout: The handler's own, else the pattern's default.
        settings: What holds in the scope.
        encryption_key: Customer key for variables and logs.
        reserved_concurrent_executions: Taken from the account's pool.
        required_endpoints: Services that it must reach.
        beside_code: Texts by file name, put beside the code.
        undelivered: What becomes of events that it cannot handle, without a dead-letter queue of its own.
    """
    vpc = handler.vpc or settings.vpc
    traced = settings.tracing != lambda_.Tracing.DISABLED
    log_group = define_log_group(scope, f"{id}Logs", settings, encryption_key)
    told = variables(handler, contract, scope.node.id, settings.environment)
    function = lambda_.Function(
        scope,
        id,
        code=function_code(scope, handler, beside_code),
        handler=entry_point,
        runtime=handler.runtime,
        architecture=handler.architecture,
        memory_size=handler.memory_size,
        timeout=timeout,
        role=cast(iam.IRole, _role(scope, f"{id}Role", log_group, tracing=traced, network=vpc is not None)),
        log_group=log_group,
        environment=told,
        environment_encryption=encryption_key,
        layers=[
            runtime_layer(scope, handler.runtime, running_python(scope, handler)),
            *settings.layers,
            *handler.layers,
        ],
        vpc=vpc,
        vpc_subnets=handler.vpc_subnets,
        security_groups=list(handler.security_groups) or None,
        reserved_concurrent_executions=reserved_concurrent_executions,
    )
    remember(function, told)
    resource = cast(lambda_.CfnFunction, function.node.default_child)
    if traced:  # here, because the L2 argument would widen the shared policy
        mode = "Active" if settings.tracing == lambda_.Tracing.ACTIVE else "PassThrough"
        resource.tracing_config = lambda_.CfnFunction.TracingConfigProperty(mode=mode)
    if encryption_key is not None:
        encryption_key.grant(function, "kms:Decrypt")
    if vpc is not None and required_endpoints:
        Validations.of(function).add_warning(
            "serverless-patterns:vpc-endpoints",
            f"{handler} runs in a VPC: give its subnets a route to {', '.join(required_endpoints)} (endpoints or NAT)",
        )
    acknowledge(function, undelivered, "Serverless-LambdaDLQ")
    acknowledge_in_template(
        resource, checkov={"CKV_AWS_116": undelivered}, cfn_lint=["W3005"]
    )  # W3005: CDK's own DependsOn
    grant_handler(function, handler)
    for grant in handler.grants:
        grant(function)
    if handler.customize is not None:
        handler.customize(function)
    check_names(function, handler)
    check_grants_fit(function)
    return function


def business_function_env(handler: Handler) -> dict[str, str]:
    """What the runtime is told of a business function."""
    return Env(
        BUSINESS_FUNCTION=handler.function,
        RETURNS_EFFECTS="true" if handler.returns_effects else "false",
        TABLES=",".join(sorted(handler.tables)),
    )._asdict()


def endpoints(handler: Handler, *services: str) -> tuple[str, ...]:
    """The services that a handler's function must reach: those of the pattern and its own."""
    own = {"secretsmanager": handler.secrets, "ssm": handler.parameters, "dynamodb": handler.tables}
    return tuple(sorted({*services, *services_of(handler), *(service for service, used in own.items() if used)}))


def provisioned(scope: Construct, id: str, function: lambda_.Function, handler: Handler) -> lambda_.IFunction:
    """What is to be invoked: the function, or its alias when a number of environments is kept warm."""
    if handler.provisioned_concurrent_executions is None:
        return cast(lambda_.IFunction, function)
    alias = lambda_.Alias(
        scope,
        id,
        alias_name="live",
        version=cast(lambda_.IVersion, function.current_version),
        provisioned_concurrent_executions=handler.provisioned_concurrent_executions,
    )
    return cast(lambda_.IFunction, alias)


def _role(scope: Construct, id: str, log_group: logs.LogGroup, *, tracing: bool, network: bool) -> iam.Role:
    statements = [statement(("logs:CreateLogStream", "logs:PutLogEvents"), [log_group.log_group_arn])]
    if tracing:
        statements.append(statement(_TRACING, ["*"]))
    if network:
        statements.append(statement(_NETWORK, ["*"]))
    role = iam.Role(
        scope,
        id,
        assumed_by=cast(iam.IPrincipal, iam.ServicePrincipal("lambda.amazonaws.com")),
        inline_policies={"Run": iam.PolicyDocument(statements=statements)},
    )
    if (
        tracing or network
    ):  # on the role's own resource, so that wildcards that others add to its policy are still found
        reason = "X-Ray's writes and a VPC's network interfaces have no resource to name"
        resource = cast(iam.CfnRole, role.node.default_child)
        acknowledge(resource, reason, "AwsSolutions-IAM5[Resource::*]", "Serverless-LambdaStarPermissions")
        acknowledge_in_template(resource, checkov={"CKV_AWS_111": reason})
    return role
