"""The REST API and its one stage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from aws_cdk import Names
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_wafv2 as wafv2

from .._acknowledge import acknowledge
from .access_logs import arn, define_access_logs, destination, line
from .gateway_errors import define_gateway_errors

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from aws_cdk import aws_logs as logs
    from constructs import Construct

    from ..defaults import Settings
    from ..throttle import Throttle

_MAX_NAME = 255
# TLS 1.2 and 1.3. Older versions are what API Gateway takes on its own addresses unless it is told otherwise.
_SECURITY_POLICY, _ACCESS_MODE = "SecurityPolicy_TLS13_1_2_PQ_2025_09", "BASIC"
# An authorizer that changes needs a new deployment; without this flag it would not get one.
_FLAG = "@aws-cdk/aws-apigateway:authorizerChangeDeploymentLogicalId"


@dataclass(frozen=True)
class Gateway:
    """The API of a construct, and its stage."""

    rest_api: apigateway.RestApiBase
    stage: apigateway.StageBase
    stage_name: str
    """As it is written, not as a reference: the permission of a function need not wait for the stage."""

    access_log_group: logs.LogGroup | None
    routed: apigateway.RestApiBase
    """What routes are put on: the same API."""

    @property
    def owned(self) -> bool:
        """Whether all of it is the construct's own."""
        return True

    def resource(self, scope: Construct, parts: Sequence[str]) -> apigateway.IResource | None:
        """What the API has at a path already; `None`: nothing that can be seen."""
        del scope, parts
        return None

    def deploy(
        self, scope: Construct, methods: Sequence[apigateway.Method], authorizers: Iterable[apigateway.IAuthorizer]
    ) -> None:
        """Let the stage have the methods. An API of our own does so by itself."""


def define_gateway(
    scope: Construct,
    *,
    stage_name: str,
    throttle: Throttle,
    method_options: Mapping[str, apigateway.MethodDeploymentOptions],
    binary_media_types: Sequence[str],
    access_logs: bool,
    error_headers: Mapping[str, str],
    challenges: str | None,
    settings: Settings,
    key: kms.IKey | None,
) -> Gateway:
    """Define the API, regional, with its stage, its access logs, and no method as yet.

    Args:
        scope: The API's construct.
        stage_name: First part of every path.
        throttle: Of every method that has none of its own.
        method_options: Throttles of single methods.
        binary_media_types: Whose bodies are passed on as they are.
        access_logs: Whether there are any.
        error_headers: Of the errors that the gateway itself answers: quoted constants by name.
        challenges: What a 401 of them says would be taken; `None`: it answers none.
        settings: What holds in the scope.
        key: Customer key for them.
    """
    follow_authorizers(scope)
    log_group = define_access_logs(scope, settings, key) if access_logs else None
    rest_api = apigateway.RestApi(
        scope,
        "RestApi",
        rest_api_name=Names.unique_resource_name(scope, separator="-", max_length=_MAX_NAME),  # a dimension of metrics
        endpoint_configuration=apigateway.EndpointConfiguration(types=[apigateway.EndpointType.REGIONAL]),
        cloud_watch_role=False,  # one for the whole account: nothing that an API may set
        binary_media_types=[*binary_media_types] or None,
        deploy_options=apigateway.StageOptions(
            stage_name=stage_name,
            throttling_rate_limit=throttle.rate,
            throttling_burst_limit=throttle.burst,
            method_options=method_options or None,
            tracing_enabled=settings.tracing == lambda_.Tracing.ACTIVE,
            access_log_destination=None if log_group is None else destination(log_group),
            access_log_format=None if log_group is None else line(),
        ),
    )
    rest_api.node.try_remove_child("Endpoint")  # an output that nobody asked for
    resource = cast(apigateway.CfnRestApi, rest_api.node.default_child)
    resource.security_policy, resource.endpoint_access_mode = _SECURITY_POLICY, _ACCESS_MODE
    if log_group is not None:
        # The CDK appends `:*` to the name, except where an app asks by a flag, in newer versions.
        stage = cast(apigateway.CfnStage, rest_api.deployment_stage.node.default_child)
        stage.add_property_override("AccessLogSetting.DestinationArn", arn(log_group))
        reason = "the access log has a line for every request; an execution log repeats its headers, and never ends"
        acknowledge(rest_api.deployment_stage, reason, "AwsSolutions-APIG6")
    define_gateway_errors(scope, rest_api, error_headers, challenges)
    return Gateway(rest_api, rest_api.deployment_stage, stage_name, log_group, rest_api)


def follow_authorizers(scope: Construct) -> None:
    """Let a deployment follow changes of the authorizers that will be defined below."""
    scope.node.set_context(_FLAG, True)


def protect(scope: Construct, stage: apigateway.StageBase, web_acl: str) -> None:
    """Let a web ACL look at every request first."""
    wafv2.CfnWebACLAssociation(scope, "WebAcl", resource_arn=stage.stage_arn, web_acl_arn=web_acl)


def acknowledge_bytes(rest_api: apigateway.RestApiBase) -> None:
    """Say that functions validate."""
    reason = "every body is passed on as bytes, which the gateway cannot validate: the functions do"
    acknowledge(rest_api, reason, "AwsSolutions-APIG2")


def acknowledge_no_bodies(rest_api: apigateway.RestApiBase) -> None:
    """Say that there is nothing to validate."""
    reason = "no route has a body or declares a query string: there is nothing that the gateway could validate"
    acknowledge(rest_api, reason, "AwsSolutions-APIG2")
