"""Access logs: one JSON line a request, without its headers, its query string, its body and its path's parameters."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_logs as logs

from .._logs import define_log_group

if TYPE_CHECKING:
    from aws_cdk import aws_kms as kms
    from constructs import Construct

    from ..defaults import Settings

_FIELDS = {
    "request_id": "$context.requestId",
    "extended_request_id": "$context.extendedRequestId",
    "time": "$context.requestTime",
    "method": "$context.httpMethod",
    "resource": "$context.resourcePath",
    "protocol": "$context.protocol",
    "status": "$context.status",
    "response_length": "$context.responseLength",
    "response_latency": "$context.responseLatency",
    "integration_status": "$context.integration.status",
    "integration_latency": "$context.integrationLatency",
    "authorizer_status": "$context.authorizer.status",
    "authorizer_latency": "$context.authorizer.latency",
    "error_type": "$context.error.responseType",
    "waf_status": "$context.waf.status",
    "source_ip": "$context.identity.sourceIp",
    "api_key_id": "$context.identity.apiKeyId",
    "trace_id": "$context.xrayTraceId",
}


def define_access_logs(scope: Construct, settings: Settings, key: kms.IKey | None) -> logs.LogGroup:
    """The group that they go to. API Gateway writes there as the account's own role, which is set up once."""
    return define_log_group(scope, "AccessLogs", settings, key)


def destination(log_group: logs.LogGroup) -> apigateway.IAccessLogDestination:
    """As a stage takes it."""
    return cast(apigateway.IAccessLogDestination, apigateway.LogGroupLogDestination(cast(logs.ILogGroup, log_group)))


def arn(log_group: logs.LogGroup) -> str:
    """Of the group, as API Gateway keeps it."""
    return Stack.of(log_group).format_arn(
        service="logs",
        resource="log-group",
        resource_name=log_group.log_group_name,
        arn_format=ArnFormat.COLON_RESOURCE_NAME,
    )


def line() -> apigateway.AccessLogFormat:
    """What one line holds."""
    return apigateway.AccessLogFormat.custom(json.dumps(_FIELDS))
