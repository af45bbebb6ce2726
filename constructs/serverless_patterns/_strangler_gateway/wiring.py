"""Who calls whom, once the API is there: it the router, that the new side and the shadow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, cast

from aws_cdk import Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from .grants import grant_calls
from .targets import name_of

if TYPE_CHECKING:
    from constructs import Construct

    from .functions import Defined


def connect(
    defined: Defined,
    scope: Construct,
    rest_api: apigateway.RestApiBase,
    stage_name: str,
    invoked: Mapping[str, lambda_.IFunction],
    ids: Mapping[str, str],
    shadowed: Iterable[str],
) -> None:
    """Let the router be called by the API and call the new side, and the shadow likewise.

    Args:
        defined: The functions.
        scope: The gateway.
        rest_api: Who calls the router.
        stage_name: Of its only stage.
        invoked: The new side's functions by route.
        ids: What the functions' file calls them, by route.
        shadowed: Routes that have a shadow.
    """
    copied = {route: invoked[route] for route in shadowed if route in invoked}
    _tell(defined.router, invoked, ids)
    called = [*invoked.values()]
    if defined.shadow is not None:
        _tell(defined.shadow, copied, ids)
        grant_calls(defined.shadow, copied.values())
        called.append(cast(lambda_.IFunction, defined.shadow))
    grant_calls(defined.router, called)
    defined.router.add_permission(
        "RouterPermission",
        principal=cast(iam.IPrincipal, iam.ServicePrincipal("apigateway.amazonaws.com")),
        scope=scope,
        source_arn=rest_api.arn_for_execute_api("*", "/*", stage_name),
    )


def deploy_after_permissions(rest_api: apigateway.RestApiBase, *scopes: Construct) -> None:
    """Or the stage would send requests to functions that refuse them, for as long as CloudFormation takes.

    Args:
        rest_api: Whose stage.
        scopes: Below which permissions to call functions are defined.
    """
    deployment = cast(apigateway.Deployment, cast(apigateway.RestApi, rest_api).latest_deployment)
    permissions = [one for scope in scopes for one in scope.node.children if one.node.id.endswith("Permission")]
    if permissions:
        deployment.node.add_dependency(*permissions)


def _tell(caller: lambda_.Function, invoked: Mapping[str, lambda_.IFunction], ids: Mapping[str, str]) -> None:
    targets = {ids[route]: name_of(invoked[route]) for route in sorted(invoked)}
    caller.add_environment("TARGETS", Stack.of(caller).to_json_string(dict(sorted(targets.items()))))
